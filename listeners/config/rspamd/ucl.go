package rspamd

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A node is a key of UCL with its value: a scalar, or an object or array with children.
type node struct {
	key        string
	text       string
	file       *source.File
	start, end int
	group      bool // an object or an array
	array      bool
	children   []*node
	priority   int
	merge      bool // in a file that is included with duplicate=merge
}

// at returns the place of the value.
func (n *node) at() result.Anchor { return n.file.Anchor(n.start, n.end) }

const (
	maxNodes  = 100_000
	maxNested = 32
	maxFiles  = 100 // that are included
)

// A parser reads UCL (libucl, README and doc/api.md).
type parser struct {
	tree  *source.Tree
	main  *source.File // whose folder is $CONFDIR
	nodes int
	files int

	missing []string // optional files, and those of Rspamd, that are not among the files
	doubt   func(f *source.File, start, end int, problem string)
}

// A position is a place in a file while it is read.
type position struct {
	file *source.File
	at   int
	layer
}

// A layer is how the values of a file count against others of the same key.
type layer struct {
	priority int
	merge    bool // duplicate=merge
}

// parse adds what a file has to an object.
func (p *parser) parse(f *source.File, l layer, into *node) {
	p.object(&position{file: f, layer: l}, into, 0)
}

// object reads keys and values up to the end of the object.
func (p *parser) object(pos *position, into *node, depth int) {
	for text := pos.file.Text; ; {
		pos.skip(" \t\r\n;,")
		if pos.at >= len(text) || p.nodes >= maxNodes {
			return
		}
		switch c := text[pos.at]; {
		case c == '}' || c == ']':
			if pos.at++; depth > 0 {
				return
			}
		case c == '.' && isLetter(text, pos.at+1):
			p.directive(pos, into)
		case c == '{':
			pos.at++
			if depth > 0 {
				continue
			}
			p.object(pos, into, depth+1) // braces around a whole file
		default:
			p.pair(pos, into, depth)
		}
	}
}

// pair reads a key, or several as in worker "normal" {, and its value.
func (p *parser) pair(pos *position, into *node, depth int) {
	text := pos.file.Text
	begin := pos.at
	key := pos.key()
	n := &node{key: key, file: pos.file, priority: pos.priority, merge: pos.merge}
	pos.afterKey()
	p.nodes++
	into.children = append(into.children, n)
	switch {
	case pos.at < len(text) && (text[pos.at] == '=' || text[pos.at] == ':'):
		pos.at++
		pos.skip(" \t\r\n")
		p.value(pos, n, depth)
	case depth < maxNested && pos.further():
		n.group, n.start, n.end = true, pos.at, pos.at
		p.pair(pos, n, depth+1)
	default:
		p.value(pos, n, depth)
	}
	if pos.at == begin {
		pos.at++
	}
}

// value reads the value of a key.
func (p *parser) value(pos *position, n *node, depth int) {
	text := pos.file.Text
	if pos.at >= len(text) || depth > maxNested {
		pos.at = len(text)
		return
	}
	switch c := text[pos.at]; {
	case c == '{':
		n.group, n.start, n.end = true, pos.at, pos.at+1
		pos.at++
		p.object(pos, n, depth+1)
		return
	case c == '[':
		n.group, n.array, n.start, n.end = true, true, pos.at, pos.at+1
		pos.at++
		p.array(pos, n, depth+1)
		return
	case c == '\n' || c == ';' || c == '}':
		n.start, n.end = pos.at, pos.at
		return
	case strings.HasPrefix(text[pos.at:], "<<") && isLetter(text, pos.at+2):
		pos.document(n)
		return
	}
	n.start, n.end, n.text = pos.scalar()
}

// array reads values up to the end of an array.
func (p *parser) array(pos *position, n *node, depth int) {
	for text := pos.file.Text; ; {
		pos.skip(" \t\r\n,;")
		if pos.at >= len(text) || p.nodes >= maxNodes {
			return
		}
		if text[pos.at] == ']' || text[pos.at] == '}' {
			pos.at++
			return
		}
		item := &node{file: pos.file, priority: pos.priority}
		p.nodes++
		n.children = append(n.children, item)
		begin := pos.at
		if text[pos.at] == '{' || text[pos.at] == '[' {
			p.value(pos, item, depth)
		} else {
			item.start, item.end, item.text = pos.scalar()
		}
		if pos.at == begin {
			pos.at++
		}
	}
}

