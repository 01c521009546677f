package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// isTerminal reports whether w is a terminal that supports escape sequences.
func (s *session) isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && s.env("TERM") != "dumb"
}

// color reports whether text written to w should be colored. A non-empty NO_COLOR
// turns auto off (no-color.org).
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

// width returns the number of columns for text written to w: those of the
// terminal, otherwise COLUMNS, otherwise 0, which lets the writer decide.
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
