package postfix

import (
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// Tags of templates that become files of Postfix: of Jinja and Go, of Perl's Template
// Toolkit, and of ERB.
var tags = [...]struct{ open, end string }{{"{{", "}}"}, {"{%", "%}"}, {"{#", "#}"}, {"[%", "%]"}, {"<%", "%>"}, {"%{", "}"}}

// hidden stands for a blank inside of a tag, so that the tag is a part of one word.
const hidden = '\x1f'

// hideTags returns a line with the blanks inside of tags hidden. "${{" is no tag but a
// condition of Postfix.
func hideTags(line string) string {
	if !strings.ContainsAny(line, "{[<") {
		return line
	}
	var b []byte
	tags := tagFinder{line: line}
	for at := 0; at < len(line); {
		end := tags.end(at)
		if end < 0 {
			at++
			continue
		}
		if b == nil {
			b = []byte(line)
		}
		for i := at; i < end; i++ {
			if b[i] == ' ' || b[i] == '\t' {
				b[i] = hidden
			}
		}
		at = end
	}
	if b == nil {
		return line
	}
	return string(b)
}

// A tagFinder finds the tags of a line from its beginning on.
type tagFinder struct {
	line string
	ends [len(tags)]int // where the next end of each kind is, 0 if it was not looked for, -1 for none
}

// end returns where the tag ends that begins at an offset, -1 if none does. The offset must
// not be before that of an earlier call.
func (f *tagFinder) end(at int) int {
	for i, tag := range tags {
		if !strings.HasPrefix(f.line[at:], tag.open) || at > 0 && f.line[at-1] == '$' {
			continue
		}
		from := at + len(tag.open)
		if f.ends[i] >= 0 && f.ends[i] < from {
			if f.ends[i] = strings.Index(f.line[from:], tag.end); f.ends[i] >= 0 {
				f.ends[i] += from
			}
		}
		if f.ends[i] >= 0 {
			return f.ends[i] + len(tag.end)
		}
	}
	return -1
}

// isTemplate reports whether a text has a tag.
func isTemplate(s string) bool {
	tags := tagFinder{line: s}
	for at := range len(s) {
		if strings.IndexByte("{[<%", s[at]) >= 0 && tags.end(at) > 0 {
			return true
		}
	}
	return false
}

// show returns a text as the file has it, with the blanks that hideTags hid.
func show(s string) string {
	s = strings.ReplaceAll(s, string(hidden), " ")
	return strings.ReplaceAll(s, `\x1f`, " ") // in quotes
}

// shown returns what was read with all texts as the files have them.
func shown(c listeners.Config) listeners.Config {
	for i := range c.Listeners {
		l := &c.Listeners[i]
		l.Host, l.Service, l.Doubt = show(l.Host), show(l.Service), show(l.Doubt)
		for j := range l.Causes {
			l.Causes[j].Why = show(l.Causes[j].Why)
		}
		for j := range l.Settings {
			l.Settings[j].Value = show(l.Settings[j].Value)
		}
	}
	for i := range c.Edges {
		c.Edges[i].From, c.Edges[i].Host = show(c.Edges[i].From), show(c.Edges[i].Host)
	}
	for i := range c.Doubts {
		c.Doubts[i].Problem = show(c.Doubts[i].Problem)
	}
	return c
}
