package strictyaml

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// A simpleParser parses items that are either a scalar on one line, or a mapping
// of words to such scalars and lists of them, in braces on one line or with one
// key per line. Everything else is left to the YAML parser, which takes ten times
// as long and leaves ten times as much garbage.
type simpleParser struct {
	indent int // of the dashes
	items  []*yaml.Node
	nodes  []yaml.Node  // storage for nodes
	pairs  []*yaml.Node // storage for the contents of mappings
	first  int          // index of the contents of the last mapping
}

// parse parses a whole text; line is the number of its first line. It reports
// false if the text is not simple. The items are valid until the next call.
func (p *simpleParser) parse(text string, line int) bool {
	p.items, p.nodes, p.pairs = p.items[:0], p.nodes[:0], p.pairs[:0]
	for raw := range strings.SplitSeq(text, "\n") {
		if !p.line(raw, line) {
			return false
		}
		line++
	}
	return true
}

// node returns a new node. Earlier nodes do not move.
func (p *simpleParser) node(kind yaml.Kind, style yaml.Style, tag, value string, line, column int) *yaml.Node {
	if len(p.nodes) == cap(p.nodes) {
		p.nodes = make([]yaml.Node, 0, max(2*cap(p.nodes), 256))
	}
	p.nodes = append(p.nodes, yaml.Node{Kind: kind, Style: style, Tag: tag, Value: value, Line: line, Column: column})
	return &p.nodes[len(p.nodes)-1]
}

// mapping begins a mapping.
func (p *simpleParser) mapping(style yaml.Style, line, column int) *yaml.Node {
	p.first = len(p.pairs)
	return p.node(yaml.MappingNode, style, "!!map", "", line, column)
}

// line parses one line.
func (p *simpleParser) line(raw string, number int) bool {
	raw = strings.TrimSuffix(raw, "\r")
	body := strings.TrimLeft(raw, " ")
	indent := len(raw) - len(body)
	switch {
	case body == "" || body[0] == '#':
		return true
	case indent == p.indent && strings.HasPrefix(body, "- "):
		return p.item(body[2:], number, indent+3)
	case indent == p.indent+2 && len(p.items) > 0:
		last := p.items[len(p.items)-1]
		return last.Kind == yaml.MappingNode && last.Style == 0 && p.pair(last, body, number, indent+1)
	}
	return false
}

// item parses the text after a dash.
func (p *simpleParser) item(text string, line, column int) bool {
	var item *yaml.Node
	switch {
	case text == "":
	case text[0] == '{':
		item = p.braces(uncommented(text), line, column)
	case text[0] != '"' && text[0] != '\'' && strings.Contains(text, ": "):
		if item = p.mapping(0, line, column); !p.pair(item, text, line, column) {
			return false
		}
	default:
		item = p.scalar(uncommented(text), false, line, column)
	}
	p.items = append(p.items, item)
	return item != nil
}

// pair adds the key and the value of a line to a mapping.
func (p *simpleParser) pair(to *yaml.Node, text string, line, column int) bool {
	key, value, ok := strings.Cut(text, ": ")
	if !ok || !isSimpleKey(key) {
		return false
	}
	value = uncommented(value)
	at := column + len(key) + 2
	if strings.HasPrefix(value, "[") && strings.HasSuffix(value, "]") {
		return p.add(to, key, line, column, p.brackets(value, line, at))
	}
	return p.add(to, key, line, column, p.scalar(value, false, line, at))
}

// uncommented returns a value without the comment after it.
func uncommented(text string) string {
	from := 0
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		from = strings.IndexByte(text[1:], text[0]) + 2
	}
	if i := strings.Index(text[from:], " #"); i >= 0 {
		return strings.TrimRight(text[:from+i], " ")
	}
	return text
}

// add adds a key and its value, nil if it is not simple, to the last mapping.
func (p *simpleParser) add(to *yaml.Node, key string, line, column int, value *yaml.Node) bool {
	if value == nil {
		return false
	}
	p.pairs = append(p.pairs, p.node(yaml.ScalarNode, 0, "!!str", key, line, column), value)
	to.Content = p.pairs[p.first:]
	return true
}

