package terminal

import (
	"bufio"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/report/words"
)

// A Page writes wrapped, indented and, if wanted, colored lines for a terminal.
type Page struct {
	W     *bufio.Writer
	Width int
	color bool
	lines int // written so far
}

// The minimum and the default number of columns.
const (
	minWidth   = 40
	UsualWidth = 80
)

func newPage(w io.Writer, o format.Options) *Page {
	width := o.Width
	if width == 0 {
		width = UsualWidth
	}
	return &Page{W: bufio.NewWriter(w), Width: max(width, minWidth), color: o.Color}
}

// The colors, as SGR parameters (ECMA-48, Section 8.3.117). Each is used with a
// word of the same meaning.
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

// paint colors s, if colors are on.
func (p *Page) paint(sgr, s string) string {
	if !p.color || s == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

func (p *Page) blank() { p.line("") }

// line writes one line without wrapping.
func (p *Page) line(s string) {
	p.W.WriteString(strings.TrimRight(s, " "))
	p.W.WriteByte('\n')
	p.lines++
}

// Para writes lead followed by wrapped text; further lines are indented by hang
// columns. lead may contain colors; leadWidth is its width in columns.
func (p *Page) Para(lead string, leadWidth, hang int, text string) {
	first := p.Width - leadWidth
	rest := p.Width - hang
	lines := words.Wrap(text, first, rest)
	for i, l := range lines {
		if i == 0 {
			p.line(lead + l)
			continue
		}
		if rest, ok := strings.CutPrefix(l, "::"); ok && (sanitize.IsCommand(l, 0) || strings.HasPrefix(rest, ":")) {
			// There was no other place to break, and a CI system reads a command
			// at the start of a line, even after white space.
			l = `:\x3a` + rest
		}
		p.line(strings.Repeat(" ", hang) + l)
	}
}

// labeled writes "label  text", with the text in a second column.
func (p *Page) labeled(indent int, label, text string) {
	pad := strings.Repeat(" ", indent)
	hang := indent + len(label) + 2
	p.Para(pad+p.paint(dim, label)+"  ", hang, hang, text)
}
