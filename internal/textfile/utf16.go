package textfile

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// UTF8 returns a text in UTF-8 that may be in UTF-16 with a byte order mark, as some
// editors and shells of Windows write it. Any other data is returned as it is.
func UTF8(data []byte) []byte {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case len(data)%2 != 0, bytes.HasPrefix(data, []byte("\xff\xfe\x00\x00")):
		return data
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return data
	}
	units := make([]uint16, 0, len(data)/2-1)
	for at := 2; at < len(data); at += 2 {
		units = append(units, order.Uint16(data[at:]))
	}
	return []byte(string(utf16.Decode(units)))
}
