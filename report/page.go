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
	for _, may := range []func(string, int) bool{endsEscapedLine, endsPart, mayBreak} {
		for back := at; back > at/2; back-- {
			if mayBreak(word, back) && may(word, back) {
				return back
			}
		}
	}
	return at
}

// mayBreak reports whether a line may end behind word[:i]: within no escape, and
// never before a colon.
func mayBreak(word string, i int) bool {
	return word[i-1] < 0x80 && (i == len(word) || word[i] != ':' && word[i] < 0x80) && !splitsEscape(word, i)
}

// endsPart reports whether word[:i] ends with what parts a list, a path or an
// option.
func endsPart(word string, i int) bool { return strings.IndexByte(",;/=", word[i-1]) >= 0 }

// endsEscapedLine reports whether word[:i] ends with the \n of a line that is
// written as escapes.
func endsEscapedLine(word string, i int) bool {
	return i < len(word) && strings.HasSuffix(word[:i], `\n`) && !splitsEscape(word, i-2)
}

// splitsEscape reports whether word[:i] ends within an escape like \n or \x1b, as
// [Sanitise] and strconv write them.
func splitsEscape(word string, i int) bool {
	for at := 0; at < i; at++ {
		if word[at] != '\\' || at+1 == len(word) {
			continue
		}
		switch word[at+1] {
		case 'x':
			at += 3
		case 'u':
			at += 5
		case 'U':
			at += 9
		default:
			at++
		}
		if at >= i {
			return true
		}
	}
	return false
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
