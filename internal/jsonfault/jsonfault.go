// Package jsonfault describes errors in JSON files for users: the errors of
// encoding/json name types and functions of the program.
package jsonfault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
	"unicode"
)

// Plain converts an error of encoding/json to plain words; nil for nil. The end
// of the input ([io.EOF], [io.ErrUnexpectedEOF]) and other errors are unchanged.
func Plain(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var moment *time.ParseError
	text := err.Error()
	switch {
	case errors.As(err, &kind):
		return wrongKind(kind)
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON: %s", syntaxWords.Replace(syntax.Error()))
	case errors.As(err, &moment):
		return fmt.Errorf("%q is not a time like 2006-01-02T15:04:05Z", moment.Value)
	case strings.HasPrefix(text, "Time.UnmarshalJSON: "):
		return errors.New("a time is not text like \"2006-01-02T15:04:05Z\"")
	}
	if value, ok := strings.CutPrefix(text, "ParseAddr("); ok {
		value, why, _ := strings.Cut(value, "): ")
		return fmt.Errorf("%s is not an IP address: %s", value, why)
	}
	text = strings.TrimPrefix(text, "json: ")
	if name, ok := strings.CutPrefix(text, "unknown field "); ok {
		return fmt.Errorf("unknown member %s", name)
	}
	if text != err.Error() {
		return errors.New(text)
	}
	return err
}

// syntaxWords replaces the words of encoding/json for what it did not expect by words
// for what should be there.
var syntaxWords = strings.NewReplacer(
	"unexpected end of JSON input", "it is incomplete",
	"invalid character", "unexpected character",
	"looking for beginning of value", "where a value should start",
	"looking for beginning of object key string", "where a key in double quotes should start",
	"after object key:value pair", "where a comma or } should be",
	"after array element", "where a comma or ] should be",
	"after object key", "where the colon after a key should be",
	"after top-level value", "after the end of the document",
)

// wrongKind describes a value of the wrong type, and the required one.
func wrongKind(e *json.UnmarshalTypeError) error {
	is := withArticle(e.Value)
	var path []string
	for name := range strings.SplitSeq(e.Field, ".") {
		// An embedded struct is in the path, with the name of its type.
		if name != "" && !unicode.IsUpper([]rune(name)[0]) {
			path = append(path, name)
		}
	}
	if len(path) == 0 {
		return fmt.Errorf("expecting %s, not %s", wanted(e.Type), is)
	}
	return fmt.Errorf("member %q cannot be %s: expecting %s", strings.Join(path, "."), is, wanted(e.Type))
}

// withArticle returns a type of value for use in a sentence: "an array", "the
// number 70000".
func withArticle(value string) string {
	switch {
	case strings.HasPrefix(value, "number "):
		return "the " + value
	case value == "array", value == "object":
		return "an " + value
	case value == "bool":
		return "true or false"
	}
	return "a " + value
}

var textual = reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()

// wanted returns the JSON type that a Go type requires.
func wanted(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(textual) {
		return "a string"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		if t.Bits() < 64 {
			return fmt.Sprintf("a whole number from 0 to %d", uint64(1)<<t.Bits()-1)
		}
		return "a whole number that is not negative"
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "an array"
	}
	return "an object"
}
