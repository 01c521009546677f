package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// picturedLines is how many lines of the demo's report the picture in the README
// shows.
const picturedLines = 37

// TestPictureShowsWhatTheDemoPrints checks that the picture of a terminal at the
// top of the README is current. With -update it is drawn again.
func TestPictureShowsWhatTheDemoPrints(t *testing.T) {
	// The time of the run would change the picture each time.
	lines := strings.Split(unstamped(demoReport(t)), "\n")
	want := drawTerminal("mxsweep demo", lines[:min(picturedLines, len(lines))])
	file := filepath.Join(root, "docs", "images", "demo.svg")
	got, err := os.ReadFile(file)
	if err == nil && bytes.Equal(got, want) {
		return
	}
	if !*update {
		t.Fatalf("%s shows another run (%v); go test ./cmd/mxsweep -run Picture -update draws it again", file, err)
	}
	if err := os.WriteFile(file, want, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDrawTerminal(t *testing.T) {
	svg := drawTerminal("true", []string{"\x1b[1;97;41mFAIL\x1b[0m  <&> é", ""})
	for _, want := range []string{
		`<rect x="16" y="67" width="34" height="18" class="red"/>`,
		`<text x="16" y="81" textLength="34" class="on">FAIL</text>`,
		`<text x="66" y="81" textLength="42">&lt;&amp;&gt; é</text>`,
		`<text x="33" y="63" textLength="34">true</text>`,
	} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("no %s in\n%s", want, svg)
		}
	}
	if err := xml.Unmarshal(svg, new(struct{})); err != nil {
		t.Errorf("not XML: %v", err)
	}
}

// The dimensions of a picture, in pixels. Each piece of text is stretched to its
// columns, so that columns align with any font.
const (
	cellWidth  = 8.4
	cellHeight = 18
	margin     = 16
	titleBar   = 26
)

const pictureHead = `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img">
<title>What %[3]s prints</title>
<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d6dbe1; white-space: pre; }
.on { fill: #fff; font-weight: bold; } .bold { fill: #fff; font-weight: bold; } .dim { fill: #8b949e; }
.high { fill: #ff7b72; font-weight: bold; } .medium { fill: #e3b341; } .low { fill: #56d4dd; }
.red { fill: #b62324; } .green { fill: #1a7f37; } .amber { fill: #9a6700; }
</style>
<rect width="%[1]d" height="%[2]d" rx="8" fill="#0d1117"/>
<circle cx="20" cy="17" r="5" fill="#ff5f57"/><circle cx="38" cy="17" r="5" fill="#febc2e"/><circle cx="56" cy="17" r="5" fill="#28c840"/>
`

// drawTerminal draws a terminal of 80 columns as SVG: a command and its output,
// with colors.
func drawTerminal(command string, lines []string) []byte {
	var b bytes.Buffer
	height := titleBar + 2*margin + (len(lines)+1)*cellHeight
	fmt.Fprintf(&b, pictureHead, pixels(80)+2*margin, height, command)
	drawLine(&b, 0, "\x1b[2m$\x1b[0m "+command)
	for i, line := range lines {
		drawLine(&b, i+1, line)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func pixels(columns int) int { return int(cellWidth*float64(columns) + 0.5) }

// painted is a piece of text with the color that its escape sequence sets.
var painted = regexp.MustCompile(`(?:\x1b\[([0-9;]*)m)?([^\x1b]*)`)

// styles are the classes of the text, and of its background, for each color of
// the report.
var styles = map[string][2]string{
	"1": {"bold"}, "2": {"dim"}, "1;31": {"high"}, "33": {"medium"}, "36": {"low"},
	"1;97;41": {"on", "red"}, "1;97;42": {"on", "green"}, "1;30;43": {"on", "amber"},
}

// drawLine draws one line, one element for each color in it.
func drawLine(b *bytes.Buffer, row int, line string) {
	top := titleBar + margin + row*cellHeight
	column := 0
	for _, m := range painted.FindAllStringSubmatch(line, -1) {
		style, text := styles[m[1]], m[2]
		at := column
		column += utf8.RuneCountInString(text)
		at += utf8.RuneCountInString(text) - utf8.RuneCountInString(strings.TrimLeft(text, " "))
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		x, width := margin+pixels(at), pixels(utf8.RuneCountInString(text))
		if style[1] != "" {
			fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"/>\n", x, top+7, width, cellHeight, style[1])
		}
		class := ""
		if style[0] != "" {
			class = fmt.Sprintf(" class=%q", style[0])
		}
		fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" textLength=\"%d\"%s>", x, top+cellHeight+3, width, class)
		xml.EscapeText(b, []byte(text))
		b.WriteString("</text>\n")
	}
}
