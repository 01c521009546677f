package textfile

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name, in     string
		line, column int // 0 if it is text
		want         string
		whole        bool
	}{
		{"nothing", "", 0, 0, "", false},
		{"text", "a\tb\r\n\u6f22\u5b57\n", 0, 0, "", false},
		{"a mark", "\xef\xbb\xbfa", 0, 0, "", false},
		{"text like a magic number", "MZ BZh PK %PDF-", 0, 0, "", false},
		{"gzip", "\x1f\x8b\x08\x00", 1, 1, "compressed with gzip", true},
		{"bzip2", "BZh91AY&SY\x84", 1, 11, "compressed with bzip2", true},
		{"zstd", "\x28\xb5\x2f\xfd\x04", 1, 2, "compressed with zstd", true},
		{"ZIP", "PK\x03\x04", 1, 3, "a ZIP archive", true},
		{"PDF", "%PDF-1.4\n%\xe2\xe3", 2, 2, "a PDF document", true},
		{"a program", "\x7fELF\x02", 1, 1, "a program", true},
		{"a capture", "\xd4\xc3\xb2\xa1", 1, 1, "a packet capture", true},
		{"UTF-16", "\xff\xfea\x00", 1, 1, "text in UTF-16", true},
		{"UTF-32", "\xff\xfe\x00\x00a\x00\x00\x00", 1, 1, "text in UTF-32", true},
		{"UTF-16 without a mark", "\x00a\x00b\x00\n", 1, 1, "text in UTF-16", true},
		{"zero bytes", "ab\nc\x00d\x00", 2, 2, "contains zero bytes", true},
		{"binary", "ab\n\x80d\x00", 2, 1, "the byte 0x80 is not text: the file is binary", true},
		{"a control character", "a\n\u00fc\x1b[2J", 2, 3, "the control character U+001B", false},
		{"Latin-1", "a\n# Pr\xfcfung", 2, 5, "byte 0xfc is not UTF-8", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := []byte(tt.in)
			f := Check(data)
			if f == nil {
				if tt.line > 0 {
					t.Error("no fault")
				}
				return
			}
			if f.Line(data) != tt.line || f.Column(data) != tt.column || !strings.Contains(f.Text, tt.want) || f.Whole != tt.whole || f.Hint == "" {
				t.Errorf("%+v at %d:%d, want %q at %d:%d", f, f.Line(data), f.Column(data), tt.want, tt.line, tt.column)
			}
		})
	}
}

// FuzzCheck: what is not UTF-8 has a fault, and a fault has a place.
func FuzzCheck(f *testing.F) {
	f.Add([]byte("a\n\xff"))
	f.Add([]byte("\x00a\x00b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fault := Check(data)
		if fault == nil {
			if !utf8.Valid(data) {
				t.Error("no fault")
			}
			return
		}
		if fault.Line(data) < 1 || fault.Column(data) < 1 || fault.Text == "" || fault.Hint == "" {
			t.Errorf("%+v at %d:%d", fault, fault.Line(data), fault.Column(data))
		}
	})
}

func TestUTF8(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		"a\n":                                 "a\n",
		"\xff\xfea\x00\n\x00":                 "a\n",
		"\xfe\xff\x00a\x6f\x22":               "a\u6f22",
		"\xff\xfe\x3d\xd8\x00\xde":            "\U0001f600",
		"\xff\xfea":                           "\xff\xfea",
		"\xff\xfe":                            "",
		"\xff\xfe\x00\x00a\x00\x00\x00":       "\xff\xfe\x00\x00a\x00\x00\x00",
		"\xff\xfe\x00\xd8":                    "\ufffd",
		"\xef\xbb\xbfa: [\xff\xfe not a mark": "\xef\xbb\xbfa: [\xff\xfe not a mark",
	} {
		if got := string(UTF8([]byte(in))); got != want {
			t.Errorf("UTF8(%q) = %q, want %q", in, got, want)
		}
		if len(in)%2 != 0 {
			continue // a reader does not know how long the text is
		}
		got, err := io.ReadAll(Reader(iotest.OneByteReader(strings.NewReader(in))))
		if err != nil || string(got) != want {
			t.Errorf("Reader(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}

// TestReaderError: an error of the reader below is returned, at whatever byte it comes.
func TestReaderError(t *testing.T) {
	for n := range 8 {
		broken := io.MultiReader(strings.NewReader("\xff\xfea\x00b\x00c\x00"[:n]), iotest.ErrReader(io.ErrNoProgress))
		if got, err := io.ReadAll(Reader(broken)); err != io.ErrNoProgress {
			t.Errorf("after %d bytes: %q, %v", n, got, err)
		}
	}
}

// FuzzUTF8: what is decoded is UTF-8, and a reader decodes the same.
func FuzzUTF8(f *testing.F) {
	f.Add([]byte("\xff\xfea\x00"))
	f.Add([]byte("\xfe\xff\xd8\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := UTF8(data); string(got) != string(data) && !utf8.Valid(got) {
			t.Errorf("UTF8(%q) = %q", data, got)
		}
		read, err := io.ReadAll(Reader(bytes.NewReader(data)))
		if err != nil || len(data)%2 == 0 && string(read) != string(UTF8(data)) {
			t.Errorf("Reader(%q) = %q, %v, want %q", data, read, err, UTF8(data))
		}
	})
}
