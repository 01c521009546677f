package signatures

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/strictyaml"
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

// A Problem is something wrong in a file, at its place.
type Problem struct {
	Pos  Pos
	Text string
	Hint string // what to do about it, "" if that is plain
}

// Error returns the place and what is wrong there.
func (p *Problem) Error() string { return p.Pos.String() + ": " + p.Text }

// Hint returns what to do about it, or "".
func (p *Problem) ErrorHint() string { return p.Hint }

// Problems are all that is wrong, in the order of the files.
type Problems []*Problem

// Error returns one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Hint returns the first hint that any of the problems has.
func (p Problems) ErrorHint() string {
	for _, x := range p {
		if x.Hint != "" {
			return x.Hint
		}
	}
	return ""
}

// err returns the problems as an error, nil if there are none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p.bounded(0)
}

// maxProblems is how many problems are told one by one; more do not help.
const maxProblems = 20

// first returns the first problems, and how many there are beside them.
func (p Problems) first() (told Problems, beside int) {
	told = p[:min(len(p), maxProblems)]
	return slices.Clip(told), len(p) - len(told)
}

// bounded returns the first problems, and another one that counts those beside
// them, of which so many were left out before.
func (p Problems) bounded(before int) Problems {
	told, beside := p.first()
	if beside += before; beside == 0 {
		return p
	}
	return append(told, &Problem{told[len(told)-1].Pos, fmt.Sprintf("%d further problems are not listed", beside), "correct those above first"})
}

// maxDepth is how deep conditions may nest.
const maxDepth = 8

// A decoder reads one file and collects what is wrong in it.
type decoder struct {
	file     string
	problems Problems
	depth    int
	patterns patterns
}

// patterns are those of a Set, by how they are written.
type patterns map[string]Pattern

// fields are the keys of a mapping and what reads their values.
type fields map[string]func(*yaml.Node)

func (d *decoder) pos(n *yaml.Node) Pos { return Pos{d.file, max(n.Line, 1), max(n.Column, 1)} }

func (d *decoder) fail(n *yaml.Node, help, format string, args ...any) {
	d.problems = append(d.problems, &Problem{d.pos(n), fmt.Sprintf(format, args...), help})
}

func (d *decoder) failAt(at Pos, format string, args ...any) {
	d.problems = append(d.problems, &Problem{Pos: at, Text: fmt.Sprintf(format, args...)})
}

// document parses a file of one YAML document and returns its root, or nil.
func (d *decoder) document(data []byte) *yaml.Node {
	root, fault := strictyaml.Root(data)
	if fault != nil {
		d.fail(&yaml.Node{Line: fault.Line, Column: fault.Column}, fault.Hint, "reading YAML: %s", fault.Text)
	}
	return root
}

// mapping reads a mapping whose keys are those of f and no others.
func (d *decoder) mapping(n *yaml.Node, f fields) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "write key: value pairs", "expecting a mapping of keys to values")
		return
	}
	seen := make(map[string]int) // lines
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, known := f[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !known:
			d.fail(key, suggest(key.Value, f), "unknown key %q", key.Value)
		case seen[key.Value] > 0:
			d.fail(key, "keep one of them", "key %q is given twice, first in line %d", key.Value, seen[key.Value])
			continue
		default:
			read(value)
		}
		seen[key.Value] = max(key.Line, 1)
	}
}

// suggest names the keys that there are.
func suggest(key string, f fields) string {
	keys := make([]string, 0, len(f))
	for k := range f {
		if strings.HasPrefix(k, key) || strings.HasPrefix(key, k) {
			return fmt.Sprintf("do you mean %q?", k)
		}
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return "the keys are " + strings.Join(keys, ", ")
}

// each calls f for the elements of a list.
func (d *decoder) each(f func(*yaml.Node)) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			d.fail(n, "write one item a line, each after a dash", "expecting a list")
			return
		}
		for _, c := range n.Content {
			f(c)
		}
	}
}

// value returns the text of a scalar.
func (d *decoder) value(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.fail(n, "write one value, without dashes or brackets", "expecting a single value")
		return "", false
	}
	return n.Value, true
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
		s, ok := d.value(n)
		if ok && !slices.Contains(words, T(s)) {
			list := make([]string, len(words))
			for i, word := range words {
				list[i] = string(word)
			}
			d.fail(n, "write one of "+strings.Join(list, ", "), "unknown word %q", s)
		}
		*to = T(s)
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
	return func(n *yaml.Node) {
		s, ok := d.value(n)
		if ok && s != "true" && s != "false" {
			d.fail(n, "write true or false", "expecting true or false, not %q", s)
		}
		*to = s == "true"
	}
}

func (d *decoder) int(to *int, least, most int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		s, ok := d.value(n)
		if !ok {
			return
		}
		i, err := strconv.Atoi(s)
		if err != nil || i < least || i > most {
			d.fail(n, "write digits alone, without quotes", "expecting a whole number from %d to %d, not %q", least, most, s)
			return
		}
		*to = i
	}
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
			d.fail(n, "the syntax is RE2: no lookaround, no back references", "reading the pattern %q: %v", s, err)
			return
		}
		bad := len(d.problems)
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
		if bad == len(d.problems) {
			d.patterns[s] = p
		}
		*to = &p
	}
}
