package rspamd

import "strings"

// isLetter reports whether a text has a letter at an offset.
func isLetter(text string, at int) bool {
	return at < len(text) && (text[at]|0x20 >= 'a' && text[at]|0x20 <= 'z')
}

// skip skips blanks of a set, and comments.
func (pos *position) skip(blanks string) {
	for text := pos.file.Text; pos.at < len(text); {
		switch {
		case strings.IndexByte(blanks, text[pos.at]) >= 0:
			pos.at++
		case text[pos.at] == '#':
			pos.line()
		case strings.HasPrefix(text[pos.at:], "/*"):
			pos.comment()
		default:
			return
		}
	}
}

// line moves to the end of the line.
func (pos *position) line() {
	if n := strings.IndexByte(pos.file.Text[pos.at:], '\n'); n >= 0 {
		pos.at += n
		return
	}
	pos.at = len(pos.file.Text)
}

// comment skips a comment; they nest.
func (pos *position) comment() {
	depth := 0
	for text := pos.file.Text; pos.at < len(text); pos.at++ {
		switch {
		case strings.HasPrefix(text[pos.at:], "/*"):
			depth++
			pos.at++
		case strings.HasPrefix(text[pos.at:], "*/"):
			pos.at++
			if depth--; depth == 0 {
				pos.at++
				return
			}
		}
	}
}

// key reads a key: in quotation marks, or up to a blank or a sign.
func (pos *position) key() string {
	if quoted, _, _, value := pos.quoted(); quoted {
		return value
	}
	text, start := pos.file.Text, pos.at
	for pos.at < len(text) && strings.IndexByte(" \t\r\n=:;{}[]", text[pos.at]) < 0 {
		pos.at++
	}
	return text[start:pos.at]
}

// quoted reads a text in quotation marks, if there is one. It returns its offsets without them.
func (pos *position) quoted() (ok bool, start, end int, value string) {
	text := pos.file.Text
	mark := text[pos.at]
	if mark != '"' && mark != '\'' {
		return false, 0, 0, ""
	}
	pos.at++
	start = pos.at
	var b strings.Builder
	for ; pos.at < len(text) && text[pos.at] != mark; pos.at++ {
		switch {
		case text[pos.at] != '\\' || pos.at+1 == len(text):
			b.WriteByte(text[pos.at])
		case mark == '\'' && text[pos.at+1] != mark: // only this mark is escaped
			b.WriteString(text[pos.at : pos.at+2])
			pos.at++
		default:
			pos.at++
			b.WriteByte(unescaped(text[pos.at]))
		}
	}
	end = min(pos.at, len(text))
	pos.at = min(pos.at+1, len(text))
	return true, start, end, b.String()
}

// unescaped returns the character that one behind a backslash means, but for \u, which no value of
// interest has (ucl_util.c, ucl_unescape_json_string).
func unescaped(c byte) byte {
	if i := strings.IndexByte("nrtbf", c); i >= 0 {
		return "\n\r\t\b\f"[i]
	}
	return c
}

// scalar reads a value: in quotation marks, or up to the end of a line, a sign that no bracket in
// the value opens, or a comment (ucl_parser.c, ucl_parse_string_value).
func (pos *position) scalar() (start, end int, value string) {
	if ok, start, end, value := pos.quoted(); ok {
		return start, end, value
	}
	text := pos.file.Text
	start = pos.at
	var braces, brackets int
	var b strings.Builder
	for ; pos.at < len(text); pos.at++ {
		c := text[pos.at]
		switch {
		case c == '{':
			braces++
		case c == '[':
			brackets++
		case c == '}' && braces > 0:
			braces--
		case c == ']' && brackets > 0:
			brackets--
		case c == '\\' && pos.at+1 < len(text):
			pos.at++
			b.WriteByte(unescaped(text[pos.at]))
			continue
		case strings.IndexByte("\r\n]};,#", c) >= 0, strings.HasPrefix(text[pos.at:], "/*"):
			return start, start + len(strings.TrimRight(text[start:pos.at], " \t")), strings.TrimRight(b.String(), " \t")
		}
		b.WriteByte(text[pos.at])
	}
	return start, start + len(strings.TrimRight(text[start:], " \t")), strings.TrimRight(b.String(), " \t")
}

// afterKey skips what is between a key and = or a value: if it begins with a blank or a comment,
// line ends as well.
func (pos *position) afterKey() {
	from := pos.at
	if pos.skip(" \t\r"); pos.at > from {
		pos.skip(" \t\r\n")
	}
}

// further reports whether a further key follows on a key, as in worker "normal" {: it does if a
// bracket is on the line before it ends, also one in quotation marks (ucl_parser.c,
// ucl_parse_key).
func (pos *position) further() bool {
	rest := pos.file.Text[pos.at:]
	i := strings.IndexAny(rest, "{[,;\r\n")
	return i > 0 && (rest[i] == '{' || rest[i] == '[')
}

// document skips a text between <<WORD and a line WORD.
func (pos *position) document(n *node) {
	start := pos.at + 2
	pos.line()
	word := strings.TrimSpace(pos.file.Text[start:pos.at])
	n.start, n.end = start, pos.at
	i := strings.Index(pos.file.Text[pos.at:], "\n"+word+"\n")
	if i < 0 {
		pos.at = len(pos.file.Text)
		return
	}
	pos.at += i + len(word) + 1
}
