package command

import (
	"maps"
	"slices"
)

// An Environment has the values of variables.
type Environment struct {
	values map[string]Text
	spent  int    // how many bytes of values were filled in
	rest   string // why variables that are not here may have a value, "" if they have none
}

// maxSpent is how many bytes of values are filled in for one environment.
const maxSpent = 4 << 20

// maxVariables is how many variables an environment has.
const maxVariables = 1_000

// Set gives a variable a value. Beyond a thousand variables those that are new have a doubt
// instead.
func (e *Environment) Set(name string, value Text) {
	if e.values == nil {
		e.values = map[string]Text{}
	}
	if _, ok := e.values[name]; ok || len(e.values) < maxVariables {
		e.values[name] = value
		return
	}
	e.rest = "there are more variables than are read"
}

// doubtAll gives each variable a doubt, also those that are not here.
func (e *Environment) doubtAll(problem string) {
	for name, v := range e.values {
		v.Doubt = problem
		e.values[name] = v
	}
	e.rest = problem
}

// Value returns the value of a variable, and reports whether it has one. A nil environment
// has none.
func (e *Environment) Value(name string) (Text, bool) {
	if e == nil {
		return Text{}, false
	}
	v, ok := e.values[name]
	if !ok && e.rest != "" {
		return Text{Doubt: e.rest}, true
	}
	return v, ok
}

// Names returns the names of the variables, sorted.
func (e *Environment) Names() []string {
	var names []string
	for n := range e.values {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Missing returns the doubt about a variable that has no value.
func (e *Environment) Missing(name string) string {
	return "the variable " + name + " has no value in the files"
}

// Clone returns an environment with the same variables; an empty one for nil.
func (e *Environment) Clone() *Environment {
	c := &Environment{}
	if e != nil {
		c.values, c.spent, c.rest = maps.Clone(e.values), e.spent, e.rest
	}
	return c
}

// SetPair sets the variable of a word "NAME=value"; without = it has no effect.
func (e *Environment) SetPair(word Text) {
	if name, value, ok := word.Cut("="); ok {
		e.Set(name.text, value)
	}
}
