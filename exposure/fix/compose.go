package fix

import (
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
)

// composeBind binds a published port of a Docker Compose file: in the short syntax, one entry
// a line or several in brackets, and in the long syntax, where host_ip is set.
func composeBind(text string, at listenerAt, address string) (string, error) {
	out, err := rebinder("published port", composeTokens)(text, at, address)
	if err == nil || at.line == 0 {
		return out, err
	}
	list := lines(text)
	if at.line > len(list) {
		return "", err
	}
	i := at.line - 1
	if now, ok := composeFlow(list[i], at.port, address); ok {
		list[i] = now
		return strings.Join(list, ""), nil
	}
	if list, ok := composeLong(list, i, at.port, address); ok {
		return strings.Join(list, ""), nil
	}
	return "", err
}

// composeItem is an entry of a list in brackets, up to its end.
var composeItem = regexp.MustCompile(`^[\s"']*((?:\[[^\]\s]*\]:|[0-9.]+:)?[0-9]+(?:-[0-9]+)?):[0-9]+(?:-[0-9]+)?(?:/tcp)?["']?\s*$`)

// composeInside is a line inside of a list in brackets that began before: it has no key and
// no dash.
var composeInside = regexp.MustCompile(`^\s*["'0-9]`)

// composeList is the beginning of a list of ports in brackets.
var composeList = regexp.MustCompile(`(?:^\s*|[\s{,]["']?ports["']?:\s*(?:&\S+\s+)?)\[`)

// composeFlow binds the entry of a port in a line with a list in brackets, or inside of one. If
// several entries of the line could be it, it binds none.
func composeFlow(line string, port uint16, address string) (string, bool) {
	if comment(line) {
		return "", false
	}
	code, _, _ := strings.Cut(line, " #")
	begins := []int{0}
	if !composeInside.MatchString(line) {
		begins = nil
		for _, m := range composeList.FindAllStringIndex(code, -1) {
			begins = append(begins, m[1])
		}
	}
	bound, found := "", 0
	for _, from := range begins {
		for _, item := range strings.SplitAfter(code[from:], ",") {
			end := strings.TrimRight(item, ", \t\r\n}")
			closes := strings.LastIndexByte(end, ']') > strings.LastIndexByte(end, ':')
			if closes {
				end = end[:strings.LastIndexByte(end, ']')]
			}
			if m := composeItem.FindStringSubmatchIndex(end); m != nil {
				e, ok := endpoint.Parse(end[m[2]:m[3]])
				if ok && e.Port == port && e.Last == port && !e.Loopback() {
					bound = line[:from+m[2]] + e.Bound(address) + line[from+m[3]:]
					found++
				}
			}
			if closes {
				break
			}
			from += len(item)
		}
	}
	return bound, found == 1
}

var (
	composePublished = regexp.MustCompile(`^(\s*(?:-\s+)?)published:\s*["']?([0-9]+)["']?\s*(?:#.*)?$`)
	composeHostIP    = regexp.MustCompile(`^(\s*(?:-\s+)?host_ip:\s*)(\S+)`)
	composeMapping   = regexp.MustCompile(`(\{[^{}]*published:\s*["']?)([0-9]+)(["']?)([^{}]*\})`)
)

// composeLong sets host_ip in the entry of the long syntax that publishes a port on the
// line with that index.
func composeLong(list []string, i int, port uint16, address string) ([]string, bool) {
	line := strings.TrimRight(list[i], "\r\n")
	for _, m := range composeMapping.FindAllStringSubmatchIndex(line, -1) {
		e, ok := endpoint.Parse(line[m[4]:m[5]])
		if ok && e.Port == port && !strings.Contains(line[m[0]:m[1]], "host_ip") {
			list[i] = line[:m[7]] + ", host_ip: " + address + line[m[7]:] + ending(list[i])
			return list, true
		}
	}
	m := composePublished.FindStringSubmatch(line)
	if m == nil {
		return nil, false
	}
	if e, ok := endpoint.Parse(m[2]); !ok || e.Port != port {
		return nil, false
	}
	column := len(m[1])
	for from, to := composeEntry(list, i, column); from <= to; from++ {
		if h := composeHostIP.FindStringSubmatchIndex(list[from]); h != nil {
			list[from] = list[from][:h[4]] + address + list[from][h[5]:]
			return list, true
		}
	}
	added := strings.Repeat(" ", column) + "host_ip: " + address + ending(list[i])
	return append(list[:i+1:i+1], append([]string{added}, list[i+1:]...)...), true
}

// composeEntry returns the first and the last line of the entry whose keys begin in a
// column, of which line i is one.
func composeEntry(list []string, i, column int) (first, last int) {
	key := func(line string) int { return len(line) - len(strings.TrimLeft(line, " -")) }
	begins := func(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " "), "-") }
	first, last = i, i
	for first > 0 && !begins(list[first]) && key(list[first-1]) == column {
		first--
	}
	for last+1 < len(list) && !begins(list[last+1]) && key(list[last+1]) == column {
		last++
	}
	return first, last
}
