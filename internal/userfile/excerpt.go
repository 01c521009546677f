package userfile

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/mxsweep/mxsweep/internal/wording"
)

// maxExcerpt is how many bytes of a long line an excerpt shows on each side of the
// column, and about as many columns of a terminal.
const maxExcerpt = 60

// excerpt shows a source line with a mark under the column; line and column count
// from 1, the column in bytes. Before is how many bytes of the line stand in front
// of source. It is "" where the line is not known.
func excerpt(source string, line, column, before int) string {
	if source == "" || line == 0 {
		return ""
	}
	at := min(max(column-1, 0), len(source))
	from := max(at-maxExcerpt, 0)
	to := min(from+2*maxExcerpt, len(source))
	// Neither end cuts a character; what has more bytes is none.
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

// shownPiece makes a piece of a line safe and easy to measure: a tab would not be as
// wide in a message as what stands for it, and what does not print, or changes the
// direction of text, would hide what the line says.
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
