package command

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// assignment is the beginning of an assignment of the shell.
var assignment = regexp.MustCompile(`^[ \t]*([A-Za-z_]\w*)(\+?)=`)

// Assignments sets the variables that a file of assignments sets, as those of /etc/default,
// which a shell reads, or with Systemd those of EnvironmentFile=, in which nothing is replaced.
// A variable has a doubt that is set on a condition, to the output of a command or by one, or
// that a file may set which is read with "." and is not in the tree, which may be nil.
func Assignments(t *source.Tree, f *source.File, d Dialect, env *Environment) {
	if d == Shell {
		(&script{tree: t, file: f, env: env, spent: new(int)}).run()
		return
	}
	for at := 0; at < len(f.Text); {
		end := logicalEnd(f.Text, at)
		line := f.Text[at:end]
		if start := strings.TrimLeft(line, " \t"); strings.HasPrefix(start, "#") || strings.HasPrefix(start, ";") {
			at = lineEnd(f.Text, at) + 1
			continue
		}
		if m := assignment.FindStringSubmatchIndex(line); m != nil {
			env.Set(line[m[2]:m[3]], valueOf(f, at+m[1], end))
		}
		at = end + 1
	}
}

// valueOf returns the value of an assignment of EnvironmentFile=: all of the line.
func valueOf(f *source.File, start, end int) Text {
	var value Text
	for i, words := range splitValue(From(f, start, end), Systemd, nil) {
		for j, w := range words {
			if i+j > 0 {
				value = value.plus(Literal(" "))
			}
			value = value.plus(w)
		}
	}
	return value
}

// A script is a file that a shell reads.
type script struct {
	tree        *source.Tree
	file        *source.File
	env         *Environment
	onCondition bool // all of it
	depth       int  // of files that are read with "."
	spent       *int // what is bounded by maxRuns
}

// maxRuns is how many files a script reads with ".", and how many commands it may have that may
// set any variable.
const maxRuns = 200

// run runs the commands, as far as they set variables.
func (s *script) run() {
	for c := range simpleCommands(s.file.Text) {
		if *s.spent > maxRuns {
			return
		}
		c.onCondition = c.onCondition || s.onCondition
		for _, w := range c.words {
			s.defaults(w, c.onCondition)
		}
		s.command(c)
	}
}

// declaring are commands whose arguments are assignments.
var declaring = []string{"export", "readonly", "local", "declare", "typeset"}

// command runs one.
func (s *script) command(c simple) {
	words := c.words
	declares := slices.Contains(declaring, s.raw(words[0]))
	if declares {
		words = words[1:]
	}
	n := 0
	for n < len(words) && assignment.MatchString(s.raw(words[n])) {
		n++
	}
	if n < len(words) && !declares { // those before are variables of the command alone
		s.other(words[n:], c.onCondition)
		return
	}
	for _, w := range words {
		s.assign(w, c.onCondition)
	}
}

// raw returns a word with its quotation marks.
func (s *script) raw(w span) string { return s.file.Text[w.start:w.end] }

// value returns the value of what a word has from an offset on.
func (s *script) value(start, end int) Text {
	for _, words := range splitValue(From(s.file, start, end), Shell, s.env) {
		for _, w := range words {
			return w
		}
	}
	return Text{}
}

// set sets a variable.
func (s *script) set(name string, value Text, onCondition bool) {
	if onCondition {
		value.Doubt = "the variable " + name + " is set on a condition"
	}
	s.env.Set(name, value)
}

// assign runs an assignment; other words have no effect.
func (s *script) assign(w span, onCondition bool) {
	m := assignment.FindStringSubmatchIndex(s.raw(w))
	if m == nil {
		return
	}
	name := s.raw(w)[m[2]:m[3]]
	value := s.value(w.start+m[1], w.end)
	if strings.HasPrefix(s.raw(w)[m[1]:], "(") {
		value = Text{Doubt: "the variable " + name + " is an array"}
	}
	if m[4] < m[5] { // +=
		old, _ := s.env.Value(name)
		value = old.plus(value)
	}
	s.set(name, value, onCondition)
}

// defaulting is the beginning of an expansion that sets a variable that has no value.
var defaulting = regexp.MustCompile(`\$\{([A-Za-z_]\w*):?=`)

// maxDefaults is how many of them one word has.
const maxDefaults = 20

