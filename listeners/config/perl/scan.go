package perl

import (
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// A tokenKind says what a token is.
type tokenKind int

const (
	aWord   tokenKind = iota // an identifier or a number, with the sigil of a variable
	aString                  // a string whose value is known
	aList                    // qw(...)
	aSign                    // one character of punctuation, or =>
	opaque                   // a regular expression, a string with variables, a here-document, a command
)

// A token is a piece of a file, text its value.
type token struct {
	kind       tokenKind
	text       string
	start, end int     // of the value, without the quotation marks
	words      []token // of a list
}

// maxTokens is how many tokens are read of one file.
const maxTokens = 1_000_000

// A scanner splits a file into tokens (perlop, perldata).
type scanner struct {
	file     *source.File
	at       int
	tokens   []token
	pending  []string // the ends of here-documents that begin on the next line
	complete bool     // as far as can be told, nothing was misunderstood
}

// scan returns the tokens of a file, and reports whether it could follow it to its end.
func scan(f *source.File) ([]token, bool) {
	s := &scanner{file: f, complete: true}
	for s.at < len(f.Text) && len(s.tokens) < maxTokens {
		if s.skipSpace() || s.next() {
			break
		}
	}
	return s.tokens, s.complete && len(s.tokens) < maxTokens && len(s.pending) == 0
}

// add adds a token that is the text from start to end.
func (s *scanner) add(kind tokenKind, start, end int) {
	s.tokens = append(s.tokens, token{kind: kind, text: s.file.Text[start:end], start: start, end: end})
	s.at = max(s.at, end)
}

// skipSpace skips blanks, comments, documentation and here-documents. It reports whether the
// file ends there.
func (s *scanner) skipSpace() (ends bool) {
	for text := s.file.Text; s.at < len(text); {
		switch text[s.at] {
		case '\n':
			s.at++
			s.skipDocuments()
			s.skipPod()
		case ' ', '\t', '\r', '\f', 0xef, 0xbb, 0xbf:
			s.at++
		case '#':
			s.at = s.lineEnd(s.at)
		default:
			return false
		}
	}
	return true
}

// lineEnd returns where the line of an offset ends.
func (s *scanner) lineEnd(at int) int {
	if n := strings.IndexByte(s.file.Text[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(s.file.Text)
}

// skipPod skips documentation: from a line that begins with = and a letter, where a
// statement begins, to the line =cut (perlpod).
func (s *scanner) skipPod() {
	rest := s.file.Text[s.at:]
	if len(rest) < 2 || rest[0] != '=' || !isLetter(rest[1]) || !s.atStatement() {
		return
	}
	n := strings.Index(rest, "\n=cut")
	if n < 0 {
		s.at = len(s.file.Text)
		return
	}
	s.at = s.lineEnd(s.at + n + 1)
}

// atStatement reports whether a statement begins here.
func (s *scanner) atStatement() bool {
	if len(s.tokens) == 0 {
		return true
	}
	t := s.tokens[len(s.tokens)-1]
	return t.kind == aSign && (t.text == ";" || t.text == "}")
}

// skipDocuments skips the here-documents that begin on this line.
func (s *scanner) skipDocuments() {
	for _, end := range s.pending {
		for {
			if s.at >= len(s.file.Text) {
				s.complete = false
				return
			}
			stop := s.lineEnd(s.at)
			line := strings.TrimRight(s.file.Text[s.at:stop], "\r")
			s.at = min(stop+1, len(s.file.Text))
			if line == end || strings.HasPrefix(end, "~") && strings.TrimLeft(line, " \t") == end[1:] {
				break
			}
		}
	}
	s.pending = nil
}

// next adds the next token. It reports whether the program ends.
func (s *scanner) next() (ends bool) {
	text := s.file.Text
	switch c := text[s.at]; {
	case c == '$' || c == '@' || c == '%' || c == '&':
		s.sigil(c)
	case isWord(c):
		return s.word()
	case c == '\'' || c == '"' || c == '`':
		s.at++
		s.quoted(c, c)
	case c == '/' && !s.afterValue():
		s.at++
		s.quoted('/', '/')
	case strings.HasPrefix(text[s.at:], "<<") && s.hereDocument():
	case strings.HasPrefix(text[s.at:], "=>"):
		s.add(aSign, s.at, s.at+2)
	default:
		s.add(aSign, s.at, s.at+1)
	}
	return false
}

// sigil adds a variable, or the sign that only looks like the beginning of one.
func (s *scanner) sigil(c byte) {
	text, start := s.file.Text, s.at
	end := start + 1
	if (c == '%' || c == '&') && s.afterValue() {
		s.add(aSign, start, end)
		return
	}
	if c == '$' && strings.HasPrefix(text[end:], "#") {
		end++
	}
	if name := len(text) - len(strings.TrimLeft(text[end:], " \t\r\n")); c != '%' && c != '&' && name < len(text) && isLetter(text[name]) {
		end = name // blanks may follow a sigil
	}
	name := end
	for end < len(text) && (isWord(text[end]) || strings.HasPrefix(text[end:], "::") || end > name && oldSeparator(text[end:])) {
		end++
	}
	switch {
	case end > name:
		s.add(aWord, start, end)
	case c == '$' && end < len(text) && strings.IndexByte("&`'+!\"@/\\;,.<>()[]:?|~=-", text[end]) >= 0:
		s.add(aWord, start, end+1) // perlvar
	default:
		s.add(aSign, start, end)
	}
}

// word adds an identifier, a number, or what q, qw, m and the like quote.
func (s *scanner) word() (ends bool) {
	text, start := s.file.Text, s.at
	end := start
	for end < len(text) && (isWord(text[end]) || text[end] == '.' && isDigits(text[start:end])) {
		end++
	}
	name := text[start:end]
	if name == "__END__" || name == "__DATA__" {
		return true
	}
	at := end
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	parts := quotingWords[name]
	if parts == 0 || at >= len(text) || at > end && text[at] == '#' || isWord(text[at]) ||
		strings.IndexByte(",;)=", text[at]) >= 0 || text[at] == '}' || s.afterArrow() {
		s.add(aWord, start, end)
		return false
	}
	open := text[at]
	s.at = at + 1
	switch name {
	case "q":
		s.quoted('\'', closing(open))
	case "qq":
		s.quoted('"', closing(open))
	case "qw":
		s.list(closing(open))
	default:
		s.quoted('/', closing(open))
		for range parts - 1 { // the second half of s and tr
			if closing(open) != open {
				s.skipSpace()
				s.at++
			}
			s.at = min(s.at, len(text))
			s.find(closing(open))
		}
		for s.at < len(text) && isLetter(text[s.at]) {
			s.at++
		}
	}
	return false
}

// quotingWords are the words that quote what follows, with how many parts that has.
var quotingWords = map[string]int{"q": 1, "qq": 1, "qw": 1, "qx": 1, "qr": 1, "m": 1, "s": 2, "tr": 2, "y": 2}

// find moves to behind the end of a quoted part, and returns where the part ends. Brackets
// nest.
func (s *scanner) find(end byte) int {
	text := s.file.Text
	open, depth := opening(end), 0
	for ; s.at < len(text); s.at++ {
		switch c := text[s.at]; {
		case c == '\\':
			s.at++
		case c == end && depth == 0:
			s.at++
			return s.at - 1
		case c == end:
			depth--
		case c == open && open != end:
			depth++
		}
	}
	s.at = len(text)
	s.complete = false
	return len(text)
}

// quoted adds what is quoted as by a kind of quotation mark: the value of a string is known
// if it has no variables and no escapes but those of the mark itself.
func (s *scanner) quoted(mark, end byte) {
	start := s.at
	stop := s.find(end)
	t := token{kind: opaque, text: s.file.Text[start:stop], start: start, end: stop}
	switch {
	case mark == '\'':
		t.kind = aString
		t.text = strings.NewReplacer(`\\`, `\`, `\`+string(rune(end)), string(rune(end))).Replace(t.text)
	case mark == '"' && !strings.ContainsAny(strings.ReplaceAll(t.text, `\@`, ""), `$@\`):
		t.kind = aString
		t.text = strings.ReplaceAll(t.text, `\@`, "@")
	}
	s.tokens = append(s.tokens, t)
}

// list adds the words of qw.
func (s *scanner) list(end byte) {
	t := token{kind: aList, start: s.at}
	t.end = s.find(end)
	t.text = s.file.Text[t.start:t.end]
	for at := t.start; at < t.end && len(t.words) < maxItems; {
		from := at
		for at < t.end && strings.IndexByte(" \t\r\n", s.file.Text[at]) < 0 {
			at++
		}
		if at > from {
			t.words = append(t.words, token{kind: aString, text: s.file.Text[from:at], start: from, end: at})
		}
		at++
	}
	s.tokens = append(s.tokens, t)
}

// hereDocument adds a here-document, and reports whether there is one.
func (s *scanner) hereDocument() bool {
	text := s.file.Text
	at, end := s.at+2, ""
	if at < len(text) && text[at] == '~' {
		at, end = at+1, "~"
	}
	if at >= len(text) || s.afterValue() {
		return false
	}
	mark := text[at]
	if mark == '\'' || mark == '"' {
		n := strings.IndexByte(text[at+1:s.lineEnd(at)], mark)
		if n < 0 {
			return false
		}
		s.pending = append(s.pending, end+text[at+1:at+1+n])
		s.add(opaque, s.at, at+n+2)
		return true
	}
	from := at
	for at < len(text) && isWord(text[at]) {
		at++
	}
	if at == from || !isLetter(text[from]) {
		return false
	}
	s.pending = append(s.pending, end+text[from:at])
	s.add(opaque, s.at, at)
	return true
}

// afterValue reports whether an operator is expected: a / is a division then.
func (s *scanner) afterValue() bool {
	if len(s.tokens) == 0 {
		return false
	}
	switch t := s.tokens[len(s.tokens)-1]; t.kind {
	case aSign:
		return t.text == ")" || t.text == "]" || t.text == "}"
	case aWord:
		return !beforePattern[t.text]
	}
	return true
}

// beforePattern are the words after which a / begins a regular expression.
var beforePattern = map[string]bool{
	"split": true, "grep": true, "map": true, "and": true, "or": true, "not": true, "if": true, "unless": true,
	"while": true, "until": true, "return": true, "x": true, "push": true, "unshift": true, "print": true,
}

// afterArrow reports whether a name is expected: s is a method then, not an operator.
func (s *scanner) afterArrow() bool {
	n := len(s.tokens)
	return n > 1 && s.tokens[n-1].text == ">" && s.tokens[n-2].text == "-"
}

// closing returns the quotation mark that ends what another begins.
func closing(open byte) byte {
	if i := strings.IndexByte("([{<", open); i >= 0 {
		return ")]}>"[i]
	}
	return open
}

// opening is the opposite of closing.
func opening(end byte) byte {
	if i := strings.IndexByte(")]}>", end); i >= 0 {
		return "([{<"[i]
	}
	return end
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func isWord(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' }

// oldSeparator reports whether a text within a name begins with the old form of "::": $main'name is
// $main::name (perlmod).
func oldSeparator(text string) bool { return len(text) > 1 && text[0] == '\'' && isLetter(text[1]) }

// isDigits reports whether a text begins as a number.
func isDigits(text string) bool { return text != "" && text[0] >= '0' && text[0] <= '9' }
