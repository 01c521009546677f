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
	"unicode/utf8"

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

// notText is the fault of the first byte that no text in UTF-8 has, nil if there
// is none: the YAML parser refuses such a file and does not say where (YAML
// 1.2.2, section 5.1). Files in UTF-16 are left to the parser.
func notText(data []byte) *Fault {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil
	}
	rest := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	line, column := 1, 1
	for len(rest) > 0 {
		c, width := utf8.DecodeRune(rest)
		switch {
		case c == utf8.RuneError && width == 1:
			return &Fault{line, column, fmt.Sprintf("byte %#02x is not UTF-8", rest[0]), "save the file as UTF-8"}
		case !printable(c):
			return &Fault{line, column, fmt.Sprintf("the control character %U", c), "remove it"}
		case c == '\n':
			line, column = line+1, 0
		}
		rest, column = rest[width:], column+1
	}
	return nil
}

// printable reports whether a YAML file may hold a character (YAML 1.2.2,
// section 5.1, c-printable).
func printable(c rune) bool {
	switch {
	case c == '\t', c == '\n', c == '\r', c == 0x85, c >= ' ' && c <= '~', c >= 0xa0 && c <= 0xfffd, c >= 0x10000:
		return true
	}
	return false
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