// braces parses a mapping in braces, nil if it is not simple.
func (p *simpleParser) braces(text string, line, column int) *yaml.Node {
	to := p.mapping(yaml.FlowStyle, line, column)
	for at := 1; at < len(text); {
		key, value, ok := strings.Cut(text[at:], ": ")
		if !ok || !isSimpleKey(key) {
			return nil
		}
		from := at + len(key) + 2
		n := flowEnd(value)
		if n < 0 || n == len(value) {
			return nil
		}
		var v *yaml.Node
		if value[0] == '[' {
			v = p.brackets(value[:n], line, column+from)
		} else {
			v = p.scalar(value[:n], true, line, column+from)
		}
		if !p.add(to, key, line, column+at, v) {
			return nil
		}
		switch rest := value[n:]; {
		case rest == "}":
			return to
		case strings.HasPrefix(rest, ", "):
			at = from + n + 2
		default:
			return nil
		}
	}
	return nil
}

// flowEnd returns the end of a value in braces or brackets, -1 if it is not
// simple.
func flowEnd(text string) int {
	if text == "" {
		return -1
	}
	ends := ",}]"
	switch text[0] {
	case '"', '\'':
		ends = text[:1]
	case '[':
		ends = "]"
	}
	n := strings.IndexAny(text[1:], ends)
	switch {
	case n < 0:
		return -1
	case ends == ",}]":
		return n + 1
	}
	return n + 2
}

// brackets parses a list of scalars in brackets, nil if it is not simple.
func (p *simpleParser) brackets(text string, line, column int) *yaml.Node {
	list := p.node(yaml.SequenceNode, yaml.FlowStyle, "!!seq", "", line, column)
	for at := 1; at < len(text); {
		n := flowEnd(text[at:])
		if n < 0 || at+n >= len(text) {
			return nil
		}
		item := p.scalar(text[at:at+n], true, line, column+at)
		if item == nil {
			return nil
		}
		list.Content = append(list.Content, item)
		switch rest := text[at+n:]; {
		case rest == "]":
			return list
		case strings.HasPrefix(rest, ", "):
			at += n + 2
		default:
			return nil
		}
	}
	return nil
}

// scalar parses a scalar, nil if it is not simple. In braces and brackets (flow),
// fewer characters are allowed.
func (p *simpleParser) scalar(text string, flow bool, line, column int) *yaml.Node {
	style := yaml.Style(0)
	switch {
	case len(text) >= 2 && (text[0] == '"' || text[0] == '\'') && text[len(text)-1] == text[0]:
		style = yaml.DoubleQuotedStyle
		if text[0] == '\'' {
			style = yaml.SingleQuotedStyle
		}
		text = text[1 : len(text)-1]
		if !isQuotable(text) {
			return nil
		}
	case !isPlain(text, flow):
		return nil
	}
	return p.node(yaml.ScalarNode, style, "!!str", text, line, column)
}

// isSimpleKey reports whether a key is a word of lower-case letters, and not a
// value of another type than text.
func isSimpleKey(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != "" && !isNull(s)
}

// isNull reports whether a plain scalar is null (YAML 1.2.2, Section 10.3.2). For
// readers of texts, all other types are texts.
func isNull(s string) bool { return s == "null" || s == "Null" || s == "NULL" }

// isQuotable reports whether a text has the same meaning between quotes of either
// kind.
func isQuotable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\'' || c == '\\' {
			return false
		}
	}
	return true
}

// isPlain reports whether a text is one plain scalar that begins with a letter or
// digit and ends on its line (YAML 1.2.2, Section 7.3.3).
func isPlain(s string, flow bool) bool {
	if s == "" || !isAlphanumeric(s[0]) || isNull(s) {
		return false
	}
	for i := range len(s) {
		last := i+1 == len(s)
		switch c := s[i]; {
		case isAlphanumeric(c), strings.IndexByte("._/-+()@*!;", c) >= 0:
		case c == ',' && !flow:
		case c == ' ' && !last && s[i+1] != '#':
		case c == ':' && !flow && !last && s[i+1] != ' ':
		default:
			return false
		}
	}
	return true
}

// isAlphanumeric reports whether a byte is an ASCII letter or digit.
func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
