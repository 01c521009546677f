package sanitize

import (
	"encoding/base64"
	"reflect"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// Value sanitizes all texts in v, a pointer to a type of package result, in
// place. The tag "clean" of a field determines the maximum length. Saved runs are
// sanitized too, because anyone may have changed the file.
func Value(v any) { new(cleaner).value(reflect.ValueOf(v).Elem(), "") }

// Copy returns a sanitized copy of v; everything that v points to is copied too.
// anchor converts each anchor; its result is not sanitized again.
func Copy[T any](v T, anchor func(*result.Anchor) *result.Anchor) T {
	(&cleaner{anchor}).value(reflect.ValueOf(&v).Elem(), "")
	return v
}

// A cleaner sanitizes the texts of a value in place. If anchor is set, it copies
// what the value points to first.
type cleaner struct {
	anchor func(*result.Anchor) *result.Anchor
}

// value sanitizes v, which must be addressable and whose field has the tag.
func (c *cleaner) value(v reflect.Value, tag reflect.StructTag) {
	switch v.Kind() {
	case reflect.Pointer:
		c.pointer(v, tag)
	case reflect.Interface:
		if !v.IsNil() {
			held := reflect.New(v.Elem().Type()).Elem() // the content of an interface is not addressable
			held.Set(v.Elem())
			c.value(held, tag)
			v.Set(held)
		}
	case reflect.Struct:
		if b, ok := v.Addr().Interface().(*result.Banner); ok {
			keepBytes(b)
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Type != reflect.TypeFor[result.Time]() && f.Type != reflect.TypeFor[result.Date]() {
				c.value(v.Field(i), f.Tag)
			}
		}
	case reflect.Slice:
		if v.Len() == 0 {
			return
		}
		if c.anchor != nil {
			list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(list, v)
			v.Set(list)
		}
		for i := range v.Len() {
			c.value(v.Index(i), tag)
		}
	case reflect.String:
		v.SetString(cleanText(v.String(), tag.Get("clean")))
	}
}

// pointer sanitizes what v points to.
func (c *cleaner) pointer(v reflect.Value, tag reflect.StructTag) {
	switch {
	case v.IsNil():
		return
	case v.Type() == reflect.TypeFor[*result.Replacement]() && !safeEdit(v.Interface().(*result.Replacement)):
		v.SetZero() // an edit that is not exact would be wrong
		return
	case c.anchor != nil && v.Type() == reflect.TypeFor[*result.Anchor]():
		v.Set(reflect.ValueOf(c.anchor(v.Interface().(*result.Anchor))))
		return
	case c.anchor != nil:
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(v.Elem())
		v.Set(p)
	}
	c.value(v.Elem(), tag)
}

// keepBytes sets the bytes of a banner if its text, once sanitized, does not show
// all of them. A final CRLF belongs to the protocol, not to the text; a final
// bare LF is kept, because it distinguishes some daemons. Secrets are masked in
// both.
func keepBytes(b *result.Banner) {
	shown := MaskSecrets(b.Text)
	b.Text = strings.TrimSuffix(shown, "\r\n")
	if b.Base64 == "" && Text(b.Text, MaxEvidence) != b.Text {
		b.Base64 = base64.StdEncoding.EncodeToString([]byte(shown))
	}
}

// safeEdit reports whether the texts of an edit are safe to show as they are.
func safeEdit(e *result.Replacement) bool {
	for _, s := range []string{e.Old, e.Text, e.Lines} {
		shown := strings.NewReplacer("\t", " ", "\r\n", "\n").Replace(s)
		if Block(MaskSecrets(shown), MaxBlock) != shown {
			return false
		}
	}
	return e.StartLine > 0 && e.StartColumn > 0 && e.EndLine >= e.StartLine && e.EndColumn > 0
}

// cleanText sanitizes a text of the named kind; "" is a sentence.
func cleanText(s, kind string) string {
	switch kind {
	case "exact":
		return s // of an edit that is safe
	case "block":
		return Block(s, MaxBlock)
	case "field":
		return Text(s, MaxField)
	case "evidence":
		return Text(s, MaxEvidence)
	}
	return Text(s, MaxSentence)
}
