package proxy

import (
	"slices"
	"strconv"
)

// conditions are the .if around a line (HAProxy, configuration.txt 2.4).
type conditions []condition

// A condition is one .if, up to its .endif.
type condition struct {
	state int    // of the branch: yes, no or maybe
	taken int    // whether an earlier branch was: yes, no or maybe
	text  string // of the last condition that is not decided
}

const (
	no = iota
	maybe
	yes
)

// next returns the conditions after a line that begins with a dot.
func (c conditions) next(keyword string, words []word) conditions {
	if keyword == ".if" && len(c) >= maxDepth {
		return c // HAProxy does not start
	}
	if keyword == ".if" {
		state, text := decide(words)
		return append(slices.Clone(c), condition{state, state, text})
	}
	if len(c) == 0 {
		return c
	}
	c = slices.Clone(c)
	top := &c[len(c)-1]
	state, text := yes, ""
	switch keyword {
	case ".endif":
		return c[:len(c)-1]
	case ".elif":
		state, text = decide(words)
	case ".else":
	default: // .notice and the like
		return c
	}
	if text != "" {
		top.text = text
	}
	top.state = min(state, yes-top.taken)
	top.taken = max(top.taken, state)
	return c
}

// decide returns whether a condition is met; only numbers are decided.
func decide(words []word) (state int, text string) {
	if len(words) == 0 {
		return no, ""
	}
	if n, err := strconv.Atoi(words[0].text); err == nil && len(words) == 1 {
		if n == 0 {
			return no, ""
		}
		return yes, ""
	}
	return maybe, joined(words)
}

// never reports whether the lines are not read.
func (c conditions) never() bool {
	return slices.ContainsFunc(c, func(c condition) bool { return c.state == no })
}

// undecided returns a condition that is not decided, "" if all are.
func (c conditions) undecided() string {
	for _, c := range c {
		if c.state == maybe {
			return c.text
		}
	}
	return ""
}
