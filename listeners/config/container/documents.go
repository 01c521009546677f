package container

import (
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// A document is one of those that a file of YAML has.
type document struct {
	text string
	at   int // the offset in the file
	line int // how many lines are before it
}

// documents returns the documents of a file, each with the line "---" before it. YAML has no
// such line inside of a document (YAML 1.2.2, section 9.1.2).
func documents(f *source.File) []document {
	var list []document
	from, fromLine, line := 0, 0, 0
	content := false // not only directives, comments and blank lines
	for at, text := range f.Lines() {
		marker := text == "---" || strings.HasPrefix(text, "--- ") || strings.HasPrefix(text, "---\t")
		if marker && content {
			list = append(list, document{f.Text[from:at], from, fromLine})
			from, fromLine, content = at, line, false
		}
		if rest := strings.TrimSpace(strings.TrimPrefix(text, "---")); rest != "" && rest[0] != '#' && rest[0] != '%' {
			content = true
		}
		line++
	}
	if content {
		list = append(list, document{f.Text[from:], from, fromLine})
	}
	return list
}

// decode calls object with each node of the document, with the lines that it has in the file.
func (d document) decode(object func(*yaml.Node)) error {
	for decoder := yaml.NewDecoder(strings.NewReader(d.text)); ; {
		var doc yaml.Node
		switch err := decoder.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		d.shift(&doc)
		for _, n := range doc.Content {
			object(n)
		}
	}
}

// shift adds the lines before the document to the places of its nodes.
func (d document) shift(n *yaml.Node) {
	n.Line += d.line
	for _, c := range n.Content { // aliases have no content
		d.shift(c)
	}
}
