package signatures

import "strings"

// literal returns a text that every match of a regular expression contains, the
// longest outside of its groups; "" if there is none, or if the expression is not
// simple. Most replies contain none of these texts, and searching for a text takes a
// tenth of the time.
func literal(expr string) string {
	expr = strings.TrimPrefix(expr, "(?m)")
	l := literals{expr: expr}
	for l.at < len(expr) {
		if !l.step() {
			return ""
		}
	}
	l.end()
	return l.longest
}

// literals collects the texts of an expression.
type literals struct {
	expr    string
	at      int
	depth   int // of groups
	text    []byte
	longest string
}

// end ends a text: the next one need not follow it directly.
func (l *literals) end() {
	if len(l.text) > len(l.longest) {
		l.longest = string(l.text)
	}
	l.text = l.text[:0]
}

// add adds a byte that must occur, unless it is in a group.
func (l *literals) add(c byte) {
	if l.depth == 0 {
		l.text = append(l.text, c)
	}
}

// step reads one part of the expression. It reports false for parts that are not
// simple: alternatives outside of groups, flags, and anything rare.
func (l *literals) step() bool {
	c := l.expr[l.at]
	l.at++
	switch c {
	case '\\':
		return l.escape()
	case '[':
		l.end()
		return l.class()
	case '(':
		l.end()
		l.depth++
		rest := l.expr[l.at:]
		return !strings.HasPrefix(rest, "?") || l.skip("?:") || l.skip("?P<") || l.skip("?<")
	case ')':
		l.end()
		l.depth--
		return l.depth >= 0
	case '|':
		l.end()
		return l.depth > 0
	case '*', '?':
		l.text = l.text[:max(len(l.text)-1, 0)] // that one need not be there
		l.end()
	case '{':
		l.text = l.text[:max(len(l.text)-1, 0)]
		l.end()
		times, _, ok := strings.Cut(l.expr[l.at:], "}")
		l.at += len(times) + 1
		return ok && strings.Trim(times, "0123456789,") == "" // or "{" stands for itself
	case '+', '^', '$', '.':
		l.end()
	default:
		l.add(c)
		return c < 0x80
	}
	return true
}

// skip skips a part if it comes next.
func (l *literals) skip(piece string) bool {
	if !strings.HasPrefix(l.expr[l.at:], piece) {
		return false
	}
	l.at += len(piece)
	return true
}

// escape reads what follows a backslash.
func (l *literals) escape() bool {
	if l.at >= len(l.expr) {
		return false
	}
	c := l.expr[l.at]
	l.at++
	switch c {
	case 'r':
		l.add('\r')
	case 'n':
		l.add('\n')
	case 't':
		l.add('\t')
	case 'd', 'D', 's', 'S', 'w', 'W', 'b', 'B':
		l.end()
	default:
		l.add(c)
		return c < 0x80 && !('0' <= c && c <= '9') && !('a' <= c|0x20 && c|0x20 <= 'z')
	}
	return true
}

// class skips a set of characters, one of which must occur.
func (l *literals) class() bool {
	l.skip("^")
	for first := true; l.at < len(l.expr); first = false {
		c := l.expr[l.at]
		l.at++
		switch {
		case c == ']' && !first:
			return true
		case c == '\\':
			l.at++
		case c == '[' && strings.HasPrefix(l.expr[l.at:], ":"):
			return false
		}
	}
	return false
}
