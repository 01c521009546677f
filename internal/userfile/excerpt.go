package userfile

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/mxsweep/mxsweep/internal/wording"
)

// maxExcerpt is how much of a long line an excerpt shows on each side of the
// column, in bytes, which is about the same in columns of a terminal.
const maxExcerpt = 60

// excerpt returns a source line with a mark under the column. line and column
// count from 1, column in bytes; before is the number of bytes of the line before
// source. It returns "" if the line is not known.
func excerpt(source string, line, column, before int) string {
	if source == "" || line == 0 {
		return ""
	}
	at := min(max(column-1, 0), len(source))
	from := max(at-maxExcerpt, 0)
	to := min(from+2*maxExcerpt, len(source))
	// Neither end splits a character; longer sequences are not UTF-8.
	for i := 1; i < utf8.UTFMax && from > 0 && !utf8.RuneStart(source[from]); i++ {
		from--
	}
	for i := 1; i < utf8.UTFMax && to < len(source) && !utf8.RuneStart(source[to]); i++ {
		to++
	}
	head, tail := shownPiece(source[from:at]), shownPiece(source[at:to])
	if from > 0 || before > 0 {
		head = "..." + head
	}
	if to < len(source) {
		tail += "..."
	}
	return fmt.Sprintf("%5d | %s%s\n      | %s^", line, head, tail, strings.Repeat(" ", uniseg.StringWidth(head)))
}

// shownPiece makes a part of a line safe to show and easy to measure: it replaces
// tabs, whose width varies, and escapes characters that are not printable or
// change the direction of text, because they would hide what the line contains.
func shownPiece(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case wording.Printable(r, size):
			b.WriteString(text[i : i+size])
		default:
			b.WriteRune(utf8.RuneError)
		}
		i += size
	}
	return b.String()
}
