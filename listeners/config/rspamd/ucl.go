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
	group      bool
	children   []*node
	priority   int
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
	file     *source.File
	at       int
	priority int
}

// parse adds what a file has to an object.
func (p *parser) parse(f *source.File, priority int, into *node) {
	p.object(&position{file: f, priority: priority}, into, 0)
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
			pos.at++
			return
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

// isLetter reports whether a text has a letter at an offset.
func isLetter(text string, at int) bool {
	return at < len(text) && (text[at]|0x20 >= 'a' && text[at]|0x20 <= 'z')
}

// skip skips blanks of a set, and comments.
func (pos *position) skip(blanks string) {
	for text := pos.file.Text; pos.at < len(text); {
		switch {
		case strings.IndexByte(blanks, text[pos.at]) >= 0:
			pos.at++
		case text[pos.at] == '#':
			pos.line()
		case strings.HasPrefix(text[pos.at:], "/*"):
			pos.comment()
		default:
			return
		}
	}
}

// line moves to the end of the line.
func (pos *position) line() {
	if n := strings.IndexByte(pos.file.Text[pos.at:], '\n'); n >= 0 {
		pos.at += n
		return
	}
	pos.at = len(pos.file.Text)
}

// comment skips a comment; they nest.
func (pos *position) comment() {
	depth := 0
	for text := pos.file.Text; pos.at < len(text); pos.at++ {
		switch {
		case strings.HasPrefix(text[pos.at:], "/*"):
			depth++
			pos.at++
		case strings.HasPrefix(text[pos.at:], "*/"):
			pos.at++
			if depth--; depth == 0 {
				pos.at++
				return
			}
		}
	}
}

// token reads a word: in quotation marks, or up to one of the ends. It returns its offsets and
// its text.
func (pos *position) token(ends string) (start, end int, value string) {
	text := pos.file.Text
	if text[pos.at] == '"' || text[pos.at] == '\'' {
		mark := text[pos.at]
		pos.at++
		start = pos.at
		var b strings.Builder
		for ; pos.at < len(text) && text[pos.at] != mark; pos.at++ {
			if text[pos.at] == '\\' && pos.at+1 < len(text) {
				pos.at++
			}
			b.WriteByte(text[pos.at])
		}
		end = min(pos.at, len(text))
		pos.at = min(pos.at+1, len(text))
		return start, end, b.String()
	}
	start = pos.at
	for pos.at < len(text) && strings.IndexByte(ends, text[pos.at]) < 0 {
		pos.at++
	}
	end = start + len(strings.TrimRight(text[start:pos.at], " \t\r"))
	if i := strings.Index(text[start:end], " #"); i >= 0 {
		end = start + len(strings.TrimRight(text[start:start+i], " \t\r"))
		pos.at = start + i
	}
	return start, end, text[start:end]
}

// pair reads a key, or several as in worker "normal" {, and its value.
func (p *parser) pair(pos *position, into *node, depth int) {
	text := pos.file.Text
	begin := pos.at
	_, _, key := pos.token(" \t\r\n=:;{}[]")
	n := &node{key: key, file: pos.file, priority: pos.priority}
	pos.skip(" \t\r")
	if pos.at < len(text) && (text[pos.at] == '=' || text[pos.at] == ':') {
		pos.at++
		pos.skip(" \t\r\n")
	}
	p.nodes++
	into.children = append(into.children, n)
	p.value(pos, n, depth)
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
		n.group, n.start, n.end = true, pos.at, pos.at+1
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
	n.start, n.end, n.text = pos.token(";\n}{,[")
	pos.skip(" \t\r")
	if pos.at < len(text) && text[pos.at] == '{' { // the value was a further key
		inner := &node{key: n.text, file: n.file, priority: n.priority, start: n.start, end: n.end}
		n.group, n.text = true, ""
		n.children = append(n.children, inner)
		p.value(pos, inner, depth+1)
	}
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
			item.start, item.end, item.text = pos.token(",;\n]}")
		}
		if pos.at == begin {
			pos.at++
		}
	}
}

// document skips a text between <<WORD and a line WORD.
func (pos *position) document(n *node) {
	start := pos.at + 2
	pos.line()
	word := strings.TrimSpace(pos.file.Text[start:pos.at])
	n.start, n.end = start, pos.at
	i := strings.Index(pos.file.Text[pos.at:], "\n"+word+"\n")
	if i < 0 {
		pos.at = len(pos.file.Text)
		return
	}
	pos.at += i + len(word) + 1
}

// includeLine is the directive that includes a file.
var includeLine = regexp.MustCompile(`^\.(?:try_)?includes?\s*(?:\(([^)\n]*)\))?\s*"([^"\n]*)"`)

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
	priority := pos.priority
	attributes := ""
	if m[2] >= 0 {
		attributes = rest[m[2]:m[3]]
	}
	for _, a := range strings.FieldsFunc(attributes, func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
		if v, ok := strings.CutPrefix(a, "priority="); ok {
			priority, _ = strconv.Atoi(v)
		}
	}
	name := rest[m[4]:m[5]]
	optional := strings.Contains(attributes, "try=true") || strings.HasPrefix(rest, ".try_")
	p.include(pos.file, start+m[4], name, priority, optional, into)
}

// confdir are the variables that are the folder of rspamd.conf.
var confdir = regexp.MustCompile(`^\$\{?(?:LOCAL_)?CONFDIR\}?/`)

// include reads a file that another one includes.
func (p *parser) include(f *source.File, at int, name string, priority int, optional bool, into *node) {
	short := confdir.ReplaceAllString(name, "")
	var found []string
	switch {
	case p.tree == nil:
	case short != name:
		found = p.tree.Find(p.main.Name, short)
	case !strings.Contains(name, "$"):
		found = p.tree.Find(f.Name, path.Clean(name))
	}
	if found == nil && !optional && short == name {
		p.doubt(f, at, at+len(name), strconv.Quote(name)+" is not in the files")
	}
	if found == nil {
		p.missing = append(p.missing, path.Base(name))
	}
	for _, n := range found {
		if p.files++; p.files > maxFiles {
			return
		}
		if other, err := p.tree.Include(n); err == nil {
			p.parse(other, priority, into)
		}
	}
}

// each yields the values of a key: those of the highest priority, and the items of arrays.
func (n *node) each(key string) (list []*node) {
	top := 0
	for _, c := range n.children {
		if c.key == key {
			top = max(top, c.priority)
		}
	}
	for _, c := range n.children {
		switch {
		case c.key != key || c.priority < top:
		case c.group:
			list = append(list, c.children...)
		default:
			list = append(list, c)
		}
	}
	return list
}

// last returns the last value of a key, nil if it has none.
func (n *node) last(key string) *node {
	list := n.each(key)
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}
