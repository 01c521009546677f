// Package textfile reads text files: UTF-8, or UTF-16 with a byte order mark. It detects
// what a file is that should be text but is not.
package textfile

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// A Fault is the first byte of a file that is not UTF-8 text.
type Fault struct {
	Offset int    // of the byte
	Text   string // what is wrong: "the file is compressed with gzip"
	Hint   string // what to do about it

	// Whole is set if the whole file is something else, so that no further errors
	// in it are worth reporting.
	Whole bool
}

// Line returns the line of the byte in data, from 1.
func (f *Fault) Line(data []byte) int { return bytes.Count(data[:f.Offset], []byte("\n")) + 1 }

// Column returns the column of the byte in data, from 1, in bytes.
func (f *Fault) Column(data []byte) int {
	return f.Offset - bytes.LastIndexByte(data[:f.Offset], '\n')
}

// Check returns the first fault of a file; nil if it is text. data is the file or
// its beginning.
func Check(data []byte) *Fault {
	at := firstBad(data)
	if at < 0 {
		return nil
	}
	if is, hint := identify(data); is != "" {
		return &Fault{at, is, hint, true}
	}
	c, width := utf8.DecodeRune(data[at:])
	switch {
	case c == 0:
		return &Fault{at, "the file contains zero bytes: it is binary, not text", "name a text file", true}
	case c != utf8.RuneError || width > 1:
		return &Fault{at, fmt.Sprintf("the control character %U", c), "remove it", false}
	case bytes.IndexByte(data, 0) >= 0:
		return &Fault{at, fmt.Sprintf("the byte %#02x is not text: the file is binary", data[at]), "name a text file", true}
	}
	return &Fault{at, fmt.Sprintf("byte %#02x is not UTF-8", data[at]),
		"save the file as UTF-8; it seems to have another encoding, such as ISO 8859-1 or Windows-1252", false}
}

// firstBad returns the offset of the first byte that is not text, -1 if there is
// none. Text characters are those of YAML 1.2.2, section 5.1, c-printable.
func firstBad(data []byte) int {
	for at := 0; at < len(data); {
		c, width := utf8.DecodeRune(data[at:])
		if c == utf8.RuneError && width == 1 || !isText(c) {
			return at
		}
		at += width
	}
	return -1
}

// isText reports whether a text may contain a character.
func isText(c rune) bool {
	switch {
	case c == '\t', c == '\n', c == '\r', c == 0x85, c >= ' ' && c <= '~', c >= 0xa0 && c <= 0xfffd, c >= 0x10000:
		return true
	}
	return false
}

// kinds are types of files that users give by mistake, by their first bytes.
var kinds = []struct{ begin, is, hint string }{
	{"\xff\xfe\x00\x00", "the file is text in UTF-32", asUTF8},
	{"\x00\x00\xfe\xff", "the file is text in UTF-32", asUTF8},
	{"\xff\xfe", "the file is text in UTF-16", asUTF8},
	{"\xfe\xff", "the file is text in UTF-16", asUTF8},
	{"\x1f\x8b", "the file is compressed with gzip", "decompress it first, with gunzip"},
	{"BZh", "the file is compressed with bzip2", "decompress it first, with bunzip2"},
	{"\xfd7zXZ\x00", "the file is compressed with xz", "decompress it first, with unxz"},
	{"\x28\xb5\x2f\xfd", "the file is compressed with zstd", "decompress it first, with unzstd"},
	{"PK\x03\x04", "the file is a ZIP archive or an office document", "extract or export the text first"},
	{"%PDF-", "the file is a PDF document", "name a text file"},
	{"\x89PNG", "the file is an image", "name a text file"},
	{"\xff\xd8\xff", "the file is an image", "name a text file"},
	{"SQLite format 3\x00", "the file is an SQLite database", "name a text file"},
	{"\x7fELF", "the file is a program", "name a text file"},
	{"MZ", "the file is a program", "name a text file"},
	{"\xcf\xfa\xed\xfe", "the file is a program", "name a text file"},
	{"\xd4\xc3\xb2\xa1", "the file is a packet capture", "name a text file"},
	{"\xa1\xb2\xc3\xd4", "the file is a packet capture", "name a text file"},
	{"\x0a\x0d\x0d\x0a", "the file is a packet capture", "name a text file"},
}

// asUTF8 names the two ways in which Windows writes most such files.
const asUTF8 = `save the file as UTF-8: in Notepad with "Save as", in PowerShell with "| Out-File -Encoding utf8 FILE" in place of "> FILE"`

// identify returns what a file that is not text is, and a hint; "" if that is not
// known.
func identify(data []byte) (is, hint string) {
	for _, k := range kinds {
		if bytes.HasPrefix(data, []byte(k.begin)) {
			return k.is, k.hint
		}
	}
	if withoutMark(data) {
		return "the file is text in UTF-16", asUTF8
	}
	return "", ""
}

// withoutMark reports whether a file looks like ASCII text in UTF-16 without a
// byte order mark: exactly every other byte is 0.
func withoutMark(data []byte) bool {
	data = data[:min(len(data), 64)&^1]
	var zero [2]int
	for i, b := range data {
		if b == 0 {
			zero[i%2]++
		}
	}
	half := len(data) / 2
	return half >= 2 && zero[0]+zero[1] == half && (zero[0] == half || zero[1] == half)
}
