package command

import (
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// assignment is the beginning of an assignment of the shell.
var assignment = regexp.MustCompile(`^[ \t]*(?:(?:export|readonly|local|declare)[ \t]+)?([A-Za-z_]\w*)(\+?)=`)

// The words that begin and end what the shell runs on a condition.
var (
	beginsBlock = regexp.MustCompile(`^[ \t]*(?:if|for|while|until|case)\b|\{[ \t]*$`)
	endsBlock   = regexp.MustCompile(`(?:^|[;\s])(?:fi|done|esac)\b|^[ \t]*\}`)
	condition   = regexp.MustCompile(`^[ \t]*(?:\[|test\b).*(?:&&|\|\|)`)
)

// Assignments sets the variables that a file of assignments sets, as those of /etc/default,
// which a shell reads, or with Systemd those of EnvironmentFile=, in which nothing is replaced.
// A variable that is set on a condition, or to the output of a command, has a doubt.
func Assignments(f *source.File, d Dialect, env *Environment) {
	depth := 0
	for at := 0; at < len(f.Text); {
		end := logicalEnd(f.Text, at)
		line := f.Text[at:end]
		if d == Shell {
			if beginsBlock.MatchString(line) {
				depth++
			}
			if endsBlock.MatchString(line) {
				depth = max(depth-1, 0)
			}
		}
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") || d == Systemd && strings.HasPrefix(strings.TrimLeft(line, " \t"), ";") {
			at = lineEnd(f.Text, at) + 1
			continue
		}
		if m := assignment.FindStringSubmatchIndex(line); m != nil {
			assign(f, d, env, m, at, end, depth > 0)
		} else if d == Shell && condition.MatchString(line) {
			conditional(f, env, line, at)
		}
		at = end + 1
	}
}

// assign sets one variable.
func assign(f *source.File, d Dialect, env *Environment, m []int, at, end int, onCondition bool) {
	name := f.Text[at+m[2] : at+m[3]]
	value := Text{}
	for i, words := range splitValue(From(f, at+m[1], end), d, inValues(d, env)) {
		for j, w := range words {
			switch {
			case i+j == 0 && (m[1] == len(f.Text[at:end]) || strings.IndexByte(" \t", f.Text[at+m[1]]) < 0):
				value = w
			case d == Systemd: // all of the line is the value
				value = value.plus(Literal(" ")).plus(w)
			}
		}
	}
	if m[4] < m[5] { // +=
		old, _ := env.Value(name)
		value = old.plus(value)
	}
	if onCondition {
		value.Doubt = "the variable " + name + " is set on a condition"
	}
	env.Set(name, value)
}

// inValues returns the variables that are replaced in values.
func inValues(d Dialect, env *Environment) *Environment {
	if d == Systemd {
		return nil
	}
	return env
}

// conditional gives a doubt to the variables that a line such as "[ -f x ] && A=1" sets.
func conditional(f *source.File, env *Environment, line string, at int) {
	for i, c := range line {
		if c != '&' && c != '|' {
			continue
		}
		if m := assignment.FindStringSubmatch(line[i+1:]); m != nil {
			env.Set(m[1], Text{Doubt: "the variable " + m[1] + " is set on a condition"})
		}
	}
}

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
