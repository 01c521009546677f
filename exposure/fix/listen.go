package fix

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/internal/statements"
)

// A token is where a file has the address and port of a listener.
type token struct {
	start, end int // byte offsets in the text
}

// rebinder returns the edit of a format whose listeners are tokens: the host of
// each token with the port is replaced by the address, or by the loopback address
// of its own family. Listeners on loopback stay. what is the kind of token, for
// errors.
func rebinder(what string, find func(text string) []token) func(string, listenerAt, string) (string, error) {
	return func(text string, which listenerAt, address string) (string, error) {
		var b strings.Builder
		at, found, port := 0, false, which.port
		was := map[string]string{} // original token of each new one
		line, counted := 1, 0
		for _, t := range find(text) {
			old := text[t.start:t.end]
			ep, ok := endpoint.Parse(old)
			line += strings.Count(text[counted:t.start], "\n")
			counted = t.start
			if ok && ep.Last > ep.Port && ep.Port <= port && port <= ep.Last {
				return "", &UnclearError{line, "a range of ports has this one in it"}
			}
			if !ok || ep.Port != port || !which.covers(line-1, line-1) {
				continue
			}
			found = true
			now := old
			if !ep.Loopback() {
				now = ep.Bound(address)
			}
			if before, ok := was[now]; ok && before != old {
				return "", &UnclearError{line, "several listeners of this port would become the same"}
			}
			was[now] = old
			b.WriteString(text[at:t.start])
			b.WriteString(now)
			at = t.end
		}
		if !found {
			return "", &NotFoundError{what, port}
		}
		b.WriteString(text[at:])
		return b.String(), nil
	}
}

// eachLine calls f with each line that is not a comment, and its offset.
func eachLine(text string, f func(line string, start int)) {
	start := 0
	for line := range strings.Lines(text) {
		if !comment(line) {
			f(strings.TrimRight(line, "\r\n"), start)
		}
		start += len(line)
	}
}

// masterTokens returns the service names of the inet services of master.cf
// (master(5)): a logical line begins with text, a line that begins with a blank
// continues it.
func masterTokens(text string) []token {
	var list []token
	eachLine(text, func(line string, start int) {
		if f := strings.Fields(line); line[0] != ' ' && line[0] != '\t' && len(f) > 1 && f[1] == "inet" {
			list = append(list, token{start, start + len(f[0])})
		}
	})
	return list
}

// masterOption sets "-o name=value" in the entry for the port in e.In.
func masterOption(text string, e Edit) (string, error) {
	port, _ := strconv.ParseUint(e.In, 10, 16)
	option := regexp.MustCompile(`(^|[ \t])-o[ \t]+` + regexp.QuoteMeta(e.Set) + `=\S*`)
	list := lines(text)
	found := false
	for i := 0; i < len(list); i++ {
		f := strings.Fields(list[i])
		if comment(list[i]) || list[i][0] == ' ' || list[i][0] == '\t' || len(f) < 2 || f[1] != "inet" {
			continue
		}
		if ep, ok := endpoint.Parse(f[0]); !ok || uint64(ep.Port) != port {
			continue
		}
		found = true
		last, done := i, false
		for j := i; j < len(list) && (j == i || comment(list[j]) || list[j][0] == ' ' || list[j][0] == '\t'); j++ {
			if comment(list[j]) {
				continue
			}
			last = j
			if option.MatchString(list[j]) {
				list[j] = option.ReplaceAllString(list[j], "${1}-o "+strings.ReplaceAll(e.Set+"="+e.Value, "$", "$$"))
				done = true
			}
		}
		if !done {
			list[last] += "  -o " + e.Set + "=" + e.Value + "\n"
		}
		i = last
	}
	if !found {
		return "", &NotFoundError{"inet entry", uint16(port)}
	}
	return strings.Join(list, ""), nil
}

// haproxyTokens returns the addresses of the bind lines, which may have several,
// separated by commas.
func haproxyTokens(text string) []token {
	var list []token
	eachLine(text, func(line string, start int) {
		at := strings.Index(line, "bind")
		if f := strings.Fields(line); f[0] != "bind" || len(f) < 2 {
			return
		}
		rest := line[at+len("bind"):]
		from := start + at + len("bind") + len(rest) - len(strings.TrimLeft(rest, " \t"))
		for part := range strings.SplitSeq(strings.Fields(rest)[0], ",") {
			list = append(list, token{from, from + len(part)})
			from += len(part) + 1
		}
	})
	return list
}

var nginxListen = regexp.MustCompile(`(?:^|[;{}\s])listen\s+([^\s;{}#]+)`)

// nginxTokens returns the addresses of the listen directives.
func nginxTokens(text string) []token {
	var list []token
	eachLine(text, func(line string, start int) {
		code, _, _ := cutStatement(line, '\n')
		for _, m := range nginxListen.FindAllStringSubmatchIndex(code, -1) {
			list = append(list, token{start + m[2], start + m[3]})
		}
	})
	return list
}

// cyrusTokens returns the values of listen= (cyrus.conf(5)).
func cyrusTokens(text string) []token {
	var list []token
	for _, s := range statements.ParseCyrus(text) {
		list = append(list, token{s.Listen.Start, s.Listen.End})
	}
	return list
}

var listenLine = regexp.MustCompile(`(?i)^\s*(?:--)?listen(?:\s*[=:]\s*|\s+)(\S+)\s*$`)

// listenTokens returns the values of settings named listen, as used by
// Net::Server and clamsmtp.
func listenTokens(text string) []token {
	var list []token
	eachLine(text, func(line string, start int) {
		if m := listenLine.FindStringSubmatchIndex(line); m != nil {
			list = append(list, token{start + m[2], start + m[3]})
		}
	})
	return list
}

// smtpdBind binds a listener of OpenSMTPD (smtpd.conf(5)), which has an interface
// or address, and a separate port.
func smtpdBind(text string, port uint16, address string) (string, error) {
	found, at := false, 0
	var b strings.Builder
	for _, l := range statements.ParseSMTPD(text).Listens {
		if n, ok := endpoint.Port(l.Port); !ok || n != port {
			continue
		}
		found = true
		host := endpoint.Endpoint{Host: l.Host}
		if host.Loopback() || endpoint.LoopbackInterface(l.Host) {
			continue
		}
		now := address
		if (strings.Contains(l.Host, ":") || l.Family == "inet6") && strings.HasPrefix(address, "127.") {
			now = "::1"
		}
		b.WriteString(text[at:l.On.Start])
		b.WriteString(now)
		at = l.On.End
	}
	if !found {
		return "", &NotFoundError{"listen line", port}
	}
	b.WriteString(text[at:])
	return b.String(), nil
}

var composePort = regexp.MustCompile(`^\s*-\s*["']?((?:\[[^\]\s]*\]:|[0-9.]+:)?[0-9]+(?:-[0-9]+)?):[0-9]+(?:-[0-9]+)?(?:/tcp)?["']?\s*(?:#.*)?$`)

// composeTokens returns the published side of ports in short syntax.
func composeTokens(text string) []token {
	var list []token
	eachLine(text, func(line string, start int) {
		if m := composePort.FindStringSubmatchIndex(line); m != nil {
			list = append(list, token{start + m[2], start + m[3]})
		}
	})
	return list
}
