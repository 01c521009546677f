package textfile

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
)

// UTF8 returns a text in UTF-8 that may be in UTF-16 with a byte order mark, as some
// editors and shells of Windows write it. Any other data is returned as it is.
func UTF8(data []byte) []byte {
	if len(data)%2 != 0 || !hasMark(data) {
		return data
	}
	text, err := marked.NewDecoder().Bytes(data)
	if err != nil {
		return data
	}
	return text
}

// Reader returns a reader of r that returns what [UTF8] does. It reads the first four
// bytes of r at once.
func Reader(r io.Reader) io.Reader {
	buffered := bufio.NewReader(r)
	head, _ := buffered.Peek(4) // an error comes again when the text is read
	if !hasMark(head) {
		return buffered
	}
	return marked.NewDecoder().Reader(buffered)
}

// marked is UTF-16 of the byte order that its mark shows (RFC 2781, section 3.2).
var marked = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)

// hasMark reports whether a text begins with the byte order mark of UTF-16. That of
// UTF-32 begins the same.
func hasMark(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xfe\xff")) ||
		bytes.HasPrefix(head, []byte("\xff\xfe")) && !bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00"))
}
