package dovecot

import "strings"

// A lineKind says what a line is.
type lineKind int

const (
	lineFault      lineKind = iota // what Dovecot does not take
	lineValue                      // name = value
	lineFile                       // name = <file
	lineVariable                   // name = value with $
	lineBegin                      // name [value] {
	lineGroup                      // group @name value {
	lineEnd                        // }
	lineInclude                    // !include value
	lineIncludeTry                 // !include_try value
)

// A line is a parsed logical line.
type line struct {
	kind       lineKind
	key, value token
	quoted     bool   // the value was in quotation marks
	problem    string // of lineFault
}

// A grammar has what differs between 2.3 and 2.4 in config_parse_line.
type grammar struct {
	blanks string
	strict bool // only \\ and \" are escapes, and names may be quoted
}

var (
	grammar23 = grammar{blanks: " \t"}
	grammar24 = grammar{blanks: " \t\n\v\f\r", strict: true}
)

// content returns the bounds of a physical line without blanks and comment around it. end
// is start for a line that has nothing; more says that the next line continues it.
func (g grammar) content(s string) (start, end int, more bool) {
	start = len(s) - len(strings.TrimLeft(s, g.blanks))
	end = start
	if start == len(s) || s[start] == '#' {
		return start, start, false
	}
	for end < len(s) && s[end] != '#' {
		if c := s[end]; c == '\'' || c == '"' {
			end = quoteEnd(s, end)
		}
		end = min(end+1, len(s))
	}
	end = start + len(strings.TrimRight(s[start:end], g.blanks))
	if end > start && s[end-1] == '\\' {
		return start, start + len(strings.TrimRight(s[start:end-1], g.blanks)), true
	}
	return start, end, false
}

// quoteEnd returns where the quotation that begins at an offset ends: at its mark, or at
// the end of s.
func quoteEnd(s string, at int) int {
	mark := s[at]
	for at++; at < len(s) && s[at] != mark; at++ {
		if s[at] == '\\' && at+1 < len(s) {
			at++
		}
	}
	return at
}

// parse parses a logical line that is not empty (config_parse_line).
func (g grammar) parse(t *text) line {
	var l line
	s, at := t.s, 0
	if g.strict && s[0] == '"' {
		at = quoteEnd(s, 0)
		l.key = t.token(1, at)
		if l.key.s = g.unescape(l.key.s); at < len(s) {
			at++
		}
	} else {
		for at < len(s) && !g.blank(s[at]) && s[at] != '=' {
			at++
		}
		l.key = t.token(0, at)
	}
	at = g.skip(s, at)
	l.value = t.token(at, len(s))
	switch {
	case l.key.s == "!include":
		l.kind = lineInclude
	case l.key.s == "!include_try":
		l.kind = lineIncludeTry
	case at < len(s) && s[at] == '=':
		g.assignment(t, &l, g.skip(s, at+1))
	case l.key.s == "}" && at == len(s):
		l.kind = lineEnd
	case g.strict && l.key.s == "group":
		g.section(t, &l, at)
		if l.problem == "" {
			l.kind = lineGroup
		}
	default:
		g.section(t, &l, at)
	}
	return l
}

// assignment parses what follows "name =".
func (g grammar) assignment(t *text, l *line, at int) {
	rest := t.s[at:]
	l.value = t.token(at, len(t.s))
	switch {
	case l.key.s == "":
		l.problem = "a name is missing before ="
	case strings.HasPrefix(rest, "<"):
		l.kind, l.value = lineFile, t.token(g.skip(t.s, at+1), len(t.s))
	case rest != "" && (rest[0] == '"' || rest[0] == '\'') && rest[len(rest)-1] == rest[0]:
		l.kind, l.quoted = lineValue, true
		l.value.s = g.unescape(strings.TrimSuffix(rest[1:], rest[:1]))
		if len(rest) > 1 {
			l.value.start, l.value.end = at+1, len(t.s)-1
		}
	case rest != "" && rest[0] != '"' && rest[0] != '\'' && strings.Contains(rest, "$"):
		l.kind = lineVariable
	default:
		l.kind = lineValue
	}
}

// section parses what follows the type of a section. Of a group, whose label comes
// first, the key becomes the label.
func (g grammar) section(t *text, l *line, at int) {
	s := t.s
	l.kind, l.value = lineBegin, t.token(at, at)
	if g.strict && l.key.s == "group" && !strings.HasPrefix(s[at:], "{") {
		end := g.word(s, at)
		l.key = t.token(at, end)
		at = g.skip(s, end)
		l.value = t.token(at, at)
	}
	switch {
	case strings.HasPrefix(s[at:], "{"):
	case strings.HasPrefix(s[at:], `"`):
		end := strings.IndexByte(s[at+1:], '"')
		if end < 0 {
			at = len(s)
			break
		}
		l.quoted, l.value = true, t.token(at+1, at+1+end)
		l.value.s = g.unescape(l.value.s)
		at = g.skip(s, at+end+2)
	default:
		end := g.word(s, at)
		l.value = t.token(at, end)
		at = g.skip(s, end)
	}
	switch {
	case !strings.HasPrefix(s[at:], "{"):
		l.kind, l.problem = lineFault, "{ or = is missing"
	case at+1 < len(s):
		l.problem = "there is text after {"
	}
}

// word returns where the word ends that begins at an offset.
func (g grammar) word(s string, at int) int {
	for at < len(s) && !g.blank(s[at]) {
		at++
	}
	return at
}

// skip returns the offset of what follows the blanks at an offset.
func (g grammar) skip(s string, at int) int {
	for at < len(s) && g.blank(s[at]) {
		at++
	}
	return at
}

func (g grammar) blank(c byte) bool { return strings.IndexByte(g.blanks, c) >= 0 }

// unescape returns text without the \ before other characters (str_unescape). What 2.4
// refuses is left as it is.
func (g grammar) unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			if i++; i == len(s) {
				break
			}
			if g.strict && s[i] != '\\' && s[i] != '"' {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