// defaults runs the expansions of a word that set variables.
func (s *script) defaults(w span, onCondition bool) {
	found := defaulting.FindAllStringSubmatchIndex(s.raw(w), maxDefaults)
	if len(found) == maxDefaults {
		s.doubtAll("there are more ${NAME:=...} in a word than are read")
	}
	for _, m := range found {
		inner := &scanner{text: s.file.Text[:w.end], at: w.start + m[0] + 1}
		inner.skip('{', '}')
		s.set(s.raw(w)[m[2]:m[3]], s.value(w.start+m[0], inner.at), onCondition)
	}
}

// quiet are commands that set no variables.
var quiet = []string{":", "true", "false", "[", "[[", "test", "echo", "exit", "return", "set", "shift", "umask", "ulimit", "cd", "mkdir", "rm", "chown", "chmod", "cat", "logger"}

// named is a word that is the name of a variable.
var named = regexp.MustCompile(`^["']?([A-Za-z_]\w*)["']?$`)

// other runs another command: each variable that it names may be set by it.
func (s *script) other(words []span, onCondition bool) {
	name, rest := s.raw(words[0]), words[1:]
	switch {
	case slices.Contains(quiet, name), len(rest) == 0:
		return
	case name == "." || name == "source":
		s.include(s.value(rest[0].start, rest[0].end), onCondition)
		return
	}
	for _, w := range rest {
		raw := s.raw(w)
		m := named.FindStringSubmatch(raw)
		switch {
		case name == "eval" && strings.Contains(raw, "$"):
			s.doubtAll("eval runs a command that is not known")
		case m != nil && name == "unset" && !onCondition:
			delete(s.env.values, m[1])
		case m != nil:
			s.doubt(m[1], name)
		case name == "eval":
			for _, m := range assigned.FindAllStringSubmatch(raw, maxDefaults) {
				s.doubt(m[1], name)
			}
		}
	}
}

// assigned is a variable that a word assigns somewhere.
var assigned = regexp.MustCompile(`([A-Za-z_]\w*)\+?=`)

// doubt gives a variable the doubt that a command may set it.
func (s *script) doubt(variable, command string) {
	value, _ := s.env.Value(variable)
	value.Doubt = "the variable " + variable + " may be set by " + command
	s.env.Set(variable, value)
}

// doubtAll gives each variable a doubt.
func (s *script) doubtAll(problem string) {
	*s.spent++
	s.env.doubtAll(problem)
}

// maxSourced is how deep files read each other.
const maxSourced = 4

// include runs a file that "." names.
func (s *script) include(name Text, onCondition bool) {
	var found []string
	if s.tree != nil && name.Doubt == "" && strings.HasPrefix(name.text, "/") && s.depth < maxSourced {
		found = s.tree.Find(s.file.Name, globEscaped.Replace(name.text))
	}
	if *s.spent++; len(found) > 0 && *s.spent <= maxRuns {
		if f, err := s.tree.Include(found[0]); err == nil {
			(&script{tree: s.tree, file: f, env: s.env, onCondition: onCondition, depth: s.depth + 1, spent: s.spent}).run()
			return
		}
	}
	problem := "a file that is read with . is not known: " + name.Doubt
	if name.Doubt == "" {
		problem = "the file " + name.text + ", which may set it, is not among the files"
	}
	s.doubtAll(problem)
}

// globEscaped makes a pattern that means the path itself.
var globEscaped = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// logicalEnd returns where the line of an offset ends, with those that continue it: in
// quotation marks, or behind a backslash.
func logicalEnd(text string, at int) int {
	mark := byte(0)
	comment := strings.HasPrefix(strings.TrimLeft(text[at:lineEnd(text, at)], " \t"), "#")
	for i := at; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n' && (mark == 0 || comment):
			return i
		case comment:
		case c == '\\' && mark != '\'':
			i++
		case mark == 0 && (c == '"' || c == '\''):
			mark = c
		case mark != 0 && c == mark:
			mark = 0
		case mark == 0 && c == '#' && i > at && (text[i-1] == ' ' || text[i-1] == '\t'):
			return lineEnd(text, i)
		}
	}
	return len(text)
}

// lineEnd returns where the line of an offset ends.
func lineEnd(text string, at int) int {
	if n := strings.IndexByte(text[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(text)
}
