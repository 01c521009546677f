package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

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

// A choice is a flag that takes one of a few words. It implements pflag.Value.
type choice struct {
	value string
	words []string
}

// newChoice is a choice whose default is the first word.
func newChoice(words ...string) *choice { return &choice{words[0], words} }

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.words, "|") }

func (c *choice) Set(word string) error {
	if !slices.Contains(c.words, word) {
		return fmt.Errorf("not one of %s", strings.Join(c.words, ", "))
	}
	c.value = word
	return nil
}

// The words of --color and --progress.
const (
	auto   = "auto"
	always = "always"
	never  = "never"
)
