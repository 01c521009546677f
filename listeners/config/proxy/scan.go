package proxy

import (
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// A scanner splits a file of nginx into words.
type scanner struct {
	file *source.File
	at   int
}

// What ends a word.
const (
	endOfWord = iota
	endOfDirective
	beginOfBlock
	endOfBlock
	endOfFile
)

const nginxBlanks = " \t\r\n"

// next returns the next word, and what ends it; isWord is false if there is none before
// that (nginx src/core/ngx_conf_file.c, ngx_conf_read_token).
func (s *scanner) next() (w word, isWord bool, end int) {
	text := s.file.Text
	s.skipBlanks()
	w = word{file: s.file, start: s.at, end: min(s.at+1, len(text))}
	if s.at >= len(text) {
		return w, false, endOfFile
	}
	switch c := text[s.at]; {
	case c == '"' || c == '\'':
		return s.quoted(c), true, s.delimiter()
	case strings.HasPrefix(text[s.at:], "{%"):
		s.skipTo("%}")
	case strings.HasPrefix(text[s.at:], "{{"):
		s.plain()
	case c == ';', c == '{', c == '}':
		s.at++
		return w, false, delimiters[c]
	default:
		s.plain()
	}
	w.end = s.at
	w.text = nginxUnescape(text[w.start:w.end])
	return w, true, s.delimiter()
}

// plain skips a word without quotation marks.
func (s *scanner) plain() {
	for text := s.file.Text; s.at < len(text); {
		switch c := text[s.at]; {
		case strings.HasPrefix(text[s.at:], "{{"):
			s.skipTo("}}")
			continue
		case strings.IndexByte(nginxBlanks, c) >= 0, c == ';', c == '{':
			return
		case c == '\\', strings.HasPrefix(text[s.at:], "${"):
			s.at++
		}
		s.at = min(s.at+1, len(text))
	}
}

// skipTo skips what a template replaces, up to its end.
func (s *scanner) skipTo(end string) {
	n := strings.Index(s.file.Text[s.at:], end)
	if n < 0 {
		s.at = len(s.file.Text)
		return
	}
	s.at += n + len(end)
}

var delimiters = map[byte]int{';': endOfDirective, '{': beginOfBlock, '}': endOfBlock}

// delimiter consumes what ends a word.
func (s *scanner) delimiter() int {
	if s.at >= len(s.file.Text) {
		return endOfWord
	}
	switch s.file.Text[s.at] {
	case ';':
		s.at++
		return endOfDirective
	case '{':
		s.at++
		return beginOfBlock
	}
	return endOfWord
}

// skipBlanks skips blanks and comments.
func (s *scanner) skipBlanks() {
	text := s.file.Text
	for s.at < len(text) {
		switch c := text[s.at]; {
		case c == '#':
			n := strings.IndexByte(text[s.at:], '\n')
			if n < 0 {
				s.at = len(text)
				return
			}
			s.at += n
		case strings.IndexByte(nginxBlanks, c) < 0:
			return
		}
		s.at++
	}
}

// quoted returns a word in quotation marks.
func (s *scanner) quoted(quote byte) word {
	text := s.file.Text
	s.at++
	w := word{file: s.file, start: s.at}
	for s.at < len(text) && text[s.at] != quote {
		if text[s.at] == '\\' {
			s.at++
		}
		s.at++
	}
	s.at = min(s.at, len(text))
	w.end = s.at
	w.text = nginxUnescape(text[w.start:w.end])
	s.at = min(s.at+1, len(text))
	return w
}

// skipCode skips a block of Lua, up to the brace that closes it.
func (s *scanner) skipCode() {
	text := s.file.Text
	for depth := 1; s.at < len(text) && depth > 0; s.at++ {
		switch c := text[s.at]; c {
		case '{':
			depth++
		case '}':
			depth--
		case '"', '\'':
			for s.at++; s.at < len(text) && text[s.at] != c && text[s.at] != '\n'; s.at++ {
				if text[s.at] == '\\' {
					s.at++
				}
			}
		case '-':
			if strings.HasPrefix(text[s.at:], "--") {
				for s.at+1 < len(text) && text[s.at+1] != '\n' {
					s.at++
				}
			}
		}
	}
	s.at = min(s.at, len(text))
}

// nginxUnescape returns a word without its escapes: only a quotation mark, a \, t, r and n
// lose the \ before them.
func nginxUnescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			switch next := s[i+1]; next {
			case '"', '\'', '\\':
				c, i = next, i+1
			case 't':
				c, i = '\t', i+1
			case 'r':
				c, i = '\r', i+1
			case 'n':
				c, i = '\n', i+1
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}
