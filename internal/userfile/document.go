package userfile

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/strictyaml"
	"github.com/mxsweep/mxsweep/internal/textfile"
)

// A Document is a YAML file that is read strictly: every key must be known and
// every value valid. All errors are recorded, each with its position.
type Document struct {
	*Source
	Lists *strictyaml.Document // nil if the file was parsed as a whole
	errs  Collector
	full  bool   // nothing more is read
	key   string // the key whose value is being read
	told  [2]int // position of a value of the wrong type, for which there are no further errors
	Torn  bool   // a part of a split document is not valid YAML
}

// ParseYAML parses one YAML document; file is its name, for errors. The node is
// nil for an empty file or invalid syntax.
func ParseYAML(file string, data []byte) (*Document, *yaml.Node) {
	data = textfile.UTF8(data) // the parser reads UTF-16 too, but its places are for UTF-8
	d := &Document{Source: NewSource(file, data)}
	root, fault := strictyaml.Root(data)
	if fault != nil {
		d.Syntax(fault)
	}
	return d, root
}

// Key returns the key whose value is being read.
func (d *Document) Key() string { return d.key }

// Count returns the number of errors so far.
func (d *Document) Count() int { return d.errs.Len() }

// Failed reports whether there are errors.
func (d *Document) Failed() bool { return d.errs.Len() > 0 }

// Stop stops reading: what follows is neither read nor checked.
func (d *Document) Stop() { d.full = true }

// Stopped reports whether Stop was called.
func (d *Document) Stopped() bool { return d.full }

// Syntax records that a file is not valid YAML, as its only error.
func (d *Document) Syntax(fault *strictyaml.Fault) {
	d.errs.Reset()
	d.full = false
	d.Fail(&yaml.Node{Line: fault.Line, Column: fault.Column}, fault.Hint, "%s", fault.Text)
	d.full = true
}

// Fail records an error at a node.
func (d *Document) Fail(n *yaml.Node, hint, format string, args ...any) {
	d.FailWith(n, &Error{Hint: hint}, format, args...)
}

// wrongKind is Fail for a value of the wrong type: what is made of it, such as an
// empty text, gives no further errors.
func (d *Document) wrongKind(n *yaml.Node, hint, format string, args ...any) {
	d.Fail(n, hint, format, args...)
	d.told = [2]int{n.Line, n.Column}
}

// FailWith is Fail with the hint of e, and with e.Column as the offset of the
// error from the beginning of the node, in bytes.
func (d *Document) FailWith(n *yaml.Node, e *Error, format string, args ...any) {
	switch {
	case d.full || d.told == [2]int{n.Line, n.Column}:
		return
	case d.errs.full():
		d.errs.Add(e) // it is only counted
		return
	}
	e.Problem = fmt.Sprintf(format, args...)
	d.locate(n, e)
	d.errs.Add(e)
}

// locate sets the position of an error to that of a node, plus its column in
// bytes.
func (d *Document) locate(n *yaml.Node, e *Error) {
	line := d.text(n.Line)
	e.File, e.Line, e.Column = d.File, n.Line, byteColumn(line, n.Column)+e.Column
	e.SetSource(string(line))
}

// A Mark is the position of a value, for errors that are found after the file was
// read, as when a setting conflicts with a flag.
type Mark struct{ at Error }

// Mark returns the position of a node.
func (d *Document) Mark(n *yaml.Node) *Mark {
	var m Mark
	d.locate(n, &m.at)
	return &m
}

// Mistake returns an error at the position; for a nil Mark, without a position.
func (m *Mark) Mistake(hint, format string, args ...any) *Error {
	var e Error
	if m != nil {
		e = m.at
	}
	e.Problem, e.Hint = fmt.Sprintf(format, args...), hint
	return &e
}

// byteColumn converts a column that the YAML parser counts in characters to
// bytes.
func byteColumn(line []byte, column int) int {
	at := 0
	for range column - 1 {
		if at >= len(line) {
			return column
		}
		_, size := utf8.DecodeRune(line[at:])
		at += size
	}
	return at + 1
}

// Err returns all errors as one, in the order of the file; nil if there are none.
func (d *Document) Err() error { return d.errs.Err() }

// A Field reads the value of one key.
type Field struct {
	Key      string
	Required bool
	Read     func(*yaml.Node)
}

// Required returns a field for a required key.
func Required(key string, read func(*yaml.Node)) Field {
	return Field{Key: key, Required: true, Read: read}
}

// Optional returns a field for an optional key.
func Optional(key string, read func(*yaml.Node)) Field { return Field{Key: key, Read: read} }

// Mapping reads a mapping; keys that are not in fields are errors.
func (d *Document) Mapping(n *yaml.Node, what string, fields []Field) {
	if n.Kind != yaml.MappingNode {
		d.wrongKind(n, pairsHint(n, fields), "%s is %s, expected a mapping", what, KindOf(n))
		return
	}
	var excused map[string]bool
	var few [16]int32
	seen := few[:] // the line of each field, 0 if it was not found
	if len(fields) > len(few) {
		seen = make([]int32, len(fields))
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(fields, func(f Field) bool { return f.Key == key.Value })
		switch {
		case key.Kind != yaml.ScalarNode || at < 0:
			meant, hint := keyHint(key.Value, fields)
			if excused == nil {
				excused = map[string]bool{}
			}
			excused[meant] = true // a misspelled key is not also missing
			d.Fail(key, hint, "unknown key %q in %s", key.Value, what)
		case seen[at] > 0:
			d.Fail(key, "keep one of them", "key %q appears again, first in line %d", key.Value, seen[at])
		case value.Kind == yaml.AliasNode:
			d.Fail(value, "write the value out", "alias %q is not allowed", value.Value)
		default:
			seen[at] = int32(key.Line)
			d.key = fields[at].Key
			fields[at].Read(value)
		}
	}
	for i, f := range fields {
		if f.Required && seen[i] == 0 && !excused[f.Key] {
			d.Fail(n, "add "+f.Key+":", "%s lacks the key %q", what, f.Key)
		}
	}
}

