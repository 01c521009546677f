package report

import (
	"bufio"
	"io"
	"strings"

	"github.com/rivo/uniseg"
)

// A page writes wrapped, indented, perhaps colored lines for a terminal.
type page struct {
	w     *bufio.Writer
	width int
	color bool
	lines int // written so far
}

// The least and the usual number of columns.
const (
	minWidth   = 40
	usualWidth = 80
)

func newPage(w io.Writer, o Options) *page {
	width := o.Width
	if width == 0 {
		width = usualWidth
	}
	return &page{w: bufio.NewWriter(w), width: max(width, minWidth), color: o.Color}
}

// The colors, as SGR parameters (ECMA-48, Section 8.3.117). Each goes with a
// word that says the same.
const (
	bold    = "1"
	dim     = "2"
	red     = "31"
	green   = "32"
	yellow  = "33"
	cyan    = "36"
	boldRed = "1;31"
	onRed   = "1;97;41"
	onGreen = "1;97;42"
	onAmber = "1;30;43"
)

// paint colors s, if there is color.
func (p *page) paint(sgr, s string) string {
	if !p.color || s == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

func (p *page) blank() { p.line("") }

// line writes one line as it is.
func (p *page) line(s string) {
	p.w.WriteString(strings.TrimRight(s, " "))
	p.w.WriteByte('\n')
	p.lines++
}

// para writes text behind lead, wrapped, further lines indented by hang
// columns. lead may be colored; leadWidth is what it takes on the screen.
func (p *page) para(lead string, leadWidth, hang int, text string) {
	first := p.width - leadWidth
	rest := p.width - hang
	lines := wrap(text, first, rest)
	for i, l := range lines {
		if i == 0 {
			p.line(lead + l)
			continue
		}
		if rest, ok := strings.CutPrefix(l, "::"); ok && (command(l, 0) || strings.HasPrefix(rest, ":")) {
			// There was nowhere else to break, and a CI system reads a
			// command at the start of a line, blanks or not.
			l = `:\x3a` + rest
		}
		p.line(strings.Repeat(" ", hang) + l)
	}
}

// labeled writes "label  text" with the text in a column of its own.
func (p *page) labeled(indent int, label, text string) {
	pad := strings.Repeat(" ", indent)
	hang := indent + len(label) + 2
	p.para(pad+p.paint(dim, label)+"  ", hang, hang, text)
}

// width is the number of columns that s takes.
func width(s string) int { return uniseg.StringWidth(s) }

// padTo fills s with blanks up to n columns.
func padTo(s string, n int) string {
	if w := width(s); w < n {
		return s + strings.Repeat(" ", n-w)
	}
	return s
}

// wrap breaks text at blanks into lines of at most first, then rest columns.
// A word that is longer is broken where it must, but not before a colon,
// which could make a command of what follows.
func wrap(text string, first, rest int) []string {
	var lines []string
	limit := max(first, 8)
	rest = max(rest, 8)
	var cur strings.Builder
	used := 0
	flush := func() {
		lines = append(lines, cur.String())
		cur.Reset()
		used, limit = 0, rest
	}
	for word := range strings.FieldsSeq(text) {
		w := width(word)
		if used > 0 && used+1+w > limit {
			flush()
		}
		for w > limit && used == 0 {
			head := breakWord(word, limit)
			cur.WriteString(word[:head])
			flush()
			word = word[head:]
			w = width(word)
		}
		if used > 0 {
			cur.WriteByte(' ')
			used++
		}
		cur.WriteString(word)
		used += w
	}
	if cur.Len() > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// breakWord is where to break a word so that its head takes at most limit
// columns; never 0.
func breakWord(word string, limit int) int {
	state, used, at := -1, 0, 0
	rest := word
	for rest != "" {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+w > limit && at > 0 {
			break
		}
		used += w
		at += len(cluster)
	}
	for _, after := range []string{",;/=", ""} {
		for back := at; back > at/2; back-- {
			if mayBreak(word, back, after) {
				return back
			}
		}
	}
	return at
}

// mayBreak reports whether a line may end behind word[:i]: behind one of the
// characters of after, if there are any, and never before a colon.
func mayBreak(word string, i int, after string) bool {
	if word[i-1] >= 0x80 || i < len(word) && (word[i] == ':' || word[i] >= 0x80) {
		return false
	}
	return after == "" || strings.IndexByte(after, word[i-1]) >= 0
}

// plural is "1 port" or "2 ports".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if strings.HasSuffix(one, "s") {
		return itoa(n) + " " + one + "es"
	}
	return itoa(n) + " " + one + "s"
}
