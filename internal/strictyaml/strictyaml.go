// Package strictyaml parses files of exactly one YAML document, and says where
// the others go wrong. What stands in a second document would be read by
// nobody.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Fault says why a file is not one YAML document. Line and Column count from
// 1; they are 1 where the place is not known.
type Fault struct {
	Line, Column int
	Text         string
	Hint         string // what to do about it
}

// Root parses data and returns the root of its document, nil if there is none
// in it. The Fault is nil unless data is no YAML, more than one document, or one
// of more than [MaxValues].
func Root(data []byte) (*yaml.Node, *Fault) {
	if line := tooMany(data, MaxValues); line > 0 {
		return nil, &Fault{line, 1, fmt.Sprintf("more than %d values", MaxValues), "split the file, or leave out what it need not say"}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, syntaxFault(data, err)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &Fault{max(second.Line, 1), max(second.Column, 1), "a second document in the file",
			"keep one, and leave the --- in front of the others out"}
	case !errors.Is(err, io.EOF):
		return nil, syntaxFault(data, err)
	case len(doc.Content) == 0:
		return nil, nil
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): (?s:(.*))$`)

// syntaxFault is an error of the YAML parser, whose place is in its text. Its
// column is where the line begins.
func syntaxFault(data []byte, err error) *Fault {
	f := &Fault{1, 1, strings.TrimPrefix(err.Error(), "yaml: "),
		"check the indentation, and put quotes around values with a colon, a hash or a leading asterisk"}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			f.Line, f.Text = n, m[2]
		}
	}
	if lines := bytes.SplitN(data, []byte("\n"), f.Line+1); len(lines) >= f.Line {
		line := lines[f.Line-1]
		f.Column += len(line) - len(bytes.TrimLeft(line, " \t"))
	}
	return f
}