// includeLine is the directive that includes a file.
var includeLine = regexp.MustCompile(`^\.(?:try_)?includes?\s*(?:\(([^)]*)\))?\s*"([^"\n]*)"`)

// directive reads .include, and skips others.
func (p *parser) directive(pos *position, into *node) {
	rest := pos.file.Text[pos.at:]
	rest = rest[:min(len(rest), 1000)]
	start := pos.at
	m := includeLine.FindStringSubmatchIndex(rest)
	if m == nil {
		pos.line()
		return
	}
	pos.at += m[1]
	own, optional, glob := pos.layer, strings.HasPrefix(rest, ".try_"), false
	attributes := ""
	if m[2] >= 0 {
		attributes = rest[m[2]:m[3]]
	}
	for _, a := range strings.FieldsFunc(attributes, func(c rune) bool { return c == ',' || c == ';' }) {
		key, value, _ := strings.Cut(a, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch { // the beginning of a name will do
		case key == "":
		case strings.HasPrefix("try", key):
			optional = value == "true"
		case strings.HasPrefix("glob", key):
			glob = value == "true"
		case strings.HasPrefix("priority", key):
			own.priority, _ = strconv.Atoi(value)
		case strings.HasPrefix("duplicate", key):
			own.merge = value == "merge"
		}
	}
	p.include(includes{pos.file, start + m[4], rest[m[4]:m[5]], glob, optional}, own, into)
}

// confdir are the variables that are the folder of rspamd.conf.
var confdir = regexp.MustCompile(`^\$\{?(?:LOCAL_)?CONFDIR\}?/`)

// plain makes a pattern of a name that is none.
var plain = strings.NewReplacer("*", "[*]", "?", "[?]", "[", `\[`, `\`, `\\`)

// An includes is what a directive includes.
type includes struct {
	file     *source.File // that has it
	at       int          // where
	name     string
	glob     bool // the name is a pattern
	optional bool
}

// include reads the files that another one includes.
func (p *parser) include(i includes, l layer, into *node) {
	pattern := i.name
	if !i.glob {
		pattern = plain.Replace(pattern)
	}
	short := confdir.ReplaceAllString(pattern, "")
	var found []string
	switch {
	case p.tree == nil:
	case short != pattern:
		found = p.tree.Find(p.main.Name, short)
	case !strings.Contains(pattern, "$"):
		found = p.tree.Find(i.file.Name, path.Clean(pattern))
	}
	if found == nil && !i.optional && short == pattern {
		p.doubt(i.file, i.at, i.at+len(i.name), strconv.Quote(i.name)+" is not in the files")
	}
	if found == nil {
		p.missing = append(p.missing, path.Base(i.name))
	}
	for _, n := range found {
		if p.files++; p.files > maxFiles {
			return
		}
		if other, err := p.tree.Include(n); err == nil {
			p.parse(other, l, into)
		}
	}
}

// A linked value is one of those that a key has, with the arrays that are merged into it.
type linked struct {
	*node
	merged []*node
}

// each returns the values of a key, and in place of arrays their items: those of the highest
// priority. In a file that is included with duplicate=merge an array is added to one that is there
// (ucl_parser.c, ucl_parser_process_object_element).
func (n *node) each(key string) (list []*node) {
	var chain []linked
	for _, c := range n.children {
		if c.key != key {
			continue
		}
		switch {
		case len(chain) == 0, c.priority > chain[0].priority && !(c.merge && chain[0].group):
			chain = []linked{{c, nil}}
		case c.merge && chain[0].array && c.array:
			chain[0].merged = append(chain[0].merged, c)
		case c.merge && chain[0].group: // what is there becomes this value
			over := *c
			over.priority = chain[0].priority
			chain[0] = linked{&over, nil}
		case c.priority == chain[0].priority:
			chain = append(chain, linked{c, nil})
		}
	}
	for _, l := range chain {
		list = l.items(list)
		for _, m := range l.merged {
			list = m.items(list)
		}
	}
	return list
}

// items adds the items of an array or an object to a list, or a scalar itself.
func (n *node) items(list []*node) []*node {
	if n.group {
		return append(list, n.children...)
	}
	return append(list, n)
}

// first returns the first value of a key, which is the one that Rspamd takes where it takes one
// (ucl_object_lookup); nil if it has none.
func (n *node) first(key string) *node {
	list := n.each(key)
	if len(list) == 0 {
		return nil
	}
	return list[0]
}
