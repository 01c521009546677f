package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// isTerminal reports whether w is a terminal that understands escape sequences.
func (s *session) isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && s.env("TERM") != "dumb"
}

// color reports whether text written to w is to be colored. NO_COLOR, if not
// empty, turns auto off (no-color.org).
func (s *session) color(mode string, w io.Writer) bool {
	switch mode {
	case always:
		return true
	case never:
		return false
	default:
		return s.env("NO_COLOR") == "" && s.isTerminal(w)
	}
}

// width is how many columns text written to w may take: those of the terminal,
// else COLUMNS, else 0, which means that the writer decides.
func (s *session) width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	if columns, err := strconv.Atoi(s.env("COLUMNS")); err == nil && columns > 0 {
		return columns
	}
	return 0
}
