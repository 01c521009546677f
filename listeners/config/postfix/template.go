package postfix

import (
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// Tags of templates that become files of Postfix: of Jinja and Go, of Perl's Template
// Toolkit, and of ERB.
var tags = []struct{ open, end string }{{"{{", "}}"}, {"{%", "%}"}, {"{#", "#}"}, {"[%", "%]"}, {"<%", "%>"}, {"%{", "}"}}

// hidden stands for a blank inside of a tag, so that the tag is a part of one word.
const hidden = '\x1f'

// hideTags returns a line with the blanks inside of tags hidden. "${{" is no tag but a
// condition of Postfix.
func hideTags(line string) string {
	if !strings.ContainsAny(line, "{[<") {
		return line
	}
	var b []byte
	for at := 0; at < len(line); {
		end := tagEnd(line, at)
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

// tagEnd returns where the tag ends that begins at an offset, -1 if none does.
func tagEnd(line string, at int) int {
	for _, tag := range tags {
		if !strings.HasPrefix(line[at:], tag.open) || at > 0 && line[at-1] == '$' {
			continue
		}
		if i := strings.Index(line[at+len(tag.open):], tag.end); i >= 0 {
			return at + len(tag.open) + i + len(tag.end)
		}
	}
	return -1
}

// isTemplate reports whether a text has a tag.
func isTemplate(s string) bool {
	for at := range len(s) {
		if strings.IndexByte("{[<%", s[at]) >= 0 && tagEnd(s, at) > 0 {
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
