package fix

import (
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
)

var (
	daemonOptions = regexp.MustCompile("(?m)^([^#\n]*?DAEMON_OPTIONS\\(`)([^'\n]*)('\\))")
	daemonKey     = regexp.MustCompile(`^\s*([A-Za-z])[A-Za-z]*\s*=\s*(.*?)\s*$`)
)

// sendmailBind binds the daemon of a port in the DAEMON_OPTIONS of sendmail.mc.
// Only the first letter of a key is significant, and a daemon without a port
// listens on that of smtp (installation and operation guide, section 5.8,
// DaemonPortOptions). A line that begins with dnl is a comment of m4.
func sendmailBind(text string, port uint16, address string) (string, error) {
	found := false
	bound := daemonOptions.ReplaceAllStringFunc(text, func(line string) string {
		m := daemonOptions.FindStringSubmatch(line)
		if strings.HasPrefix(strings.TrimSpace(m[1]), "dnl") {
			return line
		}
		options, has := sendmailDaemon(m[2], port, address)
		found = found || has
		return m[1] + options + m[3]
	})
	if !found {
		return "", &NotFoundError{"DAEMON_OPTIONS", port}
	}
	return bound, nil
}

// sendmailDaemon binds one daemon, given by its comma-separated options, if it
// has the port; one on loopback is unchanged.
func sendmailDaemon(options string, port uint16, address string) (bound string, has bool) {
	list := strings.Split(options, ",")
	name, at := "smtp", -1
	host := endpoint.Endpoint{}
	for i, option := range list {
		m := daemonKey.FindStringSubmatch(option)
		if m == nil {
			continue
		}
		switch strings.ToUpper(m[1]) {
		case "P":
			name = m[2]
		case "A":
			at, host.Host = i, m[2]
		case "F":
			if strings.EqualFold(m[2], "inet6") && strings.HasPrefix(address, "127.") {
				address = "::1"
			}
		}
	}
	ep, ok := endpoint.Parse(name)
	if !ok || ep.Port != port {
		return options, false
	}
	switch {
	case host.Loopback():
		return options, true
	case at >= 0:
		option := list[at]
		list[at] = option[:len(option)-len(strings.TrimLeft(option, " \t"))] + "Addr=" + address
	default:
		list = append(list, " Addr="+address)
	}
	return strings.Join(list, ","), true
}
