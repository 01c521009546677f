package fix

import (
	"errors"
	"net/netip"
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
)

// dottedEndpoint parses an address and a port separated by a dot, as Exim and
// Courier write them: "127.0.0.1.25", "::1.25", also "[::1]:25" (Exim
// specification, section 13.5; couriertcpd(8)). It reports false for an address
// without a port.
func dottedEndpoint(s string) (endpoint.Endpoint, bool) {
	if strings.HasPrefix(s, "[") {
		return endpoint.Parse(s)
	}
	at := strings.LastIndexByte(s, '.')
	if at < 0 {
		return endpoint.Endpoint{}, false
	}
	e, ok := endpoint.Parse(s[at+1:])
	e.Host = s[:at]
	if _, err := netip.ParseAddr(e.Host); e.Host != "*" && err != nil {
		return e, false
	}
	return e, ok
}

// dotted returns the endpoint with a dot before the port.
func dotted(e *endpoint.Endpoint, address string) string {
	if strings.Contains(e.Host, ":") && strings.HasPrefix(address, "127.") {
		address = "::1"
	}
	return address + "." + e.Name
}

var eximInterfaces = regexp.MustCompile(`^[ \t]*(dc_)?(?:local_interfaces|MAIN_LOCAL_INTERFACES)[ \t]*={1,2}[ \t]*(.*)$`)

// eximBind binds the entries for a port in Exim's local_interfaces, and in
// dc_local_interfaces, from which Debian generates it. An address without a port
// listens on daemon_smtp_ports, which is another setting.
func eximBind(text string, port uint16, address string) (string, error) {
	list := lines(text)
	found := false
	for i, line := range list {
		m := eximInterfaces.FindStringSubmatchIndex(strings.TrimRight(line, "\r\n"))
		if comment(line) || m == nil {
			continue
		}
		value := line[m[4]:m[5]]
		sep := byte(':')
		if m[2] >= 0 && strings.Contains(value, ";") {
			sep = ';'
		} else if len(value) > 1 && value[0] == '<' { // section 6.21: a custom separator
			sep = value[1]
		}
		bound, has, err := eximBindList(value, sep, port, address)
		if err != nil {
			return "", &UnclearError{i + 1, err.Error()}
		}
		list[i], found = line[:m[4]]+bound+line[m[5]:], found || has
	}
	if !found {
		return "", &NotFoundError{"entry of local_interfaces", port}
	}
	return strings.Join(list, ""), nil
}

// eximBindList binds the items of one list that have the port. It reports false
// if there are none.
func eximBindList(value string, sep byte, port uint16, address string) (string, bool, error) {
	var b strings.Builder
	found := false
	single, double := string(sep), string([]byte{sep, sep})
	was := map[string]string{}
	for i, item := range eximItems(value, sep) {
		if i > 0 {
			b.WriteByte(sep)
		}
		word := strings.Trim(item, " \t'\"")
		e, ok := dottedEndpoint(strings.ReplaceAll(word, double, single))
		if !ok || e.Port != port {
			b.WriteString(item)
			continue
		}
		found = true
		now := word
		if !e.Loopback() {
			now = strings.ReplaceAll(dotted(&e, address), single, double)
		}
		if before, ok := was[now]; ok && before != word {
			return "", false, errors.New("several listeners of this port would become the same")
		}
		was[now] = word
		b.WriteString(strings.Replace(item, word, now, 1))
	}
	return b.String(), found, nil
}

// eximItems splits a list at its separator; a doubled separator is a literal one
// (section 6.21).
func eximItems(value string, sep byte) []string {
	var list []string
	from := 0
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] != sep || i == 1 && value[0] == '<':
		case i+1 < len(value) && value[i+1] == sep:
			i++
		default:
			list = append(list, value[from:i])
			from = i + 1
		}
	}
	return append(list, value[from:])
}

var courierPort = regexp.MustCompile(`^[ \t]*PORT=["']?([^"'#]*)`)

// courierBind binds the entry of a port in the list PORT of a Courier daemon
// (couriertcpd(8), multiple port list). The last assignment counts; ADDRESS
// applies to ports without an address.
func courierBind(text string, port uint16, address string) (string, error) {
	start, value := 0, ""
	eachLine(text, func(line string, at int) {
		if m := courierPort.FindStringSubmatchIndex(line); m != nil {
			start, value = at+m[2], line[m[2]:m[3]]
		}
	})
	list := strings.Split(value, ",")
	found := false
	for i, part := range list {
		word := strings.TrimSpace(part)
		e, ok := dottedEndpoint(word)
		if !ok {
			e, ok = endpoint.Parse(word)
		}
		if !ok || e.Port != port {
			continue
		}
		found = true
		if !e.Loopback() {
			list[i] = strings.Replace(part, word, dotted(&e, address), 1)
		}
	}
	if !found {
		return "", &NotFoundError{"entry of PORT", port}
	}
	return text[:start] + strings.Join(list, ",") + text[start+len(value):], nil
}
