package fix

import (
	"strconv"
	"strings"
)

// dovecotDefaults has the ports of listeners that specify none.
var dovecotDefaults = map[string]uint16{
	"imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995, "sieve": 4190, "submission": 587, "submissions": 465,
}

// A dovecotLine is one line of a Dovecot file. No statement spans several lines.
type dovecotLine struct {
	key, value string // of a setting
	start, end int    // of its value in the line
	opens      string // the head of the block that the line opens
	closes     bool
	depth      int // number of blocks around it
}

// dovecotLines parses the lines of a file. A block opens at the end of a line and
// closes on a line of its own.
func dovecotLines(list []string) []dovecotLine {
	out := make([]dovecotLine, len(list))
	depth := 0
	for i, line := range list {
		code := line[:valueEndOf(line)]
		s := strings.TrimSpace(code)
		l := &out[i]
		l.depth = depth
		key, value, isSetting := strings.Cut(s, "=")
		switch {
		case strings.HasSuffix(s, "{"):
			l.opens = strings.Join(strings.Fields(strings.TrimSuffix(s, "{")), " ")
			depth++
		case s == "}":
			l.closes = true
			depth = max(depth-1, 0)
			l.depth = depth
		case isSetting:
			l.start, l.end = skipBlanks(code, strings.IndexByte(code, '=')+1), len(code)
			l.key, l.value = strings.TrimSpace(key), strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return out
}

// valueEndOf returns the end of what a line has before its remark. A number sign begins one
// unless it is quoted, also directly after a word (config-parser.c, config_parse_line).
func valueEndOf(line string) int {
	end, _ := valueEnd(line, 0, "#")
	return end
}

// set replaces the value of a setting in its line; where is the number of the line, from 0.
func (l *dovecotLine) set(line string, where int, value func(old string) string) (string, error) {
	if strings.HasSuffix(line[:l.end], `\`) {
		return "", &UnclearError{where + 1, "the value continues on the next line"}
	}
	start := max(l.start, 0)
	lead := line[:start]
	if l.end <= start {
		lead = strings.TrimRight(lead, " \t") + " "
	}
	return lead + value(line[start:max(l.end, start)]) + line[max(l.end, start):], nil
}

// maxDepth is how many blocks an inet_listener may be in.
const maxDepth = 100

// dovecotBind returns the edit that binds the inet_listener of a port: key is the
// setting to change.
func dovecotBind(key string) func(string, listenerAt, string) (string, error) {
	return func(text string, at listenerAt, address string) (string, error) {
		list := lines(text)
		parsed := dovecotLines(list)
		found := false
		for i := len(parsed) - 1; i >= 0; i-- { // from the end, because lines are added
			name, isListener := strings.CutPrefix(parsed[i].opens, "inet_listener")
			if !isListener || parsed[i].depth > maxDepth {
				continue
			}
			b := dovecotBlock(parsed, i, key)
			if b.port == 0 && b.portAt < 0 {
				b.port = dovecotDefaults[strings.TrimSpace(name)]
			}
			if b.port != at.port || !at.covers(i, b.end) {
				continue
			}
			found = true
			if b.keyAt >= 0 {
				line, err := parsed[b.keyAt].set(list[b.keyAt], b.keyAt, func(old string) string {
					if len(listedAddresses(old)) == 0 {
						return address
					}
					return boundList(old, address)
				})
				if err != nil {
					return "", err
				}
				list[b.keyAt] = line
				continue
			}
			after, lead := i, indent(list[i])+"  "
			if b.portAt >= 0 {
				after, lead = b.portAt, indent(list[b.portAt])
			}
			list[after] += lead + key + " = " + address + ending(list[i])
		}
		if !found {
			return "", &NotFoundError{"inet_listener", at.port}
		}
		return strings.Join(list, ""), nil
	}
}

// A listenerBlock is a parsed inet_listener block; an index is -1 if the block
// lacks the setting.
type listenerBlock struct {
	port          uint16
	portAt, keyAt int
	end           int // its last line
}

// dovecotBlock parses the block whose head is line i.
func dovecotBlock(parsed []dovecotLine, i int, key string) listenerBlock {
	b := listenerBlock{portAt: -1, keyAt: -1, end: i}
	for j := i + 1; j < len(parsed) && parsed[j].depth > parsed[i].depth; j++ {
		b.end = j
		if parsed[j].depth != parsed[i].depth+1 {
			continue
		}
		switch parsed[j].key {
		case "port":
			n, _ := strconv.ParseUint(parsed[j].value, 10, 16)
			b.port, b.portAt = uint16(n), j
		case key:
			b.keyAt = j
		}
	}
	return b
}

// indent returns the white space before the first word of a line.
func indent(line string) string { return line[:len(line)-len(strings.TrimLeft(line, " \t"))] }

// dovecotSet changes a setting outside all blocks; the first assignment is
// rewritten and further ones become comments.
func dovecotSet(text string, e Edit) (string, error) {
	list := lines(text)
	done := false
	for i, l := range dovecotLines(list) {
		switch {
		case l.key != e.Set || l.depth > 0:
		case done:
			list[i] = "# " + list[i]
		default:
			line, err := l.set(list[i], i, func(string) string { return e.Value })
			if err != nil {
				return "", err
			}
			list[i], done = line, true
		}
	}
	if !done {
		list = append(list, e.Set+" = "+e.Value+"\n")
	}
	return strings.Join(list, ""), nil
}
