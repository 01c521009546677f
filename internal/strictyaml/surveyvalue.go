package strictyaml

import "strings"

// value reads the value that begins at a byte of the line; its key or dash does at
// another one.
func (s *survey) value(at, key int) {
	s.parent = false
	rest := s.line[at:]
	for rest != "" && (rest[0] == '&' || rest[0] == '!') {
		_, behind, ok := strings.Cut(rest, " ")
		if !ok {
			s.parent = true
			return
		}
		rest = strings.TrimLeft(behind, " ")
		at = len(s.line) - len(rest)
	}
	if rest == "" || rest[0] == '#' {
		s.parent = true
		return
	}
	switch rest[0] {
	case '"', '\'', '[', '{':
		s.inside(at)
	case ']', '}':
		s.add(strayBracket, s.at(at), rest[:1])
	case '|', '>':
		s.scalar = max(s.top(), 0)
		if key == at {
			s.scalar = max(s.top(), -1)
		}
	case '*':
		if len(rest) == 1 || !isAlphanumeric(rest[1]) {
			s.add(badStart, s.at(at), rest[:1])
		}
	case '@', '`', '%', ',', '\t':
		s.add(badStart, s.at(at), rest[:1])
	default:
		s.text(at)
	}
}

// top is the indent of the innermost collection, -1 if there is none.
func (s *survey) top() int {
	if len(s.levels) == 0 {
		return -1
	}
	return s.levels[len(s.levels)-1].indent
}

// text reads a value without quotes.
func (s *survey) text(at int) {
	rest := s.line[at:]
	if i := strings.Index(rest, " #"); i >= 0 {
		rest = rest[:i]
	}
	if strings.HasPrefix(rest, "- ") {
		s.add(itemOnLine, s.at(at), "")
		return
	}
	i := strings.Index(rest, ": ")
	if i < 0 && strings.HasSuffix(rest, ":") {
		i = len(rest) - 1
	}
	if i >= 0 {
		s.add(secondColon, s.at(at+i), "")
	}
}

// inside reads on from a byte of the line, in quotes, brackets or braces, or at the
// beginning of such.
func (s *survey) inside(at int) {
	began := s.number
	if s.quote.sign != 0 {
		began = s.quote.line
	}
	for at < len(s.line) {
		if s.quote.sign != 0 {
			at = s.quoted(at)
			if s.quote.sign == 0 && len(s.open) == 0 {
				s.behind(at, began)
				return
			}
			continue
		}
		c := s.line[at]
		fresh := at == 0 || strings.IndexByte(" \t[{,:", s.line[at-1]) >= 0
		switch {
		case c == '#' && (at == 0 || s.line[at-1] == ' '):
			return
		case (c == '"' || c == '\'') && fresh:
			s.quote, began = opened{c, s.at(at)}, s.number
		case c == '[' || c == '{':
			s.open = append(s.open, opened{c, s.at(at)})
		case c == ']' || c == '}':
			if s.closeAt(at); len(s.open) == 0 {
				s.behind(at+1, s.number)
				return
			}
		}
		at++
	}
}

// closeAt closes the innermost bracket or brace.
func (s *survey) closeAt(at int) {
	last := s.open[len(s.open)-1]
	if last.sign == '[' != (s.line[at] == ']') {
		s.add(openBracket, last.spot, string(last.sign))
	}
	s.open = s.open[:len(s.open)-1]
}

// quoted reads on within quotes, and returns the byte behind them, or the end of the
// line.
func (s *survey) quoted(at int) int {
	double := s.quote.sign == '"'
	for ; at < len(s.line); at++ {
		switch c := s.line[at]; {
		case c == '\\' && double:
			if at++; at < len(s.line) && strings.IndexByte("0abt\tnvfre \"/\\N_LPxuU'", s.line[at]) < 0 {
				s.add(badEscape, s.at(at-1), s.line[at-1:at+1])
			}
		case c != s.quote.sign:
		case !double && at+1 < len(s.line) && s.line[at+1] == c:
			at++
		default:
			s.quote.sign = 0
			return at + 1
		}
	}
	return at
}

// behind reads what follows the end of a value that began on a line: nothing but a
// comment may.
func (s *survey) behind(at, began int) {
	rest := strings.TrimLeft(s.line[at:], " \t")
	switch {
	case rest == "" || rest[0] == '#' || rest[0] == ':':
	case began < s.number:
		s.add(openQuote, s.quote.spot, s.line[at-1:at])
	default:
		s.add(behindEnd, s.at(len(s.line)-len(rest)), s.line[at-1:at])
	}
}
