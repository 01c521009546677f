package scope

import (
	"strings"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// An InputError is a mistake in what the user wrote: a target, a scope line, a
// port. It says where it stands and what would be right.
type InputError = userfile.Error

// locate says where an entry stands that is wrong, down to the piece of it that is.
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
