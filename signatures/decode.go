package signatures

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// Duration is a time.Duration that is written as "800ms" or "6s".
type Duration = time.Duration

// A Pos is a place in a file. Line and Column count from 1.
type Pos struct {
	File         string
	Line, Column int
}

// String returns file:line:column.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// A Problem is an error in a file, with its position, its line and a hint.
type Problem = userfile.Error

// Problems are all errors, in the order of the files.
type Problems = userfile.Errors

// problem makes the problem at a position.
func problem(at Pos, hint, text string) *Problem {
	return &Problem{File: at.File, Line: at.Line, Column: at.Column, Problem: text, Hint: hint}
}

// maxDepth is how deeply conditions may nest.
const maxDepth = 8

// A decoder reads one file and collects the errors in it.
type decoder struct {
	*userfile.Document
	depth     int
	patterns  patterns
	protocols []string // that the file adds to the known ones
}

// patterns are the patterns of a Set, by their text.
type patterns map[string]Pattern

// fields are the keys of a mapping and the functions that read their values.
type fields map[string]func(*yaml.Node)

// newDecoder parses a file of one YAML document, whose root is nil if there is none.
func newDecoder(file string, data []byte) (*decoder, *yaml.Node) {
	d, root := userfile.ParseYAML(file, data)
	return &decoder{Document: d}, root
}

func (d *decoder) pos(n *yaml.Node) Pos { return Pos{d.File, max(n.Line, 1), max(n.Column, 1)} }

func (d *decoder) fail(n *yaml.Node, hint, format string, args ...any) {
	d.Fail(&yaml.Node{Line: max(n.Line, 1), Column: max(n.Column, 1)}, hint, format, args...)
}

// failAt is fail for a position from pos.
func (d *decoder) failAt(at Pos, hint, format string, args ...any) {
	d.Fail(&yaml.Node{Line: at.Line, Column: at.Column}, hint, format, args...)
}

// mapping reads a mapping that has no keys but those of f.
func (d *decoder) mapping(n *yaml.Node, f fields) {
	list := make([]userfile.Field, 0, len(f))
	for key, read := range f {
		list = append(list, userfile.Optional(key, read))
	}
	slices.SortFunc(list, func(a, b userfile.Field) int { return strings.Compare(a.Key, b.Key) })
	d.Mapping(n, "the entry", list)
}

// lacks reports whether an entry lacks keys that it must have, or they are empty. It
// fails with their names; a value that is wrong is told where it is read.
func (d *decoder) lacks(n *yaml.Node, what string, keys ...string) bool {
	missing := slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				value := n.Content[i+1]
				return value.Kind != yaml.ScalarNode || value.Value != ""
			}
		}
		return false
	})
	if len(missing) == 0 {
		return false
	}
	d.fail(n, "add "+strings.Join(missing, ": and ")+":", "%s lacks %s", what, strings.Join(missing, ", "))
	return true
}

// each calls f for the elements of a list.
func (d *decoder) each(f func(*yaml.Node)) func(*yaml.Node) {
	return func(n *yaml.Node) { d.Sequence(n, d.Key(), f) }
}

// value returns the text of a scalar as it is written.
func (d *decoder) value(n *yaml.Node) (string, bool) {
	before := d.Count()
	d.Text(n, d.Key())
	return n.Value, d.Count() == before
}

func (d *decoder) text(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) { *to, _ = d.value(n) }
}

func (d *decoder) raw(to *[]byte) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if s, ok := d.value(n); ok {
			*to = []byte(s)
		}
	}
}

func (d *decoder) hex(to *[]byte) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := d.value(n)
		if !ok {
			return
		}
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			d.fail(n, "write two hexadecimal digits for each byte, in quotes", "reading hex %q: %v", s, err)
		}
		*to = b
	}
}

// texts reads a list of values, or one value.
func (d *decoder) texts(to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		add := func(n *yaml.Node) {
			if s, ok := d.value(n); ok {
				*to = append(*to, s)
			}
		}
		if n.Kind == yaml.SequenceNode {
			d.each(add)(n)
			return
		}
		add(n)
	}
}

func (d *decoder) oneOf(to *string, words ...string) func(*yaml.Node) {
	return oneOf(d, to, words...)
}

// oneOf reads one of the words of a table.
func oneOf[T ~string](d *decoder, to *T, words ...T) func(*yaml.Node) {
	return func(n *yaml.Node) {
		list := make([]string, len(words))
		for i, word := range words {
			list[i] = string(word)
		}
		*to = T(d.OneOf(n, d.Key(), list...))
	}
}

// known are the names of protocols that the file may use.
func (d *decoder) known() []string { return append(result.Protocols(), d.protocols...) }

// protocol reads the name of a protocol.
func (d *decoder) protocol(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		rest := "add protocols: [NAME] to the file for one that is new, or write " + strings.Join(d.known(), ", ")
		*to = d.WordOf(n, d.Key(), rest, d.known())
	}
}

// ownProtocols reads the key that adds protocols, wherever it stands in the file.
func (d *decoder) ownProtocols(root *yaml.Node) {
	for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "protocols" {
			d.texts(&d.protocols)(root.Content[i+1])
		}
	}
}

// severity reads the word of a severity.
func (d *decoder) severity(to *result.Severity) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var word string
		d.oneOf(&word, result.SeverityWords()...)(n)
		*to, _ = result.ParseSeverity(word)
	}
}

func (d *decoder) bool(to *bool) func(*yaml.Node) {
	return func(n *yaml.Node) { *to = d.Boolean(n, d.Key()) }
}

func (d *decoder) int(to *int, least, most int) func(*yaml.Node) {
	return func(n *yaml.Node) { *to = d.Integer(n, d.Key(), least, most) }
}

func (d *decoder) ports(to *[]uint16) func(*yaml.Node) {
	return d.each(func(n *yaml.Node) {
		var port int
		d.int(&port, 1, 65535)(n)
		*to = append(*to, uint16(port))
	})
}

func (d *decoder) duration(to *time.Duration) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := d.value(n)
		if !ok {
			return
		}
		t, err := time.ParseDuration(s)
		if err != nil || t < 0 || t > time.Minute {
			d.fail(n, "write a number and ms or s", `expecting a time from "0s" to "1m", like "800ms", not %q`, s)
			return
		}
		*to = t
	}
}

// pattern reads a regular expression, and refuses groups that nothing uses.
func (d *decoder) pattern(to **Pattern) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := d.value(n)
		if !ok {
			return
		}
		if p, ok := d.patterns[s]; ok {
			p.Pos = d.pos(n)
			*to = &p
			return
		}
		re, err := regexp.Compile(s)
		if err != nil {
			d.fail(n, "the syntax is RE2: no lookaround, no backreferences", "reading the pattern %q: %v", s, err)
			*to = &Pattern{Pos: d.pos(n), re: regexp.MustCompile("")} // it is not missing
			return
		}
		bad := d.Count()
		for i, name := range re.SubexpNames() {
			switch {
			case i > 0 && name == "":
				d.fail(n, "write (?:...) for a group that captures nothing", "group %d of the pattern has no name", i)
			case i > 0 && !slices.Contains(groupNames, name):
				d.fail(n, "the groups are "+strings.Join(groupNames, ", "), "unknown group %q in the pattern", name)
			}
		}
		p := Pattern{Pos: d.pos(n), re: re, number: len(d.patterns)}
		if s := literal(s); s != "" {
			p.literal = []byte(s)
		}
		if bad == d.Count() {
			d.patterns[s] = p
		}
		*to = &p
	}
}
