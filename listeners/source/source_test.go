package source

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"
	"unicode/utf8"
)

func TestAnchor(t *testing.T) {
	f := NewFile("a", "etc/a", "one\r\n\u00e9\U0001f600x two\n")
	for _, tt := range []struct {
		start, end            int
		line, column, through int
		text                  string
	}{
		{0, 3, 1, 1, 4, "one"},
		{0, 99, 1, 1, 4, "one"},
		{5, 7, 2, 1, 2, "\u00e9\U0001f600x two"},
		{11, 12, 2, 4, 5, "\u00e9\U0001f600x two"}, // the emoji has two code units
		{99, 120, 2, 9, 9, "\u00e9\U0001f600x two"},
	} {
		a := f.Anchor(tt.start, tt.end)
		if a.File != "etc/a" || a.Line != tt.line || a.Column != tt.column || a.EndColumn != tt.through || a.Text != tt.text {
			t.Errorf("bytes %d to %d: got %+v, want %+v", tt.start, tt.end, a, tt)
		}
	}
	if a := NewFile("", "", "").Anchor(0, 0); a.Line != 1 || a.Column != 1 {
		t.Errorf("empty file: %+v", a)
	}
}

func FuzzAnchor(f *testing.F) {
	f.Add("a\nb\r\n\xff", 3, 9)
	f.Fuzz(func(t *testing.T, text string, start, end int) {
		a := NewFile("a", "a", text).Anchor(start, end)
		if a.Line < 1 || a.Column < 1 || a.EndColumn < a.Column || strings.Contains(a.Text, "\n") {
			t.Errorf("%q from %d to %d: %+v", text, start, end, a)
		}
		text = strings.Repeat("\u00e9", blockSize) + text + strings.Repeat("\u00e9", blockSize) // in several blocks
		file := NewFile("a", "a", text)
		start = min(max(start, 0), len(text))
		line := strings.LastIndexByte(text[:start], '\n') + 1
		rest, _, _ := strings.Cut(text[line:], "\n")
		before := rest[:min(start-line, len(strings.TrimSuffix(rest, "\r")))]
		a = file.Anchor(start, start)
		if want := 1 + len(utf16.Encode([]rune(before))); a.Column != want {
			t.Errorf("%q: column %d of %d, want %d", text, a.Column, start, want)
		}
		if at := file.Offset(a.Line, 1+utf8.RuneCountInString(before)); at != line+len(before) && utf8.ValidString(before) {
			t.Errorf("%q: offset %d, want %d", text, at, start)
		}
	})
}

// TestLongLine places as many words in a long line as it has. A failure is a test that
// hangs.
func TestLongLine(t *testing.T) {
	for _, word := range []string{"a ", "\u00e9 "} {
		text := strings.Repeat(word, 1<<17)
		f := NewFile("a", "a", text)
		for at := 0; at < len(text); at += len(word) {
			a := f.Anchor(at, at+len(word)-1)
			if want := 1 + 2*at/len(word); a.Column != want || a.EndColumn != want+1 || len(a.Text) > maxText {
				t.Fatalf("offset %d: columns %d to %d, a text of %d bytes", at, a.Column, a.EndColumn, len(a.Text))
			}
			if got := f.Offset(1, a.Column); got != at {
				t.Fatalf("offset %d instead of %d", got, at)
			}
		}
	}
}

// TestSecrets holds that no anchor shows a secret.
func TestSecrets(t *testing.T) {
	a := NewFile("a", "a", "x\nproxy_pass http://u:p@10.0.0.1:25;\n").Anchor(24, 32)
	if a.Text != "proxy_pass http://***@10.0.0.1:25;" || a.Column != 23 {
		t.Errorf("%+v", a)
	}
}

func TestTree(t *testing.T) {
	tree := Tree{MaxSize: 8, MaxFiles: 2, FS: fstest.MapFS{
		"image/etc/mail/a.conf":     {Data: []byte("a")},
		"image/etc/mail/d/b.conf":   {Data: []byte("b")},
		"image/etc/mail/d/c.conf":   {Data: []byte("c")},
		"image/etc/mail/large":      {Data: []byte("123456789")},
		"image/etc/mail/compressed": {Data: []byte("\x1f\x8b\x08")},
	}}
	const from = "image/etc/mail/a.conf"
	for pattern, want := range map[string][]string{
		"d/*.conf":           {"image/etc/mail/d/b.conf", "image/etc/mail/d/c.conf"},
		"/etc/mail/d/b.conf": {"image/etc/mail/d/b.conf"},
		"/etc/mail/none":     nil,
		"../../../../x":      nil,
		"[":                  nil,
	} {
		if got := tree.Find(from, pattern); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
	for _, name := range []string{"image/etc/mail/large", "image/etc/mail/compressed", "image/etc/mail"} {
		if f, err := tree.Read(name); err == nil {
			t.Errorf("%s: read as %q", name, f.Text)
		}
	}
	if head := tree.Head("image/etc/mail/large"); head != "123456789" {
		t.Errorf("head %q", head)
	}
	if text := tree.Look("image/etc/mail/large"); text != "123456789" {
		t.Errorf("what is too large looks like %q", text)
	}
	for _, name := range []string{from, "image/etc/mail/d/b.conf", from} {
		if _, err := tree.Read(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := tree.Read("image/etc/mail/d/c.conf"); !errors.Is(err, ErrTooMany) {
		t.Errorf("a third file: %v", err)
	}
	if got := tree.Files(); !slices.Equal(got, []string{from, "image/etc/mail/d/b.conf"}) {
		t.Errorf("files %q", got)
	}
}
