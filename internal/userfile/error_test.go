package userfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

func TestErrorText(t *testing.T) {
	for want, e := range map[string]*Error{
		"no targets given":                     {Problem: "no targets given"},
		"f.yaml: an empty file":                {File: "f.yaml", Problem: "an empty file"},
		"f.txt:3: more than 16 MiB":            {File: "f.txt", Line: 3, Problem: "more than 16 MiB"},
		`f.txt:3:7: "0": port 0 is reserved`:   {File: "f.txt", Line: 3, Column: 7, Text: "0", Problem: "port 0 is reserved"},
		"f.txt:1:1: cannot read: no such file": {File: "f.txt", Line: 1, Column: 1, Problem: "cannot read", Err: errors.New("no such file")},
	} {
		if e.Error() != want {
			t.Errorf("got %q, want %q", e.Error(), want)
		}
	}
}

// TestExcerpt checks that the mark is under the column, whatever the line
// contains.
func TestExcerpt(t *testing.T) {
	for _, tt := range []struct {
		name, source string
		line, column int
		want         string
	}{
		{"no line", "", 3, 1, ""},
		{"not at a place", "a", 0, 1, ""},
		{"plain", "a b", 3, 3, "    3 | a b\n      |   ^"},
		{"the whole line", "a", 1, 0, "    1 | a\n      | ^"},
		{"behind the end", "a", 1, 9, "    1 | a\n      |  ^"},
		{"a tab and a letter of two bytes", "\tä b", 12, 5, "   12 |  ä b\n      |    ^"},
		{"wide characters", "漢字: b", 1, 9, "    1 | 漢字: b\n      |       ^"},
		{"a combining mark", "e\u0301 b", 1, 5, "    1 | e\u0301 b\n      |   ^"},
		{"an escape sequence", "\x1b[2Ja b", 1, 7, "    1 | \ufffd[2Ja b\n      |       ^"},
		{"no UTF-8", "\xff\xfe b", 1, 4, "    1 | \ufffd\ufffd b\n      |    ^"},
		{"text that turns around", "\u202ea b", 1, 6, "    1 | \ufffda b\n      |    ^"},
		{"long", strings.Repeat("x", 100) + "y" + strings.Repeat("z", 100), 1, 101,
			"    1 | ..." + strings.Repeat("x", 60) + "y" + strings.Repeat("z", 59) + "...\n      | " + strings.Repeat(" ", 63) + "^"},
	} {
		e := &Error{Line: tt.line, Column: tt.column}
		e.SetSource(tt.source)
		if got := e.Excerpt(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestLongSource checks that an error keeps only the part of a very long line
// around its column.
func TestLongSource(t *testing.T) {
	line := strings.Repeat("x", 1<<20) + "y" + strings.Repeat("z", 1<<20)
	for _, column := range []int{1, 1 << 20, 1<<20 + 1, len(line), len(line) + 1} {
		e := &Error{Line: 1, Column: column}
		e.SetSource(line)
		shown, mark, _ := strings.Cut(e.Excerpt(), "\n")
		if len(e.Source) != maxSource || len(shown) > 200 {
			t.Errorf("column %d: %d bytes kept, %d shown", column, len(e.Source), len(shown))
		}
		if at := strings.Index(mark, "^"); column <= len(line) && shown[at] != line[column-1] {
			t.Errorf("column %d: the mark is under %q, not %q", column, shown[at], line[column-1])
		}
	}
}

// TestCollectorCounts checks that the first errors are listed in the order of the
// file, and the others counted.
func TestCollectorCounts(t *testing.T) {
	var c Collector
	if c.Err() != nil {
		t.Error("no mistake is an error")
	}
	for i := range 2 * MaxErrors {
		c.Add(&Error{File: "f", Line: MaxErrors - i, Problem: fmt.Sprint(i)})
	}
	list, ok := errors.AsType[Errors](c.Err())
	if !ok || len(list) != MaxErrors+1 || list[0].Problem != fmt.Sprint(MaxErrors-1) || c.Len() != 2*MaxErrors {
		t.Fatalf("got %v", c.Err())
	}
	if last := list[MaxErrors]; last.Error() != "f: and 20 more mistakes" || last.Hint == "" {
		t.Errorf("the last one is %v", last)
	}
}

// FuzzExcerpt checks that an excerpt is always two short printable lines, with
// one mark within the width of the first.
func FuzzExcerpt(f *testing.F) {
	f.Add("  - {target: 漢字, ports: 99999}", 12)
	f.Add("\x1b[2J\xff\t\u202e", 3)
	f.Fuzz(func(t *testing.T, line string, column int) {
		if strings.Contains(line, "\n") {
			return
		}
		e := &Error{Line: 1, Column: column}
		e.SetSource(line)
		text := e.Excerpt()
		if line == "" {
			return
		}
		shown, mark, ok := strings.Cut(text, "\n")
		if !ok || !utf8.ValidString(text) || strings.ContainsAny(shown+mark, "\n\r\t\x1b") || strings.Count(mark, "^") != 1 {
			t.Fatalf("%q gives %q", line, text)
		}
		if len(mark)-1 > uniseg.StringWidth(shown) || len(shown) > 4*(2*maxExcerpt+20) {
			t.Fatalf("the mark of %q is outside: %q", line, text)
		}
	})
}

// TestOneMore: the mistakes that are not told are counted, one as one.
func TestOneMore(t *testing.T) {
	var c Collector
	for range MaxErrors + 1 {
		c.Add(&Error{File: "a.yaml", Problem: "wrong"})
	}
	if err := c.Err(); !strings.HasSuffix(err.Error(), "\na.yaml: and 1 more mistake") {
		t.Error(err)
	}
}
