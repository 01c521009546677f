package container

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// An instruction is one of a Dockerfile: its name in capitals, its flags such as "--from=x",
// and its other arguments.
type instruction struct {
	name  string
	flags []string
	text  command.Text
}

// read are the instructions that are looked at; of the others only the end is found.
var read = []string{"FROM", "ARG", "ENV", "CMD", "ENTRYPOINT", "COPY", "ADD", "WORKDIR"}

// maxInstructions is how many of these one file has.
const maxInstructions = 10_000

// A scanner splits a Dockerfile into instructions, as BuildKit does
// (frontend/dockerfile/parser/parser.go). Its parser is not used: it gives lines and no
// columns, and brings two libraries for protocol buffers.
type scanner struct {
	file   *source.File
	at     []int
	lines  []string
	next   int // line
	escape byte
}

// instructions returns the instructions of a Dockerfile, and reports whether these are all.
func instructions(f *source.File) (list []instruction, all bool) {
	s := &scanner{file: f, escape: '\\'}
	for at, text := range f.Lines() {
		s.at, s.lines = append(s.at, at), append(s.lines, text)
	}
	if len(s.lines) > 0 {
		s.lines[0] = strings.TrimPrefix(s.lines[0], "\ufeff")
		s.at[0] += len(f.Text) - len(strings.TrimPrefix(f.Text, "\ufeff"))
	}
	s.directives()
	for s.next < len(s.lines) {
		if skippedLine(s.lines[s.next]) {
			s.next++
			continue
		}
		i, ok := s.instruction()
		switch {
		case !ok:
		case len(list) >= maxInstructions:
			return list, false
		default:
			list = append(list, i)
		}
	}
	return list, true
}

// directive is a comment at the beginning that says how to read the file.
var directive = regexp.MustCompile(`^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$`)

// directives reads the directives (Dockerfile reference, "parser directives").
func (s *scanner) directives() {
	for _, line := range s.lines {
		m := directive.FindStringSubmatch(line)
		if m == nil || !slices.Contains([]string{"syntax", "escape", "check"}, strings.ToLower(m[1])) {
			return
		}
		if strings.EqualFold(m[1], "escape") && m[2] == "`" {
			s.escape = '`'
		}
	}
}

// skippedLine reports whether a line is blank or a comment, which may also be inside of an
// instruction.
func skippedLine(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}

// instruction reads the next one with its continuation lines and here-documents. It reports
// false for one that is not looked at.
func (s *scanner) instruction() (instruction, bool) {
	var raw strings.Builder
	var parts [][2]int
	for s.next < len(s.lines) {
		body, goesOn := s.continued(s.lines[s.next])
		raw.WriteString(body)
		parts = append(parts, [2]int{s.at[s.next], s.at[s.next] + len(body)})
		s.next++
		if !goesOn {
			break
		}
		for s.next < len(s.lines) && skippedLine(s.lines[s.next]) {
			s.next++
		}
	}
	name, _ := firstWord(raw.String())
	name = strings.ToUpper(name)
	s.documents(name, raw.String())
	if !slices.Contains(read, name) {
		return instruction{}, false
	}
	texts := make([]command.Text, len(parts))
	for i, p := range parts {
		texts[i] = command.From(s.file, p[0], p[1])
	}
	text := command.Concat(texts...)
	_, at := firstWord(text.String())
	i := instruction{name: name}
	for {
		word, end := firstWord(text.String()[at:])
		if !strings.HasPrefix(word, "--") {
			break
		}
		i.flags = append(i.flags, word)
		at += end
	}
	at += len(text.String()[at:]) - len(strings.TrimLeft(text.String()[at:], " \t\v\f\r"))
	i.text = text.Slice(at, len(text.String()))
	return i, true
}

// firstWord returns the first word of a text, and where it ends.
func firstWord(text string) (word string, end int) {
	const blanks = " \t\v\f\r\n"
	begin := len(text) - len(strings.TrimLeft(text, blanks))
	if n := strings.IndexAny(text[begin:], blanks); n >= 0 {
		return text[begin : begin+n], begin + n
	}
	return text[begin:], len(text)
}

// continued returns a line without the escape character at its end, and whether it has one: an
// escaped one is none.
func (s *scanner) continued(line string) (body string, goesOn bool) {
	body = strings.TrimRight(line, " \t")
	n := len(body) - 1
	if n < 0 || body[n] != s.escape || n > 0 && body[n-1] == s.escape {
		return line, false
	}
	return body[:n], true
}

// withDocuments are the instructions that can have here-documents.
var withDocuments = []string{"RUN", "COPY", "ADD", "ONBUILD"}

// hereDocument is a word that begins one.
var hereDocument = regexp.MustCompile(`^\d*<<(-?)(["']?)([^<"'\s]+)(["']?)$`)

// documents skips the here-documents of an instruction. One without an end is none.
func (s *scanner) documents(name, text string) {
	if !strings.Contains(text, "<<") || !slices.Contains(withDocuments, name) {
		return
	}
	for _, word := range rawWords(text) {
		m := hereDocument.FindStringSubmatch(word)
		if m == nil || m[2] != m[4] {
			continue
		}
		for i := s.next; i < len(s.lines); i++ {
			line := s.lines[i]
			if m[1] != "" {
				line = strings.TrimLeft(line, "\t")
			}
			if line == m[3] {
				s.next = i + 1
				break
			}
		}
	}
}

// maxRaw is how many bytes of an instruction are searched for here-documents.
const maxRaw = 64 << 10

// rawWords splits a text at blanks that are not in quotation marks, which stay.
func rawWords(text string) (words []string) {
	text = text[:min(len(text), maxRaw)]
	begin, mark := -1, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		blank := mark == 0 && strings.IndexByte(" \t\v\f\r\n", c) >= 0
		switch {
		case blank && begin >= 0:
			words = append(words, text[begin:i])
			begin = -1
			continue
		case blank:
			continue
		case c == '\\' && mark != '\'':
			i++
		case mark == 0 && (c == '"' || c == '\''):
			mark = c
		case c == mark:
			mark = 0
		}
		if begin < 0 {
			begin = min(i, len(text)-1)
		}
	}
	if begin >= 0 {
		words = append(words, text[begin:])
	}
	return words
}

// list returns the words of an instruction whose arguments are a list of JSON, and reports
// whether they are one.
func (i instruction) list() ([]command.Text, bool) {
	var words []string
	text := i.text.String()
	if !strings.HasPrefix(text, "[") || json.NewDecoder(strings.NewReader(text)).Decode(&words) != nil {
		return nil, false
	}
	return command.Place(words, i.text), true
}

// words returns the words of an instruction, with the values of variables.
func (i instruction) words(env *command.Environment) []command.Text {
	for _, words := range command.Split(i.text, command.Docker, env) {
		return words
	}
	return nil
}

// flag returns the value of a flag, "" if it is not given.
func (i instruction) flag(name string) string {
	for _, f := range i.flags {
		if v, ok := strings.CutPrefix(f, "--"+name+"="); ok {
			return v
		}
	}
	return ""
}
