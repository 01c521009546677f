package command

import (
	"regexp"
	"strings"
)

// A Dialect says how a command line is split into words.
type Dialect int

const (
	// Shell is that of sh(1). A line may have several commands.
	Shell Dialect = iota

	// Systemd is that of systemd.service(5), "command lines": $NAME as a word of its own is
	// split, and ${NAME} is not.
	Systemd

	// Docker is that of the arguments of ENV, ARG and FROM in a Dockerfile: values of variables
	// are not split, and nothing is an operator.
	Docker
)

// maxWords is how many words a command line has.
const maxWords = 2_000

// A splitter splits a text.
type splitter struct {
	dialect  Dialect
	env      *Environment
	text     Text
	at       int
	whole    bool // values of variables are not split
	word     partial
	begun    bool // there is a word, perhaps an empty one
	words    []Text
	commands [][]Text
}

// Split returns the commands of a line, each with its words, without quotation marks and with
// the values of variables; a nil env replaces none.
func Split(line Text, d Dialect, env *Environment) [][]Text {
	return (&splitter{dialect: d, env: env, text: line}).split()
}

// splitValue is Split for the value of an assignment, in which values are not split.
func splitValue(line Text, d Dialect, env *Environment) [][]Text {
	return (&splitter{dialect: d, env: env, text: line, whole: true}).split()
}

// split splits the line.
func (s *splitter) split() [][]Text {
	line := s.text
	s.word.doubt = line.Doubt
	for s.at < len(line.text) && len(s.words) < maxWords && len(s.commands) < maxWords {
		s.next()
	}
	if s.at < len(line.text) {
		s.end()
		s.words = append(s.words, Text{Doubt: "there are more words than are read"})
	}
	s.endCommand()
	return s.commands
}

// A partial is a word of which more may come.
type partial struct {
	text    []byte
	origins []origin
	doubt   string
}

// add adds a text. What is too long is left out, with a doubt.
func (p *partial) add(t Text) {
	if t.Doubt != "" {
		p.doubt = t.Doubt
	}
	if len(p.text)+len(t.text) > maxText {
		p.doubt = tooLong
		return
	}
	p.text, p.origins = append(p.text, t.text...), append(p.origins, t.origins...)
}

func (s *splitter) end() {
	if s.begun {
		s.words = append(s.words, Text{string(s.word.text), s.word.origins, s.word.doubt})
	}
	s.word, s.begun = partial{doubt: s.text.Doubt}, false
}

func (s *splitter) endCommand() {
	s.end()
	if s.words != nil {
		s.commands = append(s.commands, s.words)
	}
	s.words = nil
}

// add adds bytes of the line to the word.
func (s *splitter) add(n int) {
	n = min(n, len(s.text.text)-s.at)
	s.word.add(s.text.Slice(s.at, s.at+n))
	s.begun = true
	s.at += n
}

// next takes the next piece of the line.
func (s *splitter) next() {
	rest := s.text.text[s.at:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "\\\n"), strings.HasPrefix(rest, "\\\r\n"):
		s.at = min(s.at+strings.IndexByte(rest, '\n')+1, len(s.text.text))
		if s.dialect == Systemd {
			s.end()
		}
	case c == ' ', c == '\t', c == '\r':
		s.end()
		s.at++
	case c == '\n':
		s.endCommand()
		s.at++
	case c == '#' && !s.begun && s.dialect == Shell:
		s.at += len(strings.SplitN(rest, "\n", 2)[0])
	case s.dialect == Shell && strings.IndexByte(";&|()<>", c) >= 0:
		s.operator(c)
	case s.dialect == Systemd && c == ';' && !s.begun && (len(rest) == 1 || rest[1] == ' '):
		s.endCommand()
		s.at++
	case c == '\'':
		s.at++
		s.single()
	case c == '"':
		s.at++
		s.double()
	case c == '\\':
		s.at++
		s.add(1)
	case c == '$' && s.env != nil:
		s.variable(false)
	case c == '`' && s.dialect == Shell:
		s.substitution("`")
	default:
		s.add(1)
	}
}

// operator takes an operator of the shell. The file behind < or > is no word of the command.
func (s *splitter) operator(c byte) {
	if c != '<' && c != '>' {
		s.endCommand()
		s.at++
		return
	}
	if s.begun && strings.Trim(string(s.word.text), "0123456789") == "" {
		s.word, s.begun = partial{}, false
	}
	s.end()
	for s.at < len(s.text.text) && strings.IndexByte("<>& \t", s.text.text[s.at]) >= 0 {
		s.at++
	}
	for s.at < len(s.text.text) && strings.IndexByte(" \t\n;&|", s.text.text[s.at]) < 0 {
		s.at++
	}
}

// single takes the rest of what is in single quotation marks.
func (s *splitter) single() {
	n := strings.IndexByte(s.text.text[s.at:], '\'')
	if n < 0 {
		n = len(s.text.text) - s.at
	}
	s.add(n)
	s.begun = true
	s.at = min(s.at+1, len(s.text.text))
}

