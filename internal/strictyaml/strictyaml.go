// Package strictyaml parses files of exactly one YAML document, and reports the
// position of errors in others. The content of a second document would be ignored
// silently.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/textfile"
)

// A Fault says why a file is not one YAML document. Line and Column count from 1;
// they are 1 if the position is not known.
type Fault struct {
	Line, Column int
	Text         string
	Hint         string // what to do about it
}

// Root parses data and returns the root of its document, nil if it is empty. The
// Fault is nil unless data is not valid YAML, has more than one document, or more
// than [MaxValues].
func Root(data []byte) (*yaml.Node, *Fault) {
	if line := tooMany(data, MaxValues); line > 0 {
		return nil, &Fault{line, 1, fmt.Sprintf("more than %d values", MaxValues), "split the file, or remove what it does not need"}
	}
	if fault := notText(data); fault != nil {
		return nil, fault
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, syntaxFault(data, err)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &Fault{max(second.Line, 1), max(second.Column, 1), "a second document in the file",
			"keep one, and remove the --- before the others"}
	case !errors.Is(err, io.EOF):
		return nil, syntaxFault(data, err)
	case len(doc.Content) == 0:
		return nil, nil
	}
	return doc.Content[0], nil
}

// notText returns the fault of the first byte that is not valid UTF-8 text, nil
// if there is none: the YAML parser does not report its position (YAML 1.2.2,
// section 5.1). Files in UTF-16 are left to the parser.
func notText(data []byte) *Fault {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	f := textfile.Check(data)
	if f == nil {
		return nil
	}
	column := utf8.RuneCount(data[f.Offset+1-f.Column(data):f.Offset]) + 1
	return &Fault{f.Line(data), column, f.Text, f.Hint}
}
