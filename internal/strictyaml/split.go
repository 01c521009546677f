package strictyaml

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Document is a YAML document whose long lists are read part by part, so that
// only a few of their nodes are in memory at a time.
type Document struct {
	Root  *yaml.Node // each of the lists has one item in it, which stands for all
	lists map[*yaml.Node]*List
}

// List is the list that stands at a node, nil if the node holds its own items.
func (d *Document) List(n *yaml.Node) *List { return d.lists[n] }

// placeholder is the item that stands for those of a list.
const placeholder = "x"

// Split cuts a document at the items of block lists and parses the rest. Keys
// names the lists, each by its keys with a dot between them, of which there are
// one or two. It gives nil if the document is not written so that it can be cut.
func Split(data []byte, keys []string) (*Document, *Fault) {
	if fault := notText(data); fault != nil {
		return nil, fault
	}
	s := splitter{data: data, keys: keys}
	if !plainBreaks(data) || !s.cut() || len(s.lists) == 0 {
		return nil, nil
	}
	root, fault := Root(s.rest)
	if fault != nil {
		fault.Line = s.original(fault.Line)
		return nil, fault
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return nil, nil
	}
	d := &Document{Root: root, lists: map[*yaml.Node]*List{}}
	for _, l := range s.lists {
		n := valueAt(root, l.path)
		if n == nil || d.lists[n] != nil || n.Kind != yaml.SequenceNode || len(n.Content) != 1 || n.Content[0].Value != placeholder || s.original(n.Line) != int(l.line) {
			return nil, nil // what looked like a list is part of a text, or a duplicate key
		}
		d.lists[n] = l
	}
	renumber(root, s.original)
	return d, nil
}

// plainBreaks reports whether lines end in LF or CRLF alone.
func plainBreaks(data []byte) bool {
	for _, other := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(data, []byte(other)) {
			return false
		}
	}
	return bytes.Count(data, []byte("\r")) == bytes.Count(data, []byte("\r\n"))
}

// valueAt is the value below keys with a dot between them, nil if there is none or
// more than one.
func valueAt(n *yaml.Node, path string) *yaml.Node {
	for key := range strings.SplitSeq(path, ".") {
		var found *yaml.Node
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			switch {
			case n.Content[i].Value != key:
			case found != nil:
				return nil
			default:
				found = n.Content[i+1]
			}
		}
		if n = found; n == nil {
			return nil
		}
	}
	return n
}

// renumber gives n and each node below it another line.
func renumber(n *yaml.Node, line func(int) int) {
	n.Line = line(n.Line)
	for _, c := range n.Content {
		renumber(c, line)
	}
}

// maxRest is how much of a document may stand outside of its lists.
const maxRest = 16 << 20

// A splitter cuts one document.
type splitter struct {
	data  []byte
	keys  []string
	rest  []byte  // all but the items of lists
	lines []int32 // of each line of rest, where it stood
	lists []*List
	total int // lines so far

	top    string // the key at column 1 whose value begins below it; "" if none
	await  string // the list that may begin with the next line; "" if none
	indent int    // of the key that awaits it
	list   *List  // the one that is open, nil if none
	begun  bool   // something other than comments was met
}

// cut takes the document apart. It reports false where it is not written so.
func (s *splitter) cut() bool {
	for at := 0; at < len(s.data); {
		end := len(s.data)
		if i := bytes.IndexByte(s.data[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		s.total++
		if !s.line(at, end, int32(s.total)) {
			return false
		}
		at = end
	}
	s.close(len(s.data))
	return true
}

// line takes in the bytes of one line, its break included.
func (s *splitter) line(at, end int, number int32) bool {
	raw := s.data[at:end]
	text := bytes.TrimRight(raw, "\r\n")
	body := bytes.TrimLeft(text, " ")
	indent := len(text) - len(body)
	empty := len(body) == 0 || body[0] == '#'
	switch {
	case len(body) > 0 && body[0] == '\t':
		return false
	case indent == 0 && (marks(text) || len(text) > 0 && text[0] == '%'):
		if s.begun || text[0] == '%' || string(text) != "---" {
			return false
		}
	case empty:
	case s.list != nil && indent == s.list.indent && isItem(body):
		s.list.item(at, number)
		return true
	case s.list == nil && s.await != "" && indent >= s.indent && isItem(body):
		s.open(at, indent, number)
		return true
	}
	if !empty {
		s.begun = true
	}
	if s.list != nil && (empty || indent > s.list.indent) {
		return true
	}
	s.close(at)
	s.keep(raw, number)
	if len(s.rest) > maxRest {
		return false
	}
	if !empty {
		s.key(indent, body)
	}
	return true
}

// marks reports whether a line begins or ends a document.
func marks(text []byte) bool {
	return (bytes.HasPrefix(text, []byte("---")) || bytes.HasPrefix(text, []byte("..."))) && (len(text) == 3 || isBlank(text[3]))
}

// isItem reports whether what stands behind the indent of a line begins an item.
func isItem(body []byte) bool {
	return body[0] == '-' && (len(body) == 1 || body[1] == ' ')
}

// original is where a line of the rest stood. What is missing at the end of a
// document has a line behind the last one.
func (s *splitter) original(line int) int {
	if line <= len(s.lines) {
		return int(s.lines[line-1])
	}
	return s.total + line - len(s.lines)
}

// keep adds a line to the rest.
func (s *splitter) keep(raw []byte, number int32) {
	s.rest = append(s.rest, raw...)
	s.lines = append(s.lines, number)
}

// key notes what stands below a line: a list may, if the line is one of its keys.
func (s *splitter) key(indent int, body []byte) {
	s.await = ""
	name, behind, ok := bytes.Cut(body, []byte(":"))
	behind = bytes.TrimLeft(behind, " ")
	path := string(name)
	alone := ok && (len(behind) == 0 || behind[0] == '#')
	switch {
	case indent == 0 && alone:
		s.top = path
	case indent == 0:
		s.top = ""
	default:
		path = s.top + "." + path
	}
	for _, k := range s.keys {
		if alone && k == path {
			s.await, s.indent = k, indent
		}
	}
}

// open begins a list with the item of a line.
func (s *splitter) open(at, indent int, number int32) {
	s.keep([]byte(strings.Repeat(" ", indent)+"- "+placeholder+"\n"), number)
	header := ""
	for i, key := range strings.Split(s.await, ".") {
		header += strings.Repeat(" ", i*s.indent) + key + ":\n"
	}
	s.list = &List{path: s.await, data: s.data, header: header, indent: indent, line: number}
	s.list.item(at, number)
	s.await = ""
}

// close ends the list that is open, if one is.
func (s *splitter) close(at int) {
	if s.list == nil {
		return
	}
	s.list.end = at
	s.lists = append(s.lists, s.list)
	s.list = nil
}
