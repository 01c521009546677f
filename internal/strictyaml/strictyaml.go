// Package strictyaml reads YAML data files and refuses what nobody would
// notice otherwise: keys that do not exist, keys that stand twice, values of
// the wrong kind, a second document, anchors and aliases. Every error says
// where, with file, line and column.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// An Error is a fault in a data file. Its text has the form
// "FILE:LINE:COLUMN: what"; line and column count from 1 and are left out
// where they are not known (0).
type Error struct {
	File         string
	Line, Column int
	Err          error

	hint string
}

func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where += fmt.Sprintf(":%d", e.Line)
		if e.Column > 0 {
			where += fmt.Sprintf(":%d", e.Column)
		}
	}
	return where + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do about it, or is empty.
func (e *Error) Hint() string { return e.hint }

// At returns an Error for the value at node of the file.
func At(file string, node *yaml.Node, format string, args ...any) *Error {
	return &Error{File: file, Line: node.Line, Column: node.Column, Err: fmt.Errorf(format, args...)}
}

// WithHint sets the hint of e and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.hint = fmt.Sprintf(format, args...)
	return e
}

// Decode reads the one document in data into the struct, map or slice that
// into points to. File names the data in errors. Types with an UnmarshalYAML
// method read themselves; their errors get the place of their value.
func Decode(file string, data []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return &Error{File: file, Err: errors.New("the file is empty")}
		}
		return syntaxError(file, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return &Error{File: file, Err: errors.New("more than one document in the file")}
	}
	if len(doc.Content) != 1 {
		return &Error{File: file, Err: errors.New("the file is empty")}
	}
	c := checker{file: file}
	if err := c.check(doc.Content[0], reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	if err := doc.Content[0].Decode(into); err != nil {
		return syntaxError(file, err)
	}
	return nil
}

// syntaxError takes the line out of the text of a yaml error, which has no
// field for it.
func syntaxError(file string, err error) error {
	e := &Error{File: file, Err: err}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n  ")
	var line int
	if n, _ := fmt.Sscanf(text, "line %d:", &line); n == 1 {
		e.Line = line
		_, text, _ = strings.Cut(text, ": ")
	}
	e.Err = errors.New(text)
	return e
}

var unmarshaler = reflect.TypeFor[yaml.Unmarshaler]()

type checker struct{ file string }

// check holds node against the type it is to be read into.
func (c checker) check(node *yaml.Node, t reflect.Type) error {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return At(c.file, node, "anchors and aliases are not allowed").WithHint("write the value out")
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return c.leaf(node, t)
	}
	switch t.Kind() {
	case reflect.Struct:
		return c.mapping(node, t, fields(t))
	case reflect.Map:
		return c.mapping(node, t, nil)
	case reflect.Slice:
		return c.sequence(node, t)
	default:
		return c.leaf(node, t)
	}
}

// mapping checks the keys and values of a mapping. Keys is nil for a map,
// where every key may stand.
func (c checker) mapping(node *yaml.Node, t reflect.Type, keys map[string]reflect.Type) error {
	if node.Kind != yaml.MappingNode {
		return At(c.file, node, "found %s instead of keys and values", kind(node))
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return At(c.file, key, "found %s instead of a key", kind(key))
		}
		if seen[key.Value] {
			return At(c.file, key, "key %q stands twice", key.Value)
		}
		seen[key.Value] = true
		vt, ok := keys[key.Value]
		switch {
		case keys == nil:
			vt = t.Elem()
		case !ok:
			return At(c.file, key, "unknown key %q", key.Value).WithHint("the keys here are %s", list(t))
		}
		if err := c.check(value, vt); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) sequence(node *yaml.Node, t reflect.Type) error {
	if node.Kind != yaml.SequenceNode {
		return At(c.file, node, "found %s instead of a list", kind(node))
	}
	for _, n := range node.Content {
		if err := c.check(n, t.Elem()); err != nil {
			return err
		}
	}
	return nil
}

// leaf reads a value on its own, so that its error gets a column.
func (c checker) leaf(node *yaml.Node, t reflect.Type) error {
	err := node.Decode(reflect.New(t).Interface())
	if err == nil {
		return nil
	}
	if typed := (*Error)(nil); errors.As(err, &typed) {
		return err
	}
	if typed := (*yaml.TypeError)(nil); errors.As(err, &typed) {
		return At(c.file, node, "found %s instead of %s", kind(node), want(t))
	}
	e := At(c.file, node, "%w", err)
	if h := interface{ Hint() string }(nil); errors.As(err, &h) {
		e.hint = h.Hint()
	}
	return e
}

// fields returns the keys of a struct by their yaml tags. Fields without a
// tag, or with the tag "-", are not read from files.
func fields(t reflect.Type) map[string]reflect.Type {
	keys := make(map[string]reflect.Type)
	for i := range t.NumField() {
		if name := tag(t.Field(i)); name != "" {
			keys[name] = t.Field(i).Type
		}
	}
	return keys
}

func tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// list names the keys of a struct in the order of its fields.
func list(t reflect.Type) string {
	var names []string
	for i := range t.NumField() {
		if name := tag(t.Field(i)); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func kind(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	default:
		return fmt.Sprintf("%q", node.Value)
	}
}

func want(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number in range"
	case reflect.Float64:
		return "a number"
	default:
		return "a text"
	}
}
