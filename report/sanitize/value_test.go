package sanitize

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// hostile is a text that nobody may be shown as it is, longer than any field.
var hostile = "\x1b[2J" + strings.Repeat("x", 2*MaxBlock)

// TestCopyCleansEveryText fills every text of the types of the model with what a
// hostile server may send.
func TestCopyCleansEveryText(t *testing.T) {
	t.Parallel()
	for _, v := range []any{new(result.Tool), new(result.Run), new(result.Port), new(result.Finding), new(result.Notice), new(result.Summary)} {
		fill(reflect.ValueOf(v).Elem(), 0)
		clean := reflect.New(reflect.TypeOf(v).Elem())
		clean.Elem().Set(reflect.ValueOf(Copy(reflect.ValueOf(v).Elem().Interface(), keep)))
		if n := count(clean.Elem(), func(s string) bool { return strings.Contains(s, "\x1b") || len(s) > MaxBlock }); n > 0 {
			t.Errorf("%T: %d texts are not clean", v, n)
		}
		if n := count(reflect.ValueOf(v).Elem(), func(s string) bool { return s != hostile }); n > 0 {
			t.Errorf("%T: %d texts of the original were changed", v, n)
		}
	}
}

// TestEveryTypeIsCleaned checks that the types of the model consist of what Copy walks:
// a text in a map, for example, would be written as the server sent it.
func TestEveryTypeIsCleaned(t *testing.T) {
	walked := []reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Struct, reflect.String}
	seen := map[reflect.Type]bool{reflect.TypeFor[result.Time](): true, reflect.TypeFor[result.Date](): true, reflect.TypeFor[netip.Addr](): true}
	var check func(at string, v reflect.Type)
	check = func(at string, v reflect.Type) {
		switch k := v.Kind(); {
		case seen[v] || k <= reflect.Complex128 && k != reflect.Invalid: // numbers hold no text
			return
		case !slices.Contains(walked, k):
			t.Errorf("%s is a %v, which is not sanitized", at, k)
			return
		case k == reflect.Pointer || k == reflect.Slice:
			check(at+"[]", v.Elem())
			return
		}
		seen[v] = true
		for i := 0; v.Kind() == reflect.Struct && i < v.NumField(); i++ {
			if f := v.Field(i); f.IsExported() {
				check(at+"."+f.Name, f.Type)
			} else {
				t.Errorf("%s.%s is not exported, and not sanitized", at, f.Name)
			}
		}
	}
	for _, v := range []any{result.Tool{}, result.Run{}, result.Port{}, result.Finding{}, result.Notice{}, result.Summary{}} {
		check(reflect.TypeOf(v).String(), reflect.TypeOf(v))
	}
}

// keep gives a copy of an anchor with clean texts, as a report does.
func keep(a *result.Anchor) *result.Anchor {
	return &result.Anchor{File: Text(a.File, MaxField), Line: a.Line, Text: Text(a.Text, MaxField)}
}

// fill sets every text that v may hold to hostile.
func fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(hostile)
	case reflect.Pointer:
		if depth < 6 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "Time" {
				fill(v.Field(i), depth+1)
			}
		}
	}
}

// count counts the texts of v for which is holds.
func count(v reflect.Value, is func(string) bool) int {
	n := 0
	switch v.Kind() {
	case reflect.String:
		if is(v.String()) {
			n++
		}
	case reflect.Pointer:
		if !v.IsNil() {
			n += count(v.Elem(), is)
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += count(v.Index(i), is)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				n += count(v.Field(i), is)
			}
		}
	}
	return n
}
