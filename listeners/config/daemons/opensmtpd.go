package daemons

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A smtpdWord is a word of smtpd.conf.
type smtpdWord struct {
	text string
	at   int
}

// OpenSMTPD reads smtpd.conf (smtpd.conf(5)): its lines "listen on". The port is 25, of smtps
// 465, unless one is given; "all" is every address.
func OpenSMTPD(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	macros := map[string]string{}
	var words []smtpdWord
	for start, line := range f.Lines() {
		more := strings.HasSuffix(strings.TrimRight(line, " \t"), "\\")
		words = append(words, smtpdWords(strings.TrimSuffix(strings.TrimRight(line, " \t"), "\\"), start)...)
		if more {
			continue
		}
		smtpdStatement(&c, f, words, macros)
		words = nil
	}
	smtpdStatement(&c, f, words, macros)
	return c
}

// smtpdWords returns the words of a line, without a comment and quotation marks; = is a word.
func smtpdWords(line string, start int) (list []smtpdWord) {
	for i := 0; i < len(line); {
		switch line[i] {
		case ' ', '\t':
			i++
		case '#':
			return list
		case '"':
			end := strings.IndexByte(line[i+1:], '"')
			if end < 0 {
				end = len(line) - i - 1
			}
			list = append(list, smtpdWord{line[i+1 : i+1+end], start + i + 1})
			i = min(i+end+2, len(line))
		default:
			n := strings.IndexAny(line[i:], " \t\"=#")
			if n < 0 {
				n = len(line) - i
			}
			n = max(n, 1)
			list = append(list, smtpdWord{line[i : i+n], start + i})
			i += n
		}
	}
	return list
}

// smtpdStatement reads one statement.
func smtpdStatement(c *listeners.Config, f *source.File, words []smtpdWord, macros map[string]string) {
	if len(words) >= 3 && words[1].text == "=" && len(macros) < listeners.MaxDoubts {
		macros[words[0].text] = words[2].text
		return
	}
	if len(words) == 2 && words[0].text == "include" {
		c.AddDoubt(fmt.Sprintf("what %q configures is not read", words[1].text), f.Anchor(words[1].at, words[1].at+len(words[1].text)))
		return
	}
	if len(words) < 3 || words[0].text != "listen" || words[1].text != "on" || words[2].text == "socket" {
		return
	}
	where, port := words[2], "25"
	if slices.ContainsFunc(words, func(w smtpdWord) bool { return w.text == "smtps" }) {
		port = "465"
	}
	family, tls := "", port == "465"
	for i := 3; i+1 < len(words); i++ {
		switch words[i].text {
		case "port":
			port = smtpdValue(words[i+1].text, macros)
		case "inet4", "inet6":
			family = words[i].text
		}
	}
	if family == "" && (words[len(words)-1].text == "inet4" || words[len(words)-1].text == "inet6") {
		family = words[len(words)-1].text
	}
	at := f.Anchor(where.at, where.at+len(where.text))
	n, ok := endpoint.Port(port)
	if !ok {
		c.AddDoubt(fmt.Sprintf("port %q of \"listen on %s\" is not known", port, where.text), at)
		return
	}
	l := listeners.Listener{Port: n, Protocol: "smtp", Product: "OpenSMTPD", Role: result.RoleMTA, At: at, Service: fmt.Sprintf("listen on %s port %d", where.text, n)}
	if n == 587 || n == 465 {
		l.Role = result.RoleSubmission
	}
	if tls {
		l.Tunnel = result.TunnelTLS
	}
	smtpdBind(&l, smtpdValue(where.text, macros), family)
	c.AddListener(&l)
}

// smtpdValue returns the value of $NAME, or a word itself.
func smtpdValue(text string, macros map[string]string) string {
	if name, ok := strings.CutPrefix(text, "$"); ok {
		if v, ok := macros[name]; ok {
			return v
		}
	}
	return text
}

// smtpdBind sets the address: all, an address, or the name of an interface or a host.
func smtpdBind(l *listeners.Listener, host, family string) {
	switch {
	case host == "all", host == "0.0.0.0", host == "::":
		l.Causes = []listeners.Cause{{Why: fmt.Sprintf("listen on %s is on all addresses", host), At: &l.At}}
	case endpoint.LoopbackInterface(host):
		host = "localhost"
	}
	switch {
	case host == "all" && family == "":
		l.Bind("")
	case host == "all":
		l.BindFamily("", family == "inet6")
		l.V6Only = family == "inet6"
	case host == "localhost" && family == "inet6":
		l.Address, l.Host = netip.IPv6Loopback(), host
	default:
		l.Bind(host)
	}
}
