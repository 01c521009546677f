package fix

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// A token is where a file names the address and port of a listener.
type token struct {
	start, end int // bytes of the text
}

// rebinder makes the edit of a format whose listeners are tokens: the host of
// each token with the port becomes the address, or the loopback address of its
// own family. What is on loopback already stays. What names the kind of token,
// for the error.
func rebinder(what string, find func(text string) []token) func(string, uint16, string) (string, error) {
	return func(text string, port uint16, address string) (string, error) {
		var b strings.Builder
		at, found := 0, false
		was := map[string]string{} // what became of which token
		for _, t := range find(text) {
			old := text[t.start:t.end]
			ep, ok := parseEndpoint(old)
			line := 1 + strings.Count(text[:t.start], "\n")
			if ok && ep.last > ep.port && ep.port <= port && port <= ep.last {
				return "", &UnclearError{line, "a range of ports has this one in it"}
			}
			if !ok || ep.port != port {
				continue
			}
			found = true
			now := old
			if !ep.loopback() {
				now = ep.bound(address)
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

// An endpoint is "[host:]port" as configuration files write it.
type endpoint struct {
	prefix string // HAProxy's "ipv4@"
	host   string // without brackets; "", "*" for all
	name   string // the port as it is written
	port   uint16
	last   uint16 // of a range; port otherwise
}

// wellKnownPorts are the names of /etc/services that mail daemons use.
var wellKnownPorts = map[string]uint16{
	"smtp": 25, "mail": 25, "pop3": 110, "pop-3": 110, "imap": 143, "imap2": 143, "smtps": 465, "submissions": 465,
	"submission": 587, "qmqp": 628, "spamd": 783, "imaps": 993, "pop3s": 995, "lmtp": 24, "sieve": 4190, "csync": 2005,
}

// parseEndpoint reads an endpoint; false for a socket's path and whatever else
// has no port.
func parseEndpoint(s string) (endpoint, bool) {
	var e endpoint
	if i := strings.IndexByte(s, '@'); i >= 0 {
		e.prefix, s = s[:i+1], s[i+1:]
	}
	if strings.ContainsAny(s, "/ \t\r\n") {
		return e, false
	}
	e.name = s
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		e.host, e.name = strings.Trim(s[:i], "[]"), s[i+1:]
	}
	first, last, isRange := strings.Cut(e.name, "-")
	if n, ok := wellKnownPorts[strings.ToLower(e.name)]; ok {
		e.port, e.last = n, n
		return e, true
	}
	n, err := strconv.ParseUint(first, 10, 16)
	if err != nil || n == 0 {
		return e, false
	}
	e.port, e.last = uint16(n), uint16(n)
	if isRange {
		m, err := strconv.ParseUint(last, 10, 16)
		if err != nil {
			return e, false
		}
		e.last = uint16(m)
	}
	return e, true
}

// loopback reports whether the host is reached from itself alone.
func (e *endpoint) loopback() bool {
	if e.host == "localhost" || e.host == "ip6-localhost" {
		return true
	}
	a, err := netip.ParseAddr(e.host)
	return err == nil && a.Unmap().IsLoopback()
}

// bound is the endpoint on an address; one of IPv6 stays one of IPv6 where the
// address is loopback.
func (e *endpoint) bound(address string) string {
	if strings.Contains(e.host, ":") && strings.HasPrefix(address, "127.") {
		address = "::1"
	}
	if strings.Contains(address, ":") {
		address = "[" + address + "]"
	}
	return e.prefix + address + ":" + e.name
}

// eachLine calls f with each line that is no comment, and where it begins.
func eachLine(text string, f func(line string, start int)) {
	start := 0
	for line := range strings.Lines(text) {
		if !comment(line) {
			f(strings.TrimRight(line, "\r\n"), start)
		}
		start += len(line)
	}
}

// masterTokens are the names of the inet services of master.cf (master(5)): a
// logical line begins with text, a line that begins with a blank continues it.
func masterTokens(text string) []token {
	var list []token
	eachLine(text, func(line string, start int) {
		if f := strings.Fields(line); line[0] != ' ' && line[0] != '\t' && len(f) > 1 && f[1] == "inet" {
			list = append(list, token{start, start + len(f[0])})
		}
	})
	return list
}

// masterOption sets "-o name=value" in the entry of the port that e.In names.
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
		if ep, ok := parseEndpoint(f[0]); !ok || uint64(ep.port) != port {
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

// haproxyTokens are the addresses of the bind lines, of which a comma parts
// several.
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

// nginxTokens are the addresses of the listen directives.
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

var cyrusListen = regexp.MustCompile(`\slisten\s*=\s*"?([^"\s]+)"?`)

// cyrusTokens are the values of listen= (cyrus.conf(5)).
func cyrusTokens(text string) []token {
	var list []token
	eachLine(text, func(line string, start int) {
		if m := cyrusListen.FindStringSubmatchIndex(line); m != nil {
			list = append(list, token{start + m[2], start + m[3]})
		}
	})
	return list
}

var listenLine = regexp.MustCompile(`(?i)^\s*(?:--)?listen(?:\s*[=:]\s*|\s+)(\S+)\s*$`)

// listenTokens are the values of settings named listen, as Net::Server and
// clamsmtp write them.
func listenTokens(text string) []token {
	var list []token
	eachLine(text, func(line string, start int) {
		if m := listenLine.FindStringSubmatchIndex(line); m != nil {
			list = append(list, token{start + m[2], start + m[3]})
		}
	})
	return list
}

var smtpdListen = regexp.MustCompile(`^([ \t]*listen[ \t]+on[ \t]+)(\S+)(.*[ \t]port[ \t]+(\S+).*)$`)

// smtpdBind binds a listener of OpenSMTPD (smtpd.conf(5)), which names
// interface or address, and the port apart from it.
func smtpdBind(text string, port uint16, address string) (string, error) {
	list := lines(text)
	found := false
	for i, line := range list {
		m := smtpdListen.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if comment(line) || m == nil {
			continue
		}
		ep, ok := parseEndpoint(m[4])
		if !ok || ep.port != port {
			continue
		}
		found = true
		host := endpoint{host: m[2]}
		if host.loopback() || m[2] == "lo" || m[2] == "lo0" {
			continue
		}
		if strings.Contains(m[2], ":") && strings.HasPrefix(address, "127.") {
			list[i] = m[1] + "::1" + m[3] + ending(line)
			continue
		}
		list[i] = m[1] + address + m[3] + ending(line)
	}
	if !found {
		return "", &NotFoundError{"listen line", port}
	}
	return strings.Join(list, ""), nil
}

var composePort = regexp.MustCompile(`^\s*-\s*["']?((?:\[[^\]\s]*\]:|[0-9.]+:)?[0-9]+(?:-[0-9]+)?):[0-9]+(?:-[0-9]+)?(?:/tcp)?["']?\s*(?:#.*)?$`)

// composeTokens are the published sides of ports in their short form.
func composeTokens(text string) []token {
	var list []token
	eachLine(text, func(line string, start int) {
		if m := composePort.FindStringSubmatchIndex(line); m != nil {
			list = append(list, token{start + m[2], start + m[3]})
		}
	})
	return list
}
