package strictyaml

import (
	"strings"
	"unicode/utf8"
)

// A spot is a place in a file, both numbers from 1, the column in characters.
type spot struct{ line, column int }

// A trouble is something that may be why a file is no YAML.
type trouble struct {
	kind troubleKind
	spot
	text string // the characters in question, if the sentence quotes them
}

// A survey looks for what users get wrong in a file that the parser refused: the
// parser often names a place far from it. It knows less of YAML than the parser does,
// so that what it finds counts only where that fits the parser's error.
type survey struct {
	found   map[troubleKind]trouble // the first of each kind
	number  int                     // the line being read
	line    string                  // its text
	runes   int                     // characters of it that are counted,
	until   int                     // up to this byte
	counted int                     // bytes whose characters were counted, in all lines
	open    []opened                // brackets and braces, outermost first
	quote   opened                  // the quote that is open; its sign is 0 if there is none
	levels  []level                 // collections that are open, outermost first
	scalar  int                     // lines indented deeper belong to a block scalar; -1 outside of one
	parent  bool                    // the line before ended where a value is due
	plain   bool                    // the line before had neither a key nor a dash
}

// An opened is a bracket, brace or quote with its place.
type opened struct {
	sign byte
	spot
}

// A level is a mapping or a list in block style.
type level struct {
	indent int
	list   bool
}

// newSurvey surveys all of a file.
func newSurvey(data []byte) *survey {
	s := &survey{scalar: -1, found: map[troubleKind]trouble{}}
	for text := range strings.SplitSeq(string(data), "\n") {
		s.number++
		s.line, s.runes, s.until = strings.TrimRight(text, "\r"), 0, 0
		s.next()
	}
	if s.quote.sign != 0 {
		s.add(openQuote, s.quote.spot, string(s.quote.sign))
	}
	for _, o := range s.open {
		s.add(openBracket, o.spot, string(o.sign))
	}
	return s
}

// first is the first trouble of the first of some kinds, nil if there is none.
func (s *survey) first(kinds []troubleKind) *trouble {
	for _, kind := range kinds {
		if t, ok := s.found[kind]; ok {
			return &t
		}
	}
	return nil
}

// at is the place of a byte of the line, from 0. It counts on from the place before:
// the line may be a whole file in JSON, with thousands of places.
func (s *survey) at(byteAt int) spot {
	if byteAt < s.until {
		s.runes, s.until = 0, 0
	}
	s.runes += utf8.RuneCountInString(s.line[s.until:byteAt])
	s.counted += byteAt - s.until
	s.until = byteAt
	return spot{s.number, s.runes + 1}
}

// add notes a trouble, if it is the first of its kind.
func (s *survey) add(kind troubleKind, at spot, text string) {
	if _, ok := s.found[kind]; !ok {
		s.found[kind] = trouble{kind, at, text}
	}
}

// next reads a line.
func (s *survey) next() {
	if marks([]byte(s.line)) {
		if s.quote.sign != 0 {
			s.add(openQuote, s.quote.spot, string(s.quote.sign))
		}
		s.quote, s.open, s.levels, s.scalar, s.parent, s.plain = opened{}, nil, nil, -1, false, false
		return
	}
	if s.quote.sign != 0 || len(s.open) > 0 {
		s.inside(0)
		return
	}
	body := strings.TrimLeft(s.line, " \t")
	indent := len(s.line) - len(body)
	tab := strings.IndexByte(s.line[:indent], '\t')
	switch {
	case body == "" || body[0] == '#':
		return
	case s.scalar >= 0 && indent > s.scalar:
		return
	case tab >= 0:
		s.add(tabIndent, s.at(tab), "")
		return
	case indent == 0 && body[0] == '%', body == "?", strings.HasPrefix(body, "? "):
		s.parent = true
		return
	}
	s.scalar = -1
	at := indent
	for s.line[at:] == "-" || strings.HasPrefix(s.line[at:], "- ") {
		s.enter(at, true)
		s.parent, s.plain = true, false
		rest := strings.TrimLeft(s.line[at+1:], " ")
		if at = len(s.line) - len(rest); rest == "" || rest[0] == '#' {
			return
		}
	}
	s.entry(at)
}

// entry reads what is at a byte of the line: a key with its value, or a value.
func (s *survey) entry(at int) {
	end := s.keyEnd(at)
	if end < 0 {
		if !s.parent && s.plain || s.parent && strings.IndexByte(`"'[{|>@`+"`%*&!", s.line[at]) >= 0 {
			s.value(at, at)
			return
		}
		s.word(at)
		return
	}
	s.enter(at, false)
	s.plain = false
	rest := strings.TrimLeft(s.line[end+1:], " ")
	if rest == "" || rest[0] == '#' {
		s.parent = true
		return
	}
	s.value(len(s.line)-len(rest), at)
}

// word reads a line or an item without a key.
func (s *survey) word(at int) {
	if !s.parent && at <= max(s.top(), 0) { // else it belongs to the value above
		if key, _, ok := strings.Cut(s.line[at:], ":"); ok && isSimpleKey(key) {
			s.add(noSpace, s.at(at+len(key)), "")
		} else {
			s.add(noColon, s.at(at), "")
		}
	}
	if !s.parent || len(s.levels) == 0 {
		s.plain = true
	}
	s.value(at, at)
}

// enter makes a collection at an indent the innermost one.
func (s *survey) enter(indent int, list bool) {
	deeper := false
	for n := len(s.levels); n > 0 && s.levels[n-1].indent > indent; n-- {
		s.levels, deeper = s.levels[:n-1], true
	}
	top := level{-1, false}
	if n := len(s.levels); n > 0 {
		top = s.levels[n-1]
	}
	if n := len(s.levels); n > 1 && top.list && !list && top.indent == indent && s.levels[n-2] == (level{indent, false}) {
		s.levels, top = s.levels[:n-1], s.levels[n-2] // a list is as deep as the key above it
	}
	switch {
	case top.indent < indent && (deeper || !s.parent && top.indent >= 0):
		s.add(badIndent, s.at(indent), "")
	case top.indent == indent && top.list && !list:
		s.add(keyAmongItems, s.at(indent), "")
	case top.indent == indent && !top.list && list && !s.parent:
		s.add(itemAmongKeys, s.at(indent), "")
	}
	if top != (level{indent, list}) {
		s.levels = append(s.levels, level{indent, list})
	}
}

// keyEnd is where the colon behind a key is that begins at a byte of the line, -1 if
// there is no key.
func (s *survey) keyEnd(at int) int {
	rest := s.line[at:]
	from := 0
	if q := rest[0]; q == '"' || q == '\'' {
		end := strings.IndexByte(rest[1:], q)
		if end < 0 {
			return -1
		}
		if from = end + 2; !strings.HasPrefix(rest[from:], ":") {
			return -1
		}
	} else if strings.IndexByte("[{|>@`%*&!", q) >= 0 {
		return -1
	}
	for i := from; i < len(rest); i++ {
		switch {
		case rest[i] == '#' && i > 0 && rest[i-1] == ' ':
			return -1
		case rest[i] == ':' && (i+1 == len(rest) || rest[i+1] == ' ' || rest[i+1] == '\t'):
			return at + i
		}
	}
	return -1
}
