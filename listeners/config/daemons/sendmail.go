package daemons

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// The macros of sendmail.mc that decide which daemons there are.
var (
	daemonOptions = regexp.MustCompile("DAEMON_OPTIONS\\(`([^'\n]*)'")
	noDefaultMSA  = regexp.MustCompile("FEATURE\\(`?no_default_msa")
	mailers       = regexp.MustCompile("MAILER\\(`?smtp")
)

// SendmailMC reads sendmail.mc (Sendmail Installation and Operation Guide, "DaemonPortOptions";
// cf/README, DAEMON_OPTIONS). A daemon without Port= is on that of smtp, without Addr= on all
// addresses. Unless no_default_msa is there, another one listens on port 587.
func SendmailMC(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	msa, mailer, given := true, false, false
	var last int
	for start, line := range f.Lines() {
		if i := strings.Index(line, "dnl"); i >= 0 && (i == 0 || strings.IndexByte(" \t)'", line[i-1]) >= 0) {
			line = line[:i]
		}
		if noDefaultMSA.MatchString(line) {
			msa = false
		}
		if mailers.MatchString(line) {
			mailer, last = true, start
		}
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, m := range daemonOptions.FindAllStringSubmatchIndex(line, -1) {
			given = true
			sendmailDaemon(&c, f, line[m[2]:m[3]], start+m[2])
		}
	}
	if mailer && !given {
		sendmailDefault(&c, f, last, 25, result.RoleMTA, "no DAEMON_OPTIONS is there; Sendmail then listens on port 25 of all addresses")
	}
	if mailer && msa {
		sendmailDefault(&c, f, last, 587, result.RoleSubmission, "FEATURE(`no_default_msa') is not there; Sendmail then listens on port 587 of all addresses")
	}
	return c
}

// sendmailDefault adds a daemon that no line has.
func sendmailDefault(c *listeners.Config, f *source.File, at int, port uint16, role result.Role, why string) {
	l := listeners.Listener{Port: port, Protocol: "smtp", Product: "Sendmail", Role: role, Service: fmt.Sprintf("default daemon %d", port), At: f.Anchor(at, at+1)}
	l.BindFamily("", false)
	l.Causes = []listeners.Cause{{Why: why}}
	c.AddListener(&l)
}

// sendmailDaemon adds the daemon of one list of options, of which only the first letter of a
// name counts.
func sendmailDaemon(c *listeners.Config, f *source.File, text string, start int) {
	options, places := map[byte]string{}, map[byte]int{}
	at := start
	for item := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(item, "=")
		name = strings.TrimSpace(name)
		if ok && name != "" {
			key := name[0] | 0x20
			skip := len(value) - len(strings.TrimLeft(value, " \t"))
			options[key], places[key] = strings.TrimSpace(value), at+strings.IndexByte(item, '=')+1+skip
		}
		at += len(item) + 1
	}
	port, family := options['p'], strings.ToLower(options['f'])
	if port == "" {
		port, places['p'] = "smtp", start
	}
	if family == "local" || family == "unix" {
		return
	}
	place := f.Anchor(places['p'], places['p']+max(len(options['p']), 1))
	n, ok := endpoint.Port(port)
	if !ok {
		c.AddDoubt(fmt.Sprintf("port %q of DAEMON_OPTIONS is not known", port), place)
		return
	}
	name := options['n']
	l := listeners.Listener{Port: n, Protocol: "smtp", Product: "Sendmail", Role: result.RoleMTA, At: place, Service: strings.TrimSpace(fmt.Sprintf("daemon %s %d", name, n))}
	if n == 587 || strings.Contains(options['m'], "E") || strings.HasPrefix(strings.ToUpper(name), "MSA") {
		l.Role = result.RoleSubmission
	}
	if strings.Contains(options['m'], "s") {
		l.Tunnel = result.TunnelTLS
	}
	l.BindFamily(options['a'], family == "inet6")
	if options['a'] == "" {
		l.Causes = []listeners.Cause{{Why: "DAEMON_OPTIONS has no Addr=; Sendmail then listens on all addresses", At: &l.At}}
	}
	c.AddListener(&l)
}