// pairsHint says how to write a mapping in place of another value: with the keys that
// must be there, if there are several.
func pairsHint(n *yaml.Node, fields []Field) string {
	var pairs []string
	for _, f := range fields {
		if f.Required {
			pairs = append(pairs, f.Key+": ...")
		}
	}
	if len(pairs) < 2 || n.Kind != yaml.ScalarNode || n.Value == "" {
		return "write key: value pairs below it"
	}
	return "write {" + strings.Join(pairs, ", ") + "}"
}

// keyHint suggests the key that was probably meant, otherwise all keys.
func keyHint(got string, fields []Field) (meant, hint string) {
	var keys []string
	for _, f := range fields {
		keys = append(keys, f.Key)
	}
	if best := spelling.Nearest(keys, got); best != "" {
		return best, spelling.Hint(keys, got, "")
	}
	return "", "the keys here are " + strings.Join(keys, ", ")
}

// Sequence calls read for each item of a list.
func (d *Document) Sequence(n *yaml.Node, what string, read func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		d.wrongKind(n, "write one item per line, each after a dash", "%s is %s, expected a list", what, KindOf(n))
		return
	}
	for item, fault := range d.items(n) {
		if fault != nil {
			d.Syntax(fault)
			d.Torn = true
		}
		if d.full {
			return
		}
		if item.Kind == yaml.AliasNode {
			d.Fail(item, "write the value out", "alias %q is not allowed", item.Value)
			continue
		}
		read(item)
	}
}

// items yields the items of a list.
func (d *Document) items(n *yaml.Node) iter.Seq2[*yaml.Node, *strictyaml.Fault] {
	if d.Lists != nil && d.Lists.List(n) != nil {
		return d.Lists.List(n).Items()
	}
	return func(yield func(*yaml.Node, *strictyaml.Fault) bool) {
		for _, item := range n.Content {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Text returns a scalar as written, without surrounding white space.
func (d *Document) Text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.wrongKind(n, "write one value, without dashes or brackets", "%s is %s, expected text", what, KindOf(n))
		return ""
	}
	return strings.TrimSpace(n.Value)
}

// Texts returns a list of scalars; a single scalar is a list of one.
func (d *Document) Texts(n *yaml.Node, what string) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{d.Text(n, what)}
	}
	var list []string
	before := d.Count()
	d.Sequence(n, what, func(item *yaml.Node) { list = append(list, d.Text(item, what)) })
	if d.Count() > before {
		d.told = [2]int{n.Line, n.Column}
	}
	return list
}

// Joined returns a list of scalars, or a single one, in the syntax of the command
// line.
func (d *Document) Joined(n *yaml.Node, what string) string {
	if n.Kind == yaml.ScalarNode {
		return d.Text(n, what)
	}
	return strings.Join(d.Texts(n, what), ",")
}

// Fraction returns a number from 0 to 1.
func (d *Document) Fraction(n *yaml.Node, what string) float64 {
	v, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || err != nil || !(v >= 0 && v <= 1) {
		d.Fail(n, FractionHint(v), "%s is %s, expected a number from 0 to 1", what, Shown(n))
		return 0
	}
	return v
}

// Integer returns an integer from lowest to highest.
func (d *Document) Integer(n *yaml.Node, what string, lowest, highest int) int {
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < lowest || v > highest {
		d.Fail(n, fmt.Sprintf("give a whole number from %d to %d", lowest, highest), "%s is %s, expected a whole number from %d to %d", what, Shown(n), lowest, highest)
		return lowest
	}
	return v
}

// Date returns a day, YYYY-MM-DD, as midnight UTC.
func (d *Document) Date(n *yaml.Node, hint, what string) time.Time {
	t, err := time.Parse(time.DateOnly, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		d.Fail(n, DateHint(n.Value, hint), "%s is %s, expected a date", what, Shown(n))
	}
	return t
}

// Boolean returns true or false.
func (d *Document) Boolean(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		d.Fail(n, "write true or false", "%s is %s, expected true or false", what, Shown(n))
		return false
	}
	return n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
}

// Shown returns a scalar in quotes, or the type of any other node.
func Shown(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return strconv.Quote(n.Value)
	}
	return KindOf(n)
}

// KindOf returns the type of a node.
func KindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	default:
		if n.Tag == "!!null" {
			return "empty"
		}
		return "text"
	}
}

// OneOf returns a scalar, which must be one of words. what precedes it in the
// error.
func (d *Document) OneOf(n *yaml.Node, what string, words ...string) string {
	return d.WordOf(n, what, "write "+strings.Join(words, ", "), words)
}

// WordOf is OneOf with a hint for words that are not similar to any of them.
func (d *Document) WordOf(n *yaml.Node, what, rest string, words []string) string {
	if n.Kind == yaml.ScalarNode && slices.Contains(words, n.Value) {
		return n.Value
	}
	if len(words) > 12 && n.Kind == yaml.ScalarNode && spelling.Nearest(words, n.Value) != "" {
		rest = "" // a long list does not help who mistyped a word
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.wrongKind(n, rest, "%s is %s, expected one word", what, KindOf(n))
	} else {
		d.Fail(n, spelling.Hint(words, n.Value, rest), "unknown %s %q", what, n.Value)
	}
	return words[0]
}