// double takes the rest of what is in double quotation marks.
func (s *splitter) double() {
	s.begun = true
	for s.at < len(s.text.text) {
		switch c := s.text.text[s.at]; {
		case c == '"':
			s.at++
			return
		case c == '\\' && s.at+1 < len(s.text.text):
			if s.text.text[s.at+1] == '\n' {
				s.at += 2
				continue
			}
			if s.dialect == Systemd || strings.IndexByte("$`\"\\", s.text.text[s.at+1]) >= 0 {
				s.at++
			}
			s.add(1)
		case c == '$' && s.env != nil:
			s.variable(true)
		case c == '`' && s.dialect == Shell:
			s.substitution("`")
		default:
			s.add(1)
		}
	}
}

// substitution takes the substitution of a command, whose output is not in the files.
func (s *splitter) substitution(end string) {
	s.at += len(end)
	n := strings.Index(s.text.text[s.at:], end)
	if end == "$(" {
		n = strings.IndexByte(s.text.text[s.at:], ')')
		end = ")"
	}
	if n < 0 {
		n = len(s.text.text) - s.at
	}
	s.at = min(s.at+n+len(end), len(s.text.text))
	s.word.doubt, s.begun = "the output of a command is not in the files", true
}

// variablePattern is $NAME, ${NAME}, or ${NAME:-default} and the like of the shell.
var variablePattern = regexp.MustCompile(`^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-=+?])([^{}]*))?\})`)

// maxVariable is how long a variable with its default can be.
const maxVariable = 1000

// variable takes a variable.
func (s *splitter) variable(quoted bool) {
	rest := s.text.text[s.at:]
	m := variablePattern.FindStringSubmatchIndex(rest[:min(len(rest), maxVariable)])
	switch {
	case s.dialect == Systemd && strings.HasPrefix(rest, "$$"):
		s.at++
		s.add(1)
		return
	case s.dialect == Shell && strings.HasPrefix(rest, "$("):
		s.substitution("$(")
		return
	case m == nil && s.dialect == Shell && len(rest) > 1 && strings.IndexByte("{@*#?!0123456789", rest[1]) >= 0:
		s.word.doubt, s.begun = "a variable of the shell is not in the files", true
		s.at += 2
		return
	case m == nil:
		s.add(1)
		return
	}
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return rest[m[2*i]:m[2*i+1]]
	}
	start := s.at
	s.at += m[1]
	braced := m[2] < 0
	name := group(1) + group(2)
	alone := s.dialect == Systemd && !braced && !quoted && !s.begun && (s.at == len(s.text.text) || strings.IndexByte(" \t\n\r\\", s.text.text[s.at]) >= 0)
	value, known := s.env.Value(name)
	if s.env.spent += len(value.text); s.env.spent > maxSpent {
		value, known = Text{Doubt: "the values of variables are too long"}, true
	}
	if op := group(3); op != "" {
		empty := !known || value.text == "" && value.Doubt == "" && op[0] == ':'
		switch use := op[len(op)-1]; {
		case use == '+' && empty:
			value, known = Text{}, true
		case use == '+', use != '?' && empty:
			s.alternative(s.text.Slice(start+m[8], start+m[9]), quoted)
			return
		case empty:
			known = false
		}
	}
	if !known {
		value = Text{Doubt: s.env.Missing(name)}
	}
	if split := alone || s.dialect == Shell && !quoted && !s.whole; !split || value.text == "" {
		s.word.add(value)
		s.begun = s.begun || quoted || value.text != "" || value.Doubt != "" || braced && s.dialect == Systemd
		return
	}
	s.fill(value, alone)
}

// alternative takes the word behind :- or :+ in place of a variable.
func (s *splitter) alternative(word Text, quoted bool) {
	whole := quoted || s.whole
	for i, words := range (&splitter{dialect: s.dialect, env: s.env, text: word, whole: whole}).split() {
		for j, w := range words {
			switch {
			case i+j > 0 && whole:
				s.word.add(Literal(" "))
			case i+j > 0:
				s.end()
			}
			s.word.add(w)
			s.begun = true
		}
	}
}

// fill adds a value word by word. In a unit the words may be in quotation marks.
func (s *splitter) fill(value Text, marks bool) {
	if marks {
		for _, words := range Split(value, Systemd, nil) {
			s.words = append(s.words, words...)
		}
		return
	}
	for i := 0; i < len(value.text); {
		if strings.IndexByte(" \t\n", value.text[i]) >= 0 {
			s.end()
			i++
			continue
		}
		j := i
		for j < len(value.text) && strings.IndexByte(" \t\n", value.text[j]) < 0 {
			j++
		}
		s.word.add(value.Slice(i, j))
		s.begun = true
		i = j
	}
}
