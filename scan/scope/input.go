package scope

import (
	"strings"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// An InputError is an error in what the user wrote: a target, a scope line, a port. It
// has its position and a hint.
type InputError = userfile.Error

// locate sets the position of a wrong entry, and of the part of it that is wrong.
func locate(e *InputError, at result.Anchor) {
	e.File, e.Line = at.File, at.Line
	if at.EndColumn == 0 {
		return
	}
	start := at.EndColumn - len(at.Text)
	e.Column = start + max(strings.LastIndex(at.Text, e.Text), 0)
	if e.Source == "" {
		e.SetSource(strings.Repeat(" ", max(start-1, 0)) + at.Text)
	}
}
