package perl

import "strings"

// A valueKind says what a value is.
type valueKind int

const (
	computed  valueKind = iota // not literal
	undefined                  // undef
	scalar
	list // in round or square brackets; a hash is a list of keys and values
)

// A value is what is assigned to a variable, from start to end.
type value struct {
	kind       valueKind
	text       string
	start, end int
	items      []value
}

const (
	maxItems  = 10_000 // how many items a list can have
	maxNested = 16     // how deep lists can be nested
)

// valueOf returns the value of tokens that are one expression.
func valueOf(tokens []token) value {
	v, n := parse(tokens, 0)
	if n < len(tokens) {
		v.kind = computed
	}
	return v
}

// parse returns the value at the beginning of tokens, and how many tokens it has.
func parse(tokens []token, depth int) (v value, n int) {
	if len(tokens) == 0 || depth > maxNested {
		return value{}, len(tokens)
	}
	t := tokens[0]
	v = value{text: t.text, start: t.start, end: t.end}
	switch {
	case t.kind == aString, t.kind == aWord && isDecimal(t.text):
		v.kind = scalar
	case t.kind == aWord && t.text == "undef":
		v.kind = undefined
	case t.kind == aWord && len(tokens) > 1 && tokens[1].text == "=>" && !isDigits(t.text): // a bare word, quoted by =>
		v.kind = scalar
	case t.kind == aList:
		v.kind = list
		for _, w := range t.words {
			v.items = append(v.items, value{kind: scalar, text: w.text, start: w.start, end: w.end})
		}
	case t.kind == aSign && (t.text == "(" || t.text == "[" || t.text == "{"):
		return parseList(tokens, depth)
	}
	return v, 1
}

// isDecimal reports whether a text is a number that means what is written: 010 is octal, 1_0 is 10,
// and 1. is 1 (perldata).
func isDecimal(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == "" && (text[0] != '0' || text == "0")
}

// parseList returns the value of a list in brackets, and how many tokens it has.
func parseList(tokens []token, depth int) (v value, n int) {
	v = value{kind: list, start: tokens[0].start}
	end := string(rune(closing(tokens[0].text[0])))
	for n = 1; n < len(tokens); {
		if t := tokens[n]; t.kind == aSign && t.text == end {
			v.end = t.end
			return v, n + 1
		}
		item, width := parse(tokens[n:], depth+1)
		n += width
		if rest := itemEnd(tokens[n:]); rest > 0 {
			item.kind = computed
			n += rest
		}
		if item.kind == list && tokens[n-width].text != "[" && tokens[n-width].text != "{" && item.items != nil {
			v.items = append(v.items, item.items...) // Perl flattens lists in lists
		} else {
			v.items = append(v.items, item)
		}
		if len(v.items) > maxItems {
			break
		}
		if n < len(tokens) && (tokens[n].text == "," || tokens[n].text == "=>") {
			n++
		}
	}
	return value{start: v.start, end: v.start + 1}, len(tokens)
}

// itemEnd returns how many tokens are left of an item of a list.
func itemEnd(tokens []token) int {
	depth := 0
	for i, t := range tokens {
		if t.kind != aSign {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth == 0 {
				return i
			}
			depth--
		case ",", "=>":
			if depth == 0 {
				return i
			}
		}
	}
	return len(tokens)
}

// set reports whether a value is one that Perl calls defined and not empty.
func (v *value) set() bool { return v.kind == list || v.kind == scalar && v.text != "" }

// each returns the items of a list, and a scalar as its only item.
func (v *value) each() []value {
	switch v.kind {
	case list:
		return v.items
	case scalar, computed, undefined:
		return []value{*v}
	}
	return nil
}

// member returns what a hash has under a key; the last one counts.
func (v *value) member(key string) (value, bool) {
	var found value
	ok := false
	for i := 0; i+1 < len(v.items); i += 2 {
		if v.items[i].text == key {
			found, ok = v.items[i+1], true
		}
	}
	return found, ok
}
