package userfile

import (
	"fmt"
	"strings"
)

// An Error is a mistake in something that a user wrote: a flag or a file.
type Error struct {
	// File is the file that holds the mistake, "" for the command line.
	File string

	// Line and Column count from 1, Column in bytes. A Line of 0 means that the
	// mistake is not at one place in the file, a Column of 0 that it is the whole
	// line.
	Line, Column int

	// Source is the line itself, or as much of a long one as SetSource keeps; "" if
	// it is not known.
	Source string
	before int // bytes of the line in front of Source

	// Text is the piece that is wrong, quoted in front of the problem; "" if the
	// problem names it.
	Text string

	// Problem is what is wrong: "port 0 is reserved".
	Problem string

	// Hint is what to do about it, "" if there is nothing to advise.
	Hint string

	// Err is the cause, nil if Problem says it all.
	Err error
}

// Error gives the place, the text and the problem on one line:
// file:line:column: "text": problem.
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

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorHint says how to fix it, "" if there is nothing to advise.
func (e *Error) ErrorHint() string { return e.Hint }

// Excerpt shows the source line with a mark under the column, "" where the line is
// not known.
func (e *Error) Excerpt() string { return excerpt(e.Source, e.Line, e.Column-e.before, e.before) }

// maxSource is how much of a line an Error keeps, in bytes.
const maxSource = 1 << 10

// SetSource keeps the line of the mistake; of a long one, what is around the column.
func (e *Error) SetSource(line string) {
	e.before = 0
	if len(line) > maxSource {
		e.before = min(max(e.Column-1-maxSource/2, 0), len(line)-maxSource)
		line = line[e.before : e.before+maxSource]
	}
	e.Source = strings.Clone(line)
}

// SetPart is SetSource where only a part of the line is at hand, with so many bytes
// of the line in front of it.
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
