package wording

import (
	"strconv"
	"unicode/utf8"
)

// Printable reports whether a rune of n bytes is visible and looks like what it
// is. Go's IsPrint excludes control, format (bidirectional and zero-width),
// private and unassigned characters and all spaces except U+0020.
func Printable(r rune, n int) bool {
	if r == utf8.RuneError && n == 1 || !strconv.IsPrint(r) {
		return false
	}
	switch {
	case r == 0x034f, // combining grapheme joiner
		r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, // Hangul fillers
		r == 0x17b4, r == 0x17b5, // Khmer inherent vowels
		r == 0x2800,                  // Braille blank
		r >= 0xfe00 && r <= 0xfe0f,   // variation selectors
		r >= 0xe0100 && r <= 0xe01ef: // and their supplement
		return false
	}
	return true
}
