package programs

import (
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/listeners/sockets"
	"github.com/mxsweep/mxsweep/result"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		process sockets.Process
		want    string
	}{
		{sockets.Process{Name: "master", Executable: "/usr/lib/postfix/sbin/master"}, "Postfix"},
		{sockets.Process{Name: "master", Executable: "/usr/libexec/postfix/master"}, "Postfix"},
		{sockets.Process{Name: "master", Executable: "/usr/lib/cyrus/bin/master"}, "Cyrus IMAP"},
		{sockets.Process{Name: "master"}, ""},
		{sockets.Process{Name: "master", Unit: "postfix@-.service"}, "Postfix"},
		{sockets.Process{Name: "exim4", Executable: "/usr/sbin/exim4"}, "Exim"},
		{sockets.Process{Name: "dovecot", Executable: "/usr/sbin/dovecot"}, "Dovecot"},
		{sockets.Process{Name: "/usr/sbin/amavi", Executable: "/usr/bin/perl", Command: []string{"/usr/sbin/amavisd-new (master)"}}, "amavisd"},
		{sockets.Process{Name: "dkimproxy.in", Executable: "/usr/bin/perl", Command: []string{"/usr/bin/perl", "-w", "/usr/sbin/dkimproxy.in", "--conf_file=x"}}, "DKIMproxy"},
		{sockets.Process{Name: "postgrey", Executable: "/usr/bin/perl", Command: []string{"postgrey --pidfile=/run/postgrey.pid --daemonize"}}, "Postgrey"},
		{sockets.Process{Name: "policyd-weight", Executable: "/usr/bin/perl"}, "policyd-weight"},
		{sockets.Process{Name: "mta-sts-daemon", Executable: "/usr/bin/python3.11", Command: []string{"/usr/bin/python3", "/usr/bin/mta-sts-daemon"}}, "postfix-mta-sts-resolver"},
		{sockets.Process{Name: "python3", Executable: "/usr/bin/python3.11", Command: []string{"python3", "olefy.py"}}, "olefy"},
		{sockets.Process{Name: "spamd child", Executable: "/usr/bin/perl", Command: []string{"spamd child"}}, "SpamAssassin spamd"},
		{sockets.Process{Name: "prometheus-post", Command: nil}, "Postfix Exporter"},
		{sockets.Process{Name: "hMailServer.exe", Executable: `C:\Program Files\Rspamd\rspamd.exe`}, "Rspamd"},
		{sockets.Process{Name: "nginx", Command: []string{"nginx: master process /usr/sbin/nginx"}}, "nginx"},
		{sockets.Process{Name: "sshd", Command: []string{"sshd: /usr/sbin/sshd -D [listener]"}}, "OpenSSH"},
		{sockets.Process{Name: "smtpd", Executable: "/usr/lib/postfix/sbin/smtpd"}, "Postfix"},
		{sockets.Process{Name: "smtpd", Executable: "/usr/sbin/smtpd"}, "OpenSMTPD"},
		{sockets.Process{Name: "smtpd", Unit: "postfix@-.service"}, "Postfix"},
		{sockets.Process{Name: "python3", Executable: "/usr/bin/python3", Command: []string{"python3", "/opt/app.py"}}, ""},
		{sockets.Process{Name: "perl", Executable: "/usr/bin/perl"}, ""},
		{sockets.Process{}, ""},
	} {
		got, ok := Of(&sockets.Socket{Owners: []*sockets.Process{&c.process}})
		if got.Product != c.want || ok != (c.want != "") {
			t.Errorf("%+v: %q, want %q", c.process, got.Product, c.want)
		}
	}
	// systemd holds the sockets that it activates; the unit of a hidden owner may be known.
	if got, _ := Of(&sockets.Socket{Owners: []*sockets.Process{{Name: "systemd"}, {Name: "opendkim"}}}); got.Product != "OpenDKIM" {
		t.Errorf("with systemd: %+v", got)
	}
	if got, _ := Of(&sockets.Socket{Unit: "dovecot.service"}); got.Product != "Dovecot" {
		t.Errorf("of a unit: %+v", got)
	}
}

func TestForwarder(t *testing.T) {
	if !Forwarder(&sockets.Process{Name: "docker-proxy"}) || !Forwarder(&sockets.Process{Executable: "/usr/bin/rootlessport"}) || Forwarder(&sockets.Process{Name: "master"}) {
		t.Error("docker-proxy and rootlessport are forwarders, Postfix is none")
	}
}

// Each program has names of its own, in lower case, and a role and protocol that exist.
func TestTable(t *testing.T) {
	seen := map[string]string{}
	for _, p := range programs {
		if _, ok := result.ParseRole(string(p.Role)); p.Role != "" && !ok || p.Product == "" || len(p.names) == 0 {
			t.Errorf("%+v", p)
		}
		for _, name := range p.names {
			if other := seen[name]; other != "" {
				t.Errorf("%q is of %s and %s", name, other, p.Product)
			}
			seen[name] = p.Product
		}
	}
	if slices.Contains(forwarders, "") || len(seen) < 70 {
		t.Errorf("%d names", len(seen))
	}
}
