package daemons

import (
	"fmt"
	"path"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/internal/statements"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// SendmailMC reads sendmail.mc (Sendmail Installation and Operation Guide, "DaemonPortOptions";
// cf/README, DAEMON_OPTIONS). A daemon without Port= is on that of smtp, without Addr= on all
// addresses. Unless no_default_msa is there, another one listens on port 587. The file
// sendmail.cf beside it is made of it and not read.
func SendmailMC(t *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	mc := statements.ParseSendmailMC(f.Text)
	for i := range mc.Daemons {
		d := &mc.Daemons[i]
		if d.Inside != "" {
			c.AddDoubt("whether this daemon is there depends on the macro "+d.Inside, f.Anchor(d.Options.Start, d.Options.End))
			continue
		}
		sendmailDaemon(&c, f, d, "DAEMON_OPTIONS")
	}
	if !mc.Closed {
		c.AddDoubt("a quotation or an argument list does not end; m4 refuses the file", f.Anchor(len(f.Text), len(f.Text)))
	}
	if m := mc.SMTP; m != nil && len(mc.Daemons) == 0 {
		sendmailDefault(&c, f, m.Start, 25, "no DAEMON_OPTIONS is there; Sendmail then listens on port 25 of all addresses")
	}
	if m := mc.SMTP; m != nil && (mc.NoMSA == nil || mc.NoMSA.Inside != "") {
		doubt := ""
		if mc.NoMSA != nil {
			doubt = "whether FEATURE(`no_default_msa') is there depends on the macro " + mc.NoMSA.Inside
		}
		sendmailMSA(&c, f, m.Start, doubt)
	}
	if t != nil {
		_, _ = t.Include(path.Join(path.Dir(f.Name), "sendmail.cf")) // there or not
	}
	return c
}

// SendmailCF reads sendmail.cf: its options DaemonPortOptions, also by the letter O. Without any
// Sendmail listens on port 25 (sendmail/readcf.c, setoption; sendmail/daemon.c).
func SendmailCF(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	list := statements.ParseSendmailCF(f.Text)
	for i := range list {
		sendmailDaemon(&c, f, &list[i], "DaemonPortOptions")
	}
	if len(list) == 0 && statements.IsSendmailCF(f.Text) {
		sendmailDefault(&c, f, 0, 25, "no DaemonPortOptions is there; Sendmail then listens on port 25 of all addresses")
	}
	return c
}

// sendmailDefault adds the daemon that Sendmail has if the file has none.
func sendmailDefault(c *listeners.Config, f *source.File, at int, port uint16, why string) {
	l := listeners.Listener{Port: port, Protocol: "smtp", Product: "Sendmail", Role: result.RoleMTA, Service: fmt.Sprintf("default daemon %d", port), At: f.Anchor(at, min(at+1, len(f.Text)))}
	l.BindFamily("", false)
	l.Causes = []listeners.Cause{{Why: why}}
	c.AddListener(&l)
}

// sendmailMSA adds the daemon for submission that m4 adds.
func sendmailMSA(c *listeners.Config, f *source.File, at int, doubt string) {
	l := listeners.Listener{Port: 587, Protocol: "smtp", Product: "Sendmail", Role: result.RoleSubmission, Service: "default daemon 587", At: f.Anchor(at, at+1), Doubt: doubt}
	l.BindFamily("", false)
	l.Causes = []listeners.Cause{{Why: "FEATURE(`no_default_msa') is not there; Sendmail then listens on port 587 of all addresses"}}
	c.AddListener(&l)
}

// sendmailDaemon adds one daemon; setting is what configures it.
func sendmailDaemon(c *listeners.Config, f *source.File, d *statements.Daemon, setting string) {
	port, family, name, modifiers := d.Value('p'), strings.ToLower(d.Value('f').Text), d.Value('n').Text, d.Value('m').Text
	if !port.Has() {
		port = statements.Part{Text: "smtp", Start: d.Options.Start, End: min(d.Options.Start+1, len(f.Text))}
	}
	if family == "local" || family == "unix" {
		return
	}
	at := f.Anchor(port.Start, port.End)
	n, ok := endpoint.Port(port.Text)
	if !ok {
		c.AddDoubt(fmt.Sprintf("port %q of %s is unknown", port.Text, setting), at)
		return
	}
	l := listeners.Listener{Port: n, Protocol: "smtp", Product: "Sendmail", Role: result.RoleMTA, At: at, Service: strings.Join(strings.Fields(fmt.Sprintf("daemon %s %d", name, n)), " ")}
	if n == 587 || strings.Contains(modifiers, "E") || strings.HasPrefix(strings.ToUpper(name), "MSA") {
		l.Role = result.RoleSubmission
	}
	if strings.Contains(modifiers, "s") {
		l.Tunnel = result.TunnelTLS
	}
	l.BindFamily(d.Host(), family == "inet6")
	if d.Host() == "" {
		l.Causes = []listeners.Cause{{Why: setting + " has no Addr=; Sendmail then listens on all addresses", At: &l.At}}
	}
	c.AddListener(&l)
}
