package configured

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// FuzzHunk checks that a text with the hunk applied is the new text, and that the lines of
// a suggestion are those of the new text.
func FuzzHunk(f *testing.F) {
	f.Add("10025 inet\n", "127.0.0.1:10025 inet\n", 0, 5)
	f.Add("port = 1\n  }\n", "port = 1\n  address = x\n  }\n", 7, 8)
	f.Add("a\r\nä 𝄞", "a\r\nä 𝄞\nb\n", 3, 5)
	f.Add("aaa", "aaaa", 1, 2)
	f.Add("a", "a\n", 0, 5)
	f.Add("a = b\n  c\n", "a = b\n", 4, 5)
	f.Fuzz(func(t *testing.T, old, text string, from, to int) {
		if !utf8.ValidString(old) || !utf8.ValidString(text) || old == text {
			return
		}
		file := source.NewFile("x", "x", old)
		at := file.Anchor(from, to)
		e := hunk(file, text, &at)
		if e == nil {
			return
		}
		want := text
		if !strings.HasSuffix(old, "\n") {
			want = strings.TrimSuffix(want, "\n")
		}
		start, end := place(old, e.StartLine, e.StartColumn), place(old, e.EndLine, e.EndColumn)
		if start > end || old[start:end] != e.Old || old[:start]+e.Text+old[end:] != want {
			t.Fatalf("%q to %q: %+v", old, text, e)
		}
		if !strings.Contains("\n"+want+"\n", "\n"+e.Lines+"\n") && !strings.Contains("\n"+want, "\n"+e.Lines+"\r") {
			t.Errorf("%q to %q: lines %q", old, text, e.Lines)
		}
	})
}

// FuzzNarrowed checks that what remains of a value has none of the entries that must go.
func FuzzNarrowed(f *testing.F) {
	f.Add("127.0.0.0/8 10.0.0.0/8, 0.0.0.0/0", "0.0.0.0/0", "127.0.0.0/8")
	f.Add("\"MYNETWORKS=0.0.0.0/0\"", "0.0.0.0/0", "")
	f.Add("secure_ip=::/0;", "::/0", "::1")
	f.Fuzz(func(t *testing.T, value, entry, instead string) {
		got, ok := narrowed(value, []string{entry}, instead)
		if !ok {
			return
		}
		if !strings.Contains(value, entry) {
			t.Errorf("%q without %q is %q", value, entry, got)
		}
		if again, ok := narrowed(got, []string{entry}, instead); ok && again != got && !strings.Contains(instead, entry) {
			t.Errorf("%q without %q is %q, then %q", value, entry, got, again)
		}
	})
}

// An edit has whole words, whichever line the token of the port is on.
func TestEditsHaveWholeWords(t *testing.T) {
	for _, tt := range []struct{ old, text, was, now string }{
		{"  port = 24\n  address = 10.0.0.1, 0.0.0.0 # x\n", "  port = 24\n  address = 10.0.0.1, 127.0.0.1 # x\n", "0.0.0.0", "127.0.0.1"},
		{"port = 24\nlisten = 0.0.0.0 ::\n", "port = 24\nlisten = 127.0.0.1 ::1\n", "0.0.0.0 ::", "127.0.0.1 ::1"},
		{"# 24\nlisten 10143; listen [::]:10143;\n", "# 24\nlisten 127.0.0.1:10143; listen [::1]:10143;\n", "10143; listen [::]:10143", "127.0.0.1:10143; listen [::1]:10143"},
		{"# 24\na [::]:24 b\n", "# 24\na [::1]:24 b\n", "[::]:24", "[::1]:24"},
		{"a: {published: \"24\"}\n", "a: {published: \"24\", host_ip: 127.0.0.1}\n", "\"24\"", "\"24\", host_ip: 127.0.0.1"},
	} {
		file := source.NewFile("x", "x", tt.old)
		at := strings.Index(tt.old, "24")
		token := file.Anchor(max(at, 0), max(at, 0)+2)
		if strings.HasPrefix(tt.old, "a: {") {
			token = file.Anchor(at, at+3)
		}
		e := hunk(file, tt.text, &token)
		if e == nil || e.Old != tt.was || e.Text != tt.now {
			t.Errorf("%q: %+v", tt.old, e)
		}
	}
}

// place returns the offset of a line and a column of UTF-16 code units.
func place(text string, line, column int) int {
	at := 0
	for range line - 1 {
		at += strings.IndexByte(text[at:], '\n') + 1
	}
	units := 1
	for i, c := range text[at:] {
		if units >= column {
			return at + i
		}
		units++
		if c > 0xffff {
			units++
		}
	}
	return len(text)
}
