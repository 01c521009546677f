package jsonfault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Offset returns the offset, in bytes, of the value in data that caused an error
// of json.Unmarshal, 0 if it is not known.
func Offset(data []byte, err error) int {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var moment *time.ParseError
	switch {
	case errors.As(err, &syntax):
		return max(min(int(syntax.Offset), len(data))-1, 0)
	case errors.As(err, &kind):
		return valueBefore(data, min(int(kind.Offset), len(data)))
	case errors.As(err, &moment):
		return max(bytes.Index(data, []byte(strings.Trim(moment.Value, `"`))), 1) - 1
	}
	var word *WordError
	if errors.As(err, &word) {
		quoted, _ := json.Marshal(word.Word) // cannot fail for a string
		return max(bytes.Index(data, quoted), 0)
	}
	if value, ok := strings.CutPrefix(err.Error(), "ParseAddr("); ok {
		if quoted, errQuote := strconv.QuotedPrefix(value); errQuote == nil {
			return max(bytes.Index(data, []byte(quoted)), 0)
		}
	}
	return 0
}

// A WordError reports a string that is not one of the values of its type.
// UnmarshalText methods return it, so that [Offset] finds the string.
type WordError struct {
	Word string
	Want string // what it should be, like "a severity"
}

func (e *WordError) Error() string { return fmt.Sprintf("%.40q is not %s", e.Word, e.Want) }

// valueBefore returns the offset of the value that ends at end or, for an array
// or object, begins before end.
func valueBefore(data []byte, end int) int {
	at := end - 1
	if at <= 0 {
		return 0
	}
	switch data[at] {
	case '[', '{':
		return at
	case '"':
		for at--; at > 0 && (data[at] != '"' || data[at-1] == '\\'); at-- {
		}
		return at
	}
	for at > 0 && !bytes.ContainsRune([]byte(" \t\r\n:,[{"), rune(data[at-1])) {
		at--
	}
	return at
}

// Member returns the offset, in bytes, of the value of a member in an object, 0
// if there is none.
func Member(object []byte, name string) int {
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return 0
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return 0
		}
		from := int(dec.InputOffset())
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return 0
		}
		if key == name {
			rest := object[from:]
			return from + len(rest) - len(bytes.TrimLeft(rest, " \t\r\n:"))
		}
	}
	return 0
}
