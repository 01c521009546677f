package strictyaml

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Document is a YAML document whose long lists are parsed part by part, so that
// only a few of their nodes are in memory at a time.
type Document struct {
	Root  *yaml.Node // each of the lists has one item in place of all
	lists map[*yaml.Node]*List
}

// List returns the list at a node, nil if the node has its own items.
func (d *Document) List(n *yaml.Node) *List { return d.lists[n] }

// placeholder is the item in place of those of a list.
const placeholder = "x"

// Split splits a document at the items of block lists and parses the rest. keys
// are the lists, each as one or two keys separated by a dot. It returns nil if
// the document is not written in a way that can be split.
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

// plainBreaks reports whether all lines end with LF or CRLF.
func plainBreaks(data []byte) bool {
	for _, other := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(data, []byte(other)) {
			return false
		}
	}
	return bytes.Count(data, []byte("\r")) == bytes.Count(data, []byte("\r\n"))
}

// valueAt returns the value at a path of keys separated by dots, nil if there is
// none or more than one.
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

// renumber changes the line of n and each node below it.
func renumber(n *yaml.Node, line func(int) int) {
	n.Line = line(n.Line)
	for _, c := range n.Content {
		renumber(c, line)
	}
}

// maxRest is the maximum size of a document without the items of its lists, in
// bytes.
const maxRest = 16 << 20

// A splitter splits one document.
type splitter struct {
	data  []byte
	keys  []string
	rest  []byte  // everything but the items of lists
	lines []int32 // original number of each line of rest
	lists []*List
	total int // number of lines so far

	top    string // the key at column 1 whose value follows on the next lines; "" if none
	await  string // the list that may begin on the next line; "" if none
	indent int    // of the key of that list
	list   *List  // the current list, nil if none
	begun  bool   // anything but comments was found
}

// cut splits the document. It reports false if that is not possible.
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

// line handles one line, including its line break.
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

// marks reports whether a line is a document marker.
func marks(text []byte) bool {
	return (bytes.HasPrefix(text, []byte("---")) || bytes.HasPrefix(text, []byte("..."))) && (len(text) == 3 || isBlank(text[3]))
}

// isItem reports whether the text after the indentation of a line begins an item.
func isItem(body []byte) bool {
	return body[0] == '-' && (len(body) == 1 || body[1] == ' ')
}

// original returns the original number of a line of the rest. For the end of the
// document it is the line after the last one.
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

// key records what may follow a line: a list, if the line is the key of one.
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

// open starts a list with the item on a line.
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

// close ends the current list, if there is one.
func (s *splitter) close(at int) {
	if s.list == nil {
		return
	}
	s.list.end = at
	s.lists = append(s.lists, s.list)
	s.list = nil
}
