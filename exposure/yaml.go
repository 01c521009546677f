package exposure

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/strictyaml"
)

// A document is a YAML file under strict reading: every key must be known and
// every value of the right kind, and all mistakes are told at once, each with
// its place.
type document struct {
	*source
	cut  *strictyaml.Document // nil if the tree is whole
	errs []*UserError
	full bool // nothing more is read
	torn bool // a part of the cut document is no YAML
}

// maxErrors is how many mistakes of one file are told; more do not help.
const maxErrors = 20

// parseYAML reads one YAML document. The node is nil for an empty file or
// where the syntax is wrong.
func parseYAML(file string, data []byte) (*document, *yaml.Node) {
	d := &document{source: newSource(file, data)}
	root, fault := strictyaml.Root(data)
	if fault != nil {
		d.syntax(fault)
	}
	return d, root
}

// syntax records the one thing that is wrong where a file is no YAML.
func (d *document) syntax(fault *strictyaml.Fault) {
	d.errs, d.full = nil, false
	d.fail(&yaml.Node{Line: fault.Line, Column: fault.Column}, fault.Hint, "%s", fault.Text)
	d.full = true
}

// fail records a mistake at a node.
func (d *document) fail(n *yaml.Node, hint, format string, args ...any) {
	if d.full {
		return
	}
	d.errs = append(d.errs, &UserError{
		File: d.file, Line: n.Line, Column: n.Column, Source: d.line(n.Line),
		Msg: fmt.Sprintf(format, args...), HintText: hint,
	})
	d.full = len(d.errs) == maxErrors
}

// err gives all mistakes as one error, in the order of the file; nil if there
// are none.
func (d *document) err() error {
	slices.SortStableFunc(d.errs, func(a, b *UserError) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	var errs []error
	for _, e := range d.errs {
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// A field reads the value of one key.
type field struct {
	key      string
	required bool
	read     func(*yaml.Node)
}

// mapping reads a mapping whose keys are fields and nothing else.
func (d *document) mapping(n *yaml.Node, what string, fields []field) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "write key: value pairs below it", "%s is %s, want a mapping", what, kindOf(n))
		return
	}
	var excused map[string]bool
	var few [16]int32
	seen := few[:] // the line of each field, 0 if it was not met
	if len(fields) > len(few) {
		seen = make([]int32, len(fields))
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(fields, func(f field) bool { return f.key == key.Value })
		switch {
		case key.Kind != yaml.ScalarNode || at < 0:
			meant, hint := keyHint(key.Value, fields)
			if excused == nil {
				excused = map[string]bool{}
			}
			excused[meant] = true // one mistake, one error
			d.fail(key, hint, "unknown key %q in %s", key.Value, what)
		case seen[at] > 0:
			d.fail(key, "keep one of them", "key %q appears again, first in line %d", key.Value, seen[at])
		case value.Kind == yaml.AliasNode:
			d.fail(value, "write the value out", "alias %q is not allowed", value.Value)
		default:
			seen[at] = int32(key.Line)
			fields[at].read(value)
		}
	}
	for i, f := range fields {
		if f.required && seen[i] == 0 && !excused[f.key] {
			d.fail(n, "add "+f.key+":", "%s lacks the key %q", what, f.key)
		}
	}
}

// keyHint names the key that was probably meant, else all keys.
func keyHint(got string, fields []field) (meant, hint string) {
	var keys []string
	for _, f := range fields {
		keys = append(keys, f.key)
	}
	if best := spelling.Nearest(keys, got); best != "" {
		return best, spelling.Hint(keys, got, "")
	}
	return "", "the keys here are " + strings.Join(keys, ", ")
}

// sequence calls read for each item.
func (d *document) sequence(n *yaml.Node, what string, read func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "write one item a line, each after a dash", "%s is %s, want a list", what, kindOf(n))
		return
	}
	for item, fault := range d.items(n) {
		if fault != nil {
			d.syntax(fault)
			d.torn = true
		}
		if d.full {
			return
		}
		if item.Kind == yaml.AliasNode {
			d.fail(item, "write the value out", "alias %q is not allowed", item.Value)
			continue
		}
		read(item)
	}
}

// items yields the items of a list.
func (d *document) items(n *yaml.Node) iter.Seq2[*yaml.Node, *strictyaml.Fault] {
	if d.cut != nil && d.cut.List(n) != nil {
		return d.cut.List(n).Items()
	}
	return func(yield func(*yaml.Node, *strictyaml.Fault) bool) {
		for _, item := range n.Content {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// text reads a scalar as it is written, blanks around it removed.
func (d *document) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.fail(n, "write one value, without dashes or brackets", "%s is %s, want text", what, kindOf(n))
		return ""
	}
	return strings.TrimSpace(n.Value)
}

// texts reads a list of scalars; one scalar is a list of one.
func (d *document) texts(n *yaml.Node, what string) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{d.text(n, what)}
	}
	var list []string
	d.sequence(n, what, func(item *yaml.Node) { list = append(list, d.text(item, what)) })
	return list
}

// joined reads a list of scalars, or one, as it would stand on the command line.
func (d *document) joined(n *yaml.Node, what string) string {
	if n.Kind == yaml.ScalarNode {
		return d.text(n, what)
	}
	return strings.Join(d.texts(n, what), ",")
}

// number reads a finite decimal number from lowest to highest.
func (d *document) number(n *yaml.Node, what string, lowest, highest float64) float64 {
	v, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || err != nil || !(v >= lowest && v <= highest) {
		d.fail(n, fmt.Sprintf("give a number from %g to %g", lowest, highest), "%s is %s, want a number from %g to %g", what, shown(n), lowest, highest)
		return lowest
	}
	return v
}

// integer reads a whole number from lowest to highest.
func (d *document) integer(n *yaml.Node, what string, lowest, highest int) int {
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < lowest || v > highest {
		d.fail(n, fmt.Sprintf("give a whole number from %d to %d", lowest, highest), "%s is %s, want a whole number from %d to %d", what, shown(n), lowest, highest)
		return lowest
	}
	return v
}

// date reads a day, YYYY-MM-DD, as its midnight in UTC.
func (d *document) date(n *yaml.Node, hint, what string) time.Time {
	t, err := time.Parse(time.DateOnly, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		d.fail(n, hint, "%s is %s, want a date", what, shown(n))
	}
	return t
}

// boolean reads true or false.
func (d *document) boolean(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		d.fail(n, "write true or false", "%s is %s, want true or false", what, shown(n))
		return false
	}
	return n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
}

// shown quotes a scalar and names anything else.
func shown(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return strconv.Quote(n.Value)
	}
	return kindOf(n)
}

// kindOf names what a node is.
func kindOf(n *yaml.Node) string {
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
