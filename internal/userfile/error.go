package userfile

import (
	"fmt"
	"strings"
)

// An Error is a mistake in the user's input: a flag or a file.
type Error struct {
	// File is the file with the mistake, "" for the command line.
	File string

	// Line and Column count from 1, Column in bytes. A Line of 0 means the whole
	// file, a Column of 0 the whole line.
	Line, Column int

	// Source is the line, or as much of a long one as SetSource keeps; "" if it
	// is not known.
	Source string
	before int // number of bytes of the line before Source

	// Text is the part that is wrong, quoted before the problem; "" if the
	// problem contains it.
	Text string

	// Problem describes the mistake: "port 0 is reserved".
	Problem string

	// Hint says what to do about it, "" if there is no hint.
	Hint string

	// Err is the cause, nil if Problem says everything.
	Err error
}

// Error returns position, text and problem on one line: file:line:column: "text":
// problem.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		if e.Line > 0 && e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
		b.WriteString(": ")
	}
	if e.Text != "" {
		fmt.Fprintf(&b, "%q: ", clip(e.Text))
	}
	b.WriteString(e.Problem)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorHint returns the hint, "" if there is none.
func (e *Error) ErrorHint() string { return e.Hint }

// Excerpt returns the source line with a mark under the column, "" if the line is
// not known.
func (e *Error) Excerpt() string { return excerpt(e.Source, e.Line, e.Column-e.before, e.before) }

// maxSource is how much of a line an Error keeps, in bytes.
const maxSource = 1 << 10

// SetSource sets Source to the line; of a long one it keeps the part around the
// column.
func (e *Error) SetSource(line string) {
	e.before = 0
	if len(line) > maxSource {
		e.before = min(max(e.Column-1-maxSource/2, 0), len(line)-maxSource)
		line = line[e.before : e.before+maxSource]
	}
	e.Source = strings.Clone(line)
}

// SetPart is SetSource for a part of a line; before is the number of bytes of the
// line before it.
func (e *Error) SetPart(part string, before int) {
	e.Column -= before
	e.SetSource(part)
	e.Column += before
	e.before += before
}

// clip shortens user input for a message: a line may be thousands of bytes.
func clip(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "..."
}
