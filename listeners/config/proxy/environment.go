package proxy

import (
	"regexp"
	"sort"
	"strings"
)

// An environment has the variables that a file of HAProxy sets itself, as they are at one
// line.
type environment struct {
	*variables
	at int // the changes before the line
}

// variables are all changes of variables, in order.
type variables struct {
	changes map[string][]change
	count   int
	set     int // how many variables have a value at the end
	presets int // how many changes are presets
}

// A change sets or unsets a variable.
type change struct {
	at     int
	value  string
	known  bool // it has that value
	preset bool // it has that value unless the environment of HAProxy has another
}

// maxVariables is how many variables a file can set, and maxValue how long the value of
// one can be; further and longer ones count as not set.
const (
	maxVariables = 1000
	maxValue     = 4096
)

// newEnvironment returns an environment without variables.
func newEnvironment() *environment {
	return &environment{variables: &variables{changes: map[string][]change{}}}
}

// with returns the environment in which a variable has a value, or with known false has one
// that is not in the files. e must be the last one that it returned.
func (e *environment) with(name, value string, known bool) *environment {
	if _, was := e.value(name); was {
		e.set--
	}
	known = known && len(value) <= maxValue && e.set < maxVariables
	if known {
		e.set++
	}
	if !known && e.changes[name] == nil {
		return e
	}
	e.count++
	e.changes[name] = append(e.changes[name], change{at: e.count, value: value, known: known})
	return &environment{e.variables, e.count}
}

// withPreset returns the environment after presetenv, which sets what is not set. e must be
// the last one that it or with returned.
func (e *environment) withPreset(name, value string) *environment {
	if c := e.last(name); c.known || c.preset || len(value) > maxValue || e.presets >= maxVariables {
		return e
	}
	e.presets++
	e.count++
	e.changes[name] = append(e.changes[name], change{at: e.count, value: value, preset: true})
	return &environment{e.variables, e.count}
}

// value returns the value of a variable, and reports whether it is known.
func (e *environment) value(name string) (string, bool) {
	c := e.last(name)
	return c.value, c.known
}

// last returns the last change of a variable, the zero change if there is none.
func (e *environment) last(name string) change {
	list := e.changes[name]
	i := sort.Search(len(list), func(i int) bool { return list[i].at > e.at })
	if i == 0 {
		return change{}
	}
	return list[i-1]
}

// variablePattern is $NAME, ${NAME} or ${NAME-default} (HAProxy, configuration.txt 2.3); a list
// is ${NAME[*]}.
var variablePattern = regexp.MustCompile(`^\$(?:(\w+)|\{(\w+)(?:\[\*\])?(?:-([^}]*))?\})`)

// maxVariable is how long a variable with its default can be.
const maxVariable = 1000

// variable returns the value of the variable at the beginning of s, and how many bytes name
// it. Without a value in the files it is its default, or else as written, and open has its
// name.
func (w *word) variable(s string) (value string, width int) {
	s = s[:min(len(s), maxVariable)]
	m := variablePattern.FindStringSubmatchIndex(s)
	if m == nil {
		return "$", 1
	}
	group := func(i int) (string, bool) {
		if m[2*i] < 0 {
			return "", false
		}
		return s[m[2*i]:m[2*i+1]], true
	}
	name, plain := group(1)
	if !plain {
		name, _ = group(2)
	}
	if v, ok := w.env.value(name); ok {
		return v, m[1]
	}
	w.open = append(w.open, name)
	if c := w.env.last(name); c.preset {
		return c.value, m[1]
	}
	if v, ok := group(3); ok {
		return v, m[1]
	}
	return s[:m[1]], m[1]
}

// expanded returns the word as an address: variables are also replaced outside of
// quotation marks (HAProxy src/tools.c, str2sa_range).
func (w word) expanded() word {
	var text strings.Builder
	for i := 0; i < len(w.text); {
		value, width := w.text[i:i+1], 1
		if value == "$" {
			value, width = w.variable(w.text[i:])
		}
		if text.Len()+len(value) > maxWord {
			w.open = append(w.open, strings.Trim(w.text[i:i+width], "${}"))
			break
		}
		text.WriteString(value)
		i += width
	}
	w.text = text.String()
	return w
}

// doubt returns why the word is not certain, "" if it is.
func (w *word) doubt() string {
	if len(w.open) == 0 {
		return ""
	}
	if w.env.last(w.open[0]).preset {
		return "presetenv sets the environment variable " + w.open[0] + " only if it is not set where HAProxy starts"
	}
	return "the environment variable " + w.open[0] + " is not in the files"
}
