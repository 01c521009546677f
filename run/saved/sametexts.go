package saved

import (
	"reflect"
	"slices"
	"strings"
)

// maxTexts is the maximum number of texts in a [sameTexts].
const maxTexts = 1 << 14

// sameTexts lets the records of a run share equal texts: thousands of findings
// have the same texts about a rule and a daemon. The zero sameTexts is ready to
// use.
type sameTexts struct {
	known map[string]string
	lists map[string][]string // by their texts, each followed by NUL
}

// share replaces the texts of a record, to which v points, by equal ones from
// earlier records.
func (t *sameTexts) share(v any) { t.walk(reflect.ValueOf(v).Elem()) }

func (t *sameTexts) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() && v.Len() > 0 {
			v.SetString(t.one(v.String()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			t.walk(v.Elem())
		}
	case reflect.Slice:
		if list, ok := v.Interface().([]string); ok {
			v.Set(reflect.ValueOf(t.list(list)))
			return
		}
		for i := range v.Len() {
			if v.Index(i).Kind() != reflect.Struct {
				return // numbers
			}
			t.walk(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				t.walk(v.Field(i))
			}
		}
	}
}

// list returns an equal list from an earlier record, otherwise l itself with its
// texts shared.
func (t *sameTexts) list(l []string) []string {
	if len(l) == 0 {
		return l
	}
	var key strings.Builder
	for _, s := range l {
		key.WriteString(s)
		key.WriteByte(0)
	}
	if before, ok := t.lists[key.String()]; ok && slices.Equal(before, l) {
		return before
	}
	for i := range l {
		l[i] = t.one(l[i])
	}
	if t.lists == nil || len(t.lists) >= maxTexts {
		t.lists = make(map[string][]string)
	}
	t.lists[key.String()] = slices.Clip(l)
	return t.lists[key.String()]
}

// one returns the equal text from an earlier record, s itself the first time.
// When the table is full it is cleared: most texts of a large run occur once, and
// frequent ones return.
func (t *sameTexts) one(s string) string {
	if before, ok := t.known[s]; ok {
		return before
	}
	if t.known == nil || len(t.known) >= maxTexts {
		t.known = make(map[string]string)
	}
	t.known[s] = s
	return s
}
