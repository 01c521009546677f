package statements

import "strings"

// A Macro is a call of a macro in a text for m4.
type Macro struct {
	Name  string
	Start int // of its name in the text
	Arg   Arg // the first one

	// Inside is the macro among whose arguments the call is, so that it is only made if that
	// one expands to it; "" for a call of the text itself.
	Inside string
}

// An Arg is an argument of a macro.
type Arg struct {
	Text       string // without quotation marks
	Start, End int    // with them, without blanks before it
	Quoted     bool   // its last byte is in quotation marks

	at []int32 // the offset of each byte of Text
}

// part returns a range of the text of an argument.
func (a *Arg) part(from, to int) Part {
	if from >= to {
		at := a.End
		if from < len(a.at) {
			at = int(a.at[from])
		}
		return Part{Start: at, End: at}
	}
	return Part{a.Text[from:to], int(a.at[from]), int(a.at[to-1]) + 1}
}

// Macros returns the calls of macros with some names in a text for m4, as the files of
// Sendmail use it: what stands in quotation marks is no call, dnl drops the rest of a line, and
// the number sign begins no comment (cf/m4/cfhead.m4 switches those off). closed is false if an
// argument list or a quotation does not end: m4 then stops there.
func Macros(text string, names ...string) (list []Macro, closed bool) {
	s := m4{text: text, names: names, closed: true}
	s.scan(0, len(text), "")
	return s.list, s.closed
}

// An m4 goes through a text.
type m4 struct {
	text   string
	names  []string
	list   []Macro
	closed bool
}

// scan finds the calls in a range of the text. Among the arguments of a macro quotation marks
// do not count: it may expand what is in them.
func (s *m4) scan(from, to int, inside string) {
	for i := from; i < to && s.closed; {
		switch c := s.text[i]; {
		case c == '`' && inside == "":
			i = s.quoted(i)
		case !letter(c):
			i++
		default:
			i = s.word(i, to, inside)
		}
	}
}

// word reads the name that begins at an offset, and what it calls. It returns where to go on.
func (s *m4) word(start, to int, inside string) int {
	end := start
	for end < to && (letter(s.text[end]) || s.text[end] >= '0' && s.text[end] <= '9') {
		end++
	}
	name := s.text[start:end]
	switch {
	case name == "dnl":
		return s.lineEnd(end)
	case s.wanted(name):
		m := Macro{Name: name, Start: start, Inside: inside, Arg: Arg{Start: end, End: end}}
		if end < to && s.text[end] == '(' {
			m.Arg, end = s.args(end+1, to)
		}
		if s.closed {
			s.list = append(s.list, m)
		}
	case inside == "" && end < to && s.text[end] == '(':
		_, close := s.args(end+1, to)
		if s.closed {
			s.scan(end+1, close-1, name)
		}
		return close
	}
	return end
}

// wanted reports whether the calls of a macro are returned.
func (s *m4) wanted(name string) bool {
	for _, n := range s.names {
		if n == name {
			return true
		}
	}
	return false
}

// args reads an argument list whose parenthesis is before an offset. It returns the first
// argument and the offset after the list. A list among the arguments of a macro ends with these,
// which are before the offset to.
func (s *m4) args(from, to int) (first Arg, end int) {
	for from < to && strings.IndexByte(" \t\r\n", s.text[from]) >= 0 {
		from++
	}
	a := Arg{Start: from, End: from}
	var b strings.Builder
	depth, quotes, more := 0, 0, true
	add := func(i int) {
		if more {
			b.WriteByte(s.text[i])
			a.at = append(a.at, int32(i))
			a.End, a.Quoted = i+1, quotes > 0
		}
	}
	for i := from; i < to; {
		switch c := s.text[i]; {
		case c == '`':
			quotes++
		case c == '\'' && quotes > 0:
			if quotes--; more {
				a.End = i + 1
			}
		case quotes > 0:
			add(i)
		case c == ')' && depth == 0:
			a.Text = b.String()
			return a, i + 1
		case c == ',' && depth == 0:
			more = false
		case c == 'd' && s.isDNL(i):
			i = s.lineEnd(i)
			continue
		default:
			switch c {
			case '(':
				depth++
			case ')':
				depth--
			}
			add(i)
		}
		i++
	}
	s.closed = to < len(s.text)
	return a, to
}

// isDNL reports whether the word dnl is at an offset.
func (s *m4) isDNL(i int) bool {
	after := i + len("dnl")
	return strings.HasPrefix(s.text[i:], "dnl") && (i == 0 || !letter(s.text[i-1])) && (after == len(s.text) || !letter(s.text[after]))
}

// quoted returns the offset after the quotation that begins at an offset.
func (s *m4) quoted(from int) int {
	depth := 0
	for i := from; i < len(s.text); i++ {
		switch s.text[i] {
		case '`':
			depth++
		case '\'':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	s.closed = false
	return len(s.text)
}

// lineEnd returns the offset after the line that has an offset.
func (s *m4) lineEnd(from int) int {
	if i := strings.IndexByte(s.text[from:], '\n'); i >= 0 {
		return from + i + 1
	}
	return len(s.text)
}

// letter reports whether a byte may begin a name of m4.
func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
