package command

import (
	"iter"
	"slices"
	"strings"
)

// A span is what stands between two offsets of a text.
type span struct{ start, end int }

// A simple is a simple command of a script of the shell: words with their quotation marks.
type simple struct {
	words       []span
	onCondition bool // it may not run, or not in this shell
}

// A scanner finds the simple commands of a script, as far as it takes to see which variables
// they set. It looks at each byte once.
type scanner struct {
	text   string
	at     int
	begin  int // of the word, -1 if there is none
	words  []span
	blocks int // if, for, while, until, case and {
	parens int
	joined bool   // the command before ends with &&, || or |
	file   bool   // the next word is the file of < or >
	here   string // what ends the here-document that begins in the next line
	begins bool   // the next word is that
}

// simpleCommands yields the simple commands of a script.
func simpleCommands(text string) iter.Seq[simple] {
	return func(yield func(simple) bool) {
		s := &scanner{text: text, begin: -1}
		for s.at < len(text) {
			op, ends := s.next()
			if ends && !s.yield(op, yield) {
				return
			}
		}
		s.endWord()
		s.yield("", yield)
	}
}

// next takes the next piece of the script. It reports whether that ends a command, and with
// which operator.
func (s *scanner) next() (op string, ends bool) {
	rest := s.text[s.at:]
	c := rest[0]
	switch {
	case strings.HasPrefix(rest, "\\\n"), c == ' ', c == '\t', c == '\r':
		if c != '\\' {
			s.endWord()
			s.at++
			return "", false
		}
		s.at += 2
	case c == '#' && s.begin < 0:
		s.at = lineEnd(s.text, s.at)
	case c == '(' && s.begin >= 0 && s.text[s.at-1] == '=': // an array of bash
		s.skip('(', ')')
	case strings.IndexByte("\n;&|()", c) >= 0:
		s.endWord()
		return s.operator(rest), true
	case c == '<', c == '>':
		s.redirect(rest)
	default:
		s.word()
	}
	return "", false
}

// word takes a piece of a word.
func (s *scanner) word() {
	if s.begin < 0 {
		s.begin = s.at
	}
	switch rest := s.text[s.at:]; {
	case strings.HasPrefix(rest, "$("):
		s.at++
		s.skip('(', ')')
	case strings.HasPrefix(rest, "${"):
		s.at++
		s.skip('{', '}')
	case strings.IndexByte("'\"`\\", rest[0]) >= 0:
		s.quoted()
	default:
		s.at++
	}
}

// quoted takes what is in quotation marks, or behind a backslash.
func (s *scanner) quoted() {
	mark := s.text[s.at]
	s.at++
	if mark == '\\' {
		s.at = min(s.at+1, len(s.text))
		return
	}
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case c == mark:
			s.at++
			return
		case mark == '"' && strings.HasPrefix(s.text[s.at:], "$("):
			s.at++
			s.skip('(', ')')
			continue
		case c == '\\' && mark != '\'':
			s.at++
		}
		s.at = min(s.at+1, len(s.text))
	}
}

// skip takes what is in brackets, with those in it.
func (s *scanner) skip(open, end byte) {
	for depth := 0; s.at < len(s.text); {
		switch c := s.text[s.at]; c {
		case '\'', '\\', '`':
			s.quoted()
			continue
		case '"':
			s.plainQuoted()
			continue
		case open:
			depth++
		case end:
			depth--
		}
		s.at++
		if depth == 0 {
			return
		}
	}
}

// plainQuoted takes what is in double quotation marks within brackets.
func (s *scanner) plainQuoted() {
	for s.at++; s.at < len(s.text) && s.text[s.at] != '"'; s.at++ {
		if s.text[s.at] == '\\' {
			s.at++
		}
	}
	s.at = min(s.at+1, len(s.text))
}

// operator takes an operator, and returns it. The text of a here-document that begins behind
// it is skipped.
func (s *scanner) operator(rest string) string {
	for _, op := range []string{"&&", "||", ";;"} {
		if strings.HasPrefix(rest, op) {
			s.at += len(op)
			return op
		}
	}
	s.at++
	if rest[0] == '\n' && s.here != "" {
		for s.at < len(s.text) {
			end := lineEnd(s.text, s.at)
			line := strings.Trim(s.text[s.at:end], "\t\r")
			s.at = min(end+1, len(s.text))
			if line == s.here {
				break
			}
		}
		s.here = ""
	}
	return rest[:1]
}

// redirect takes < or >, with a number before it. What follows is a file.
func (s *scanner) redirect(rest string) {
	if s.begin >= 0 && strings.Trim(s.text[s.begin:s.at], "0123456789") == "" {
		s.begin = -1
	}
	s.endWord()
	n := len(rest) - len(strings.TrimLeft(rest, "<>"))
	s.file, s.begins = true, rest[:n] == "<<"
	if n < len(rest) && (rest[n] == '&' || rest[n] == '|' || s.begins && rest[n] == '-') {
		n++
	}
	s.at += n
}

// endWord ends a word.
func (s *scanner) endWord() {
	if s.begin < 0 {
		return
	}
	w := span{s.begin, s.at}
	s.begin = -1
	switch {
	case s.begins:
		s.here = strings.Trim(s.text[w.start:w.end], `'"\`)
	case s.file:
	case len(s.words) < maxWords:
		s.words = append(s.words, w)
	}
	s.file, s.begins = false, false
}

// The words that begin, continue and end what the shell runs on a condition.
var (
	beginsBlock    = []string{"if", "while", "until", "case", "{"}
	continuesBlock = []string{"then", "do", "else", "elif", "!", "time"}
	endsBlock      = []string{"fi", "done", "esac", "}"}
)

// yield yields the command that an operator ends.
func (s *scanner) yield(op string, yield func(simple) bool) bool {
	words := s.words
	s.words, s.file, s.begins = nil, false, false
	some := len(words) > 0
keywords:
	for ; len(words) > 0; words = words[1:] {
		switch word := s.text[words[0].start:words[0].end]; {
		case word == "function": // its name, and perhaps {
			if last := words[len(words)-1]; s.text[last.start:last.end] == "{" {
				s.blocks++
			}
			words = nil
			break keywords
		case word == "for" || word == "select": // which set a variable
			s.blocks++
			break keywords
		case slices.Contains(beginsBlock, word):
			s.blocks++
		case slices.Contains(endsBlock, word):
			s.blocks = max(s.blocks-1, 0)
		case !slices.Contains(continuesBlock, word):
			break keywords
		}
	}
	onCondition := s.blocks > 0 || s.parens > 0 || s.joined || op == "|" || op == "&"
	switch op {
	case "(":
		s.parens++
	case ")":
		s.parens = max(s.parens-1, 0)
	}
	if some || op != "\n" { // "&&" may end a line
		s.joined = op == "&&" || op == "||" || op == "|"
	}
	return len(words) == 0 || yield(simple{words, onCondition})
}
