package report

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/terminal"
	"github.com/mxsweep/mxsweep/report/words"
)

func TestText(t *testing.T) {
	tests := []struct {
		name string
		o    format.Options
	}{
		{"run.txt", format.Options{}},
		{"run-40.txt", format.Options{Width: 40}},
		{"run-120.txt", format.Options{Width: 120, Verbose: true}},
		{"run-color.txt", format.Options{Color: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := convert(t, "run.json", "text", tt.o)
			golden(t, tt.name, got)
			limit := tt.o.Width
			if limit == 0 {
				limit = terminal.UsualWidth
			}
			for line := range strings.Lines(string(got)) {
				if line = strings.TrimSuffix(line, "\n"); !tt.o.Color && words.Width(line) > limit {
					t.Errorf("%d columns: %s", words.Width(line), line)
				}
			}
		})
	}
}

// TestParaKeepsCommandsWhole checks that a long word that can only be broken
// before a colon does not start a command of a CI system on the next line.
func TestParaKeepsCommandsWhole(t *testing.T) {
	for _, fill := range []string{":", "é"} {
		for n := range 40 {
			var b bytes.Buffer
			w := bufio.NewWriter(&b)
			p := terminal.Page{W: w, Width: 20}
			p.Para("  ", 2, 4, strings.Repeat(fill, n)+"::error::x")
			w.Flush()
			for i, line := range strings.Split(b.String(), "\n") {
				if i > 0 && strings.HasPrefix(strings.TrimSpace(line), "::") {
					t.Fatalf("%d of %q: a line begins %q", n, fill, line)
				}
			}
		}
	}
}

// TestParaKeepsAddresses checks that a line may begin with an address.
func TestParaKeepsAddresses(t *testing.T) {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	p := terminal.Page{W: w, Width: 30}
	p.Para("  ", 2, 4, "a client that calls itself ::ffff:192.0.2.1 came")
	w.Flush()
	if got := b.String(); !strings.Contains(got, "\n    ::ffff:192.0.2.1 came\n") {
		t.Errorf("got %q", got)
	}
}

// TestTextSaysTheSameWithoutColor checks that the report without colors has the
// same text.
func TestTextSaysTheSameWithoutColor(t *testing.T) {
	plain := convert(t, "run.json", "text", format.Options{})
	colored := convert(t, "run.json", "text", format.Options{Color: true})
	var bare bytes.Buffer
	for i, part := range bytes.Split(colored, []byte("\x1b[")) {
		if i > 0 {
			_, part, _ = bytes.Cut(part, []byte("m"))
		}
		bare.Write(part)
	}
	if !bytes.Equal(bare.Bytes(), plain) {
		t.Error("the text differs where there is color")
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		in    string
		width int
		want  string
	}{
		{"", 10, ""},
		{"one two three", 8, "one two|three"},
		{"abcdefghijklmnop", 8, "abcdefgh|ijklmnop"},
		{"abcdefgh::error::", 8, "abcdefg|h::erro|r::"},
		{"東京東京東京", 8, "東京東京|東京"},
		{"10024-10031,10110,10143", 20, "10024-10031,10110,|10143"},
		{"a  b\n c", 20, "a b c"},
		{`250-mx.example.org\r\n250-SIZE\r\n250\x20HELP`, 28, `250-mx.example.org\r\n|250-SIZE\r\n250\x20HELP`},
		{`\x00\x00\x00\x0d`, 10, `\x00\x00|\x00\x0d`},
		{`domain\\name\nabcdef`, 10, `domain\\na|me\nabcdef`},
	}
	for _, tt := range tests {
		if got := strings.Join(words.Wrap(tt.in, tt.width, tt.width), "|"); got != tt.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", tt.in, tt.width, got, tt.want)
		}
	}
}

func TestPercentRoundsDown(t *testing.T) {
	for ratio, want := range map[float64]string{1: "100%", 0.99999: "99.9%", 0.94999: "94.9%", 0.5: "50%", 0: "0%"} {
		if got := words.Percent(ratio); got != want {
			t.Errorf("%v: got %q, want %q", ratio, got, want)
		}
	}
}
