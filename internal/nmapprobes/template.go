package nmapprobes

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// versionInfo reads the fields behind a pattern: a letter or "cpe:", then a
// template between two delimiters.
func (e *entry) versionInfo(info string) error {
	e.fields = make(map[string]string)
	for {
		info = strings.TrimLeft(info, " ")
		if info == "" {
			return nil
		}
		name := info[:1]
		if strings.HasPrefix(info, "cpe:") {
			name = "cpe:"
		} else if !strings.Contains("pvihod", name) {
			return fmt.Errorf("unknown field %q of the version", name)
		}
		rest := info[len(name):]
		_, size := utf8.DecodeRuneInString(rest)
		if rest == "" {
			return fmt.Errorf("the field %q has no template", name)
		}
		text, after, ok := strings.Cut(rest[size:], rest[:size])
		if !ok {
			return fmt.Errorf("the template of %q has no end", name)
		}
		if name == "cpe:" {
			after = strings.TrimPrefix(after, "a") // nmap's mark for an operating system by its service
			e.cpes = append(e.cpes, "cpe:/"+text)
		} else {
			e.fields[name] = text
		}
		if after != "" && after[0] != ' ' {
			return fmt.Errorf("%q behind the field %q", after, name)
		}
		info = after
	}
}

// expand fills a template in: $1 to $9 stand for groups, $P(1) for the
// printable characters of one, $SUBST(1,"a","b") for one with a replaced by b,
// $I(1,">") for the number that its bytes are. Values go through shield.
func expand(template string, groups []string, shield func(string) string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		value, after, ok := call(rest, groups)
		if !ok {
			b.WriteByte('$')
			template = rest
			continue
		}
		b.WriteString(shield(value))
		template = after
	}
}

// call is the value of what follows a dollar sign, and what follows that.
func call(text string, groups []string) (value, rest string, ok bool) {
	if len(text) > 0 && text[0] >= '1' && text[0] <= '9' {
		return group(groups, text[:1]), text[1:], true
	}
	name, inside, found := strings.Cut(text, "(")
	if !found || name != "P" && name != "SUBST" && name != "I" {
		return "", text, false
	}
	number, inside, _ := cutArgument(inside)
	first, inside, _ := cutArgument(inside)
	second, inside, _ := cutArgument(inside)
	rest, closed := strings.CutPrefix(inside, ")")
	if !closed {
		return "", text, false
	}
	value = group(groups, number)
	switch name {
	case "P":
		return printable(value), rest, true
	case "SUBST":
		if first != "" {
			value = strings.ReplaceAll(value, first, second)
		}
		return value, rest, true
	}
	return integer(value, first), rest, true
}

// cutArgument takes one argument, quoted or not, off a list of them.
func cutArgument(text string) (argument, rest string, ok bool) {
	text = strings.TrimPrefix(text, ",")
	if quoted, is := strings.CutPrefix(text, `"`); is {
		argument, rest, ok = strings.Cut(quoted, `"`)
		return argument, rest, ok
	}
	end := strings.IndexAny(text, ",)")
	if end < 0 {
		return "", text, false
	}
	return text[:end], text[end:], true
}

// group is the group with that number, "" if there is none.
func group(groups []string, number string) string {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n >= len(groups) {
		return ""
	}
	return groups[n]
}

// printable drops what is not printable ASCII.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

// integer is the unsigned number that up to 8 bytes are, with the last byte
// first unless order is ">".
func integer(s, order string) string {
	if s == "" || len(s) > 8 {
		return ""
	}
	var n uint64
	for i := range len(s) {
		if order == ">" {
			n = n<<8 | uint64(s[i])
		} else {
			n |= uint64(s[i]) << (8 * i)
		}
	}
	return strconv.FormatUint(n, 10)
}
