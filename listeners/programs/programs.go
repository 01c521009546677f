// Package programs knows which daemon a process is, by the name of its program, of its
// script and of its unit. It knows nothing of ports.
package programs

import (
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/sockets"
	"github.com/mxsweep/mxsweep/result"
)

// A Program is a daemon.
type Program struct {
	// Product is its name, as in the signatures.
	Product string

	// Protocol and Role are what it speaks and does on each port that is not known
	// better; "" and RoleUnknown if that depends on the port.
	Protocol string
	Role     result.Role

	names []string // of its program, its script or its unit
}

// programs are the daemons, by the names under which distributions and their own builds
// start them.
var programs = []Program{
	// Mail servers. Their role depends on the port.
	{Product: "Postfix", Protocol: "smtp", names: []string{"postfix", "postscreen"}},
	{Product: "Exim", Protocol: "smtp", names: []string{"exim", "exim4"}},
	{Product: "Sendmail", Protocol: "smtp", names: []string{"sendmail", "sendmail-mta"}},
	{Product: "OpenSMTPD", Protocol: "smtp", names: []string{"opensmtpd", "smtpd"}},
	{Product: "Haraka", Protocol: "smtp", names: []string{"haraka"}},
	{Product: "KumoMTA", names: []string{"kumod", "kumomta"}},
	{Product: "Stalwart", names: []string{"stalwart", "stalwart-mail", "stalwart-smtp", "stalwart-imap"}},
	{Product: "maddy", names: []string{"maddy"}},
	{Product: "mox", names: []string{"mox"}},
	{Product: "chasquid", Protocol: "smtp", names: []string{"chasquid"}},

	// Mailboxes.
	{Product: "Dovecot", names: []string{"dovecot", "imap-login", "pop3-login", "managesieve-login", "submission-login"}},
	{Product: "Cyrus IMAP", names: []string{"cyrmaster", "cyrus-imapd"}},
	{Product: "Courier IMAP", names: []string{"couriertcpd", "courier-imap", "courier-pop"}},
	{Product: "Perdition", names: []string{"perdition", "perdition.imap4", "perdition.imap4s", "perdition.imaps", "perdition.pop3", "perdition.pop3s", "perdition.managesieve"}},
	{Product: "imapproxy", Protocol: "imap", Role: result.RoleIMAPProxy, names: []string{"imapproxyd", "in.imapproxyd", "imapproxy"}},
	{Product: "DavMail", names: []string{"davmail"}},
	{Product: "Cyrus timsieved", Protocol: "managesieve", Role: result.RoleSieve, names: []string{"timsieved"}},

	// Filters and signers.
	{Product: "amavisd", Protocol: "smtp", Role: result.RoleContentFilter, names: []string{"amavisd", "amavisd-new", "amavis", "amavi"}},
	{Product: "DKIMproxy", Protocol: "smtp", Role: result.RoleSigningProxy, names: []string{"dkimproxy", "dkimproxy.in", "dkimproxy.out"}},
	{Product: "spampd", Protocol: "smtp", Role: result.RoleContentFilter, names: []string{"spampd"}},
	{Product: "ClamSMTP", Protocol: "smtp", Role: result.RoleContentFilter, names: []string{"clamsmtpd", "clamsmtp"}},
	{Product: "Rspamd", names: []string{"rspamd"}},
	{Product: "SpamAssassin spamd", Protocol: "spamd", Role: result.RoleAntispam, names: []string{"spamd", "spamassassin"}},
	{Product: "ClamAV clamd", Protocol: "clamd", Role: result.RoleAntivirus, names: []string{"clamd", "clamav-daemon", "clamd@scan"}},
	{Product: "olefy", names: []string{"olefy", "olefy.py"}},

	// Milters.
	{Product: "OpenDKIM", Protocol: "milter", Role: result.RoleMilter, names: []string{"opendkim"}},
	{Product: "OpenDMARC", Protocol: "milter", Role: result.RoleMilter, names: []string{"opendmarc"}},
	{Product: "clamav-milter", Protocol: "milter", Role: result.RoleMilter, names: []string{"clamav-milter"}},
	{Product: "spamass-milter", Protocol: "milter", Role: result.RoleMilter, names: []string{"spamass-milter"}},
	{Product: "dkimpy-milter", Protocol: "milter", Role: result.RoleMilter, names: []string{"dkimpy-milter"}},
	{Product: "pyspf-milter", Protocol: "milter", Role: result.RoleMilter, names: []string{"pyspf-milter"}},

	// Policy services and lookups.
	{Product: "Postgrey", Protocol: "postfix-policy", Role: result.RolePolicy, names: []string{"postgrey"}},
	{Product: "policyd-weight", Protocol: "postfix-policy", Role: result.RolePolicy, names: []string{"policyd-weight"}},
	{Product: "postfwd", Protocol: "postfix-policy", Role: result.RolePolicy, names: []string{"postfwd", "postfwd2", "postfwd3"}},
	{Product: "SQLgrey", Protocol: "postfix-policy", Role: result.RolePolicy, names: []string{"sqlgrey"}},
	{Product: "gld", Protocol: "postfix-policy", Role: result.RolePolicy, names: []string{"gld"}},
	{Product: "iRedAPD", Protocol: "postfix-policy", Role: result.RolePolicy, names: []string{"iredapd", "iredapd.py"}},
	{Product: "Cluebringer", Protocol: "postfix-policy", Role: result.RolePolicy, names: []string{"cbpolicyd"}},
	{Product: "PostSRSd", names: []string{"postsrsd"}},
	{Product: "postfix-mta-sts-resolver", names: []string{"mta-sts-daemon", "postfix-mta-sts-resolver"}},
	{Product: "postfix-tlspol", names: []string{"postfix-tlspol"}},

	// Proxies. What they speak depends on the port.
	{Product: "HAProxy", names: []string{"haproxy"}},
	{Product: "nginx", names: []string{"nginx"}},

	// Mail catchers, consoles and exporters.
	{Product: "Mailpit", names: []string{"mailpit"}},
	{Product: "MailHog", names: []string{"mailhog"}},
	{Product: "MailDev", names: []string{"maildev"}},
	{Product: "MailCatcher", names: []string{"mailcatcher"}},
	{Product: "Inbucket", names: []string{"inbucket"}},
	{Product: "Mailman", names: []string{"mailman3", "mailman"}},
	{Product: "SOGo", names: []string{"sogod", "sogo"}},
	{Product: "Postfix Exporter", Protocol: "http", names: []string{"postfix_exporter", "prometheus-postfix-exporter"}},
	{Product: "Dovecot Exporter", Protocol: "http", names: []string{"dovecot_exporter"}},
	{Product: "Exim Exporter", Protocol: "http", names: []string{"exim_exporter", "prometheus-exim-exporter"}},

	// Databases and caches that mail systems use.
	{Product: "MySQL", names: []string{"mysqld", "mysql"}},
	{Product: "MariaDB", names: []string{"mariadbd", "mariadb"}},
	{Product: "PostgreSQL", names: []string{"postgres", "postgresql"}},
	{Product: "Redis", names: []string{"redis-server", "redis", "valkey-server", "valkey"}},
	{Product: "memcached", names: []string{"memcached"}},
	{Product: "OpenLDAP", names: []string{"slapd"}},

	// What is not mail, and often listens beside it.
	{Product: "OpenSSH", Protocol: "ssh", Role: result.RoleNotMail, names: []string{"sshd", "ssh"}},
	{Product: "Dropbear", Protocol: "ssh", Role: result.RoleNotMail, names: []string{"dropbear"}},
	{Product: "Apache httpd", Protocol: "http", Role: result.RoleNotMail, names: []string{"apache2", "httpd"}},
	{Product: "systemd-resolved", Protocol: "dns", Role: result.RoleNotMail, names: []string{"systemd-resolve", "systemd-resolved"}},
	{Product: "rpcbind", Protocol: "rpcbind", Role: result.RoleNotMail, names: []string{"rpcbind"}},
	{Product: "CUPS", Protocol: "ipp", Role: result.RoleNotMail, names: []string{"cupsd", "cups"}},
	{Product: "dnsmasq", Protocol: "dns", Role: result.RoleNotMail, names: []string{"dnsmasq"}},
	{Product: "Unbound", Protocol: "dns", Role: result.RoleNotMail, names: []string{"unbound"}},
	{Product: "BIND", Protocol: "dns", Role: result.RoleNotMail, names: []string{"named", "bind9"}},
}

// interpreters are the programs that run a script, which is what the process is.
var interpreters = []string{"perl", "python", "ruby", "node", "java", "sh", "bash", "dash"}

// forwarders are the programs that hold a socket for a container, and pass connections on.
var forwarders = []string{"docker-proxy", "rootlessport", "rootlesskit", "slirp4netns", "pasta", "pasta.avx2"}

// Of returns the daemon that one of the owners of a socket is, or what its unit says; the
// first owner that is known counts. It reports whether one is known.
func Of(s *sockets.Socket) (Program, bool) {
	for _, p := range s.Owners {
		if found, ok := lookUp(namesOf(p)); ok {
			return found, true
		}
	}
	return lookUp([]string{unitName(s.Unit)})
}

// Forwarder reports whether a process holds its sockets for a container.
func Forwarder(p *sockets.Process) bool {
	return slices.Contains(forwarders, p.Name) || slices.Contains(forwarders, path.Base(p.Executable))
}

// lookUp returns the first program with one of the names; earlier names count more.
func lookUp(names []string) (Program, bool) {
	for _, name := range names {
		for _, p := range programs {
			if name != "" && slices.ContainsFunc(p.names, func(known string) bool { return sameName(known, name) }) {
				return p, true
			}
		}
	}
	return Program{}, false
}

// maxName is the length to which Linux cuts the name of a process.
const maxName = 15

// sameName reports whether a name is a known one, or one that was cut.
func sameName(known, name string) bool {
	return name == known || len(name) == maxName && strings.HasPrefix(known, name)
}

// namesOf returns the names by which a process may be known, the surest first.
func namesOf(p *sockets.Process) []string {
	var names []string
	add := func(name string) {
		name = strings.ToLower(strings.TrimSuffix(name, ".exe"))
		if name != "" && name != "." && name != "/" {
			names = append(names, name)
		}
	}
	switch dir := path.Dir(p.Executable); { // whose programs are master and smtpd, as those of others
	case strings.HasSuffix(dir, "/postfix/sbin"), strings.HasSuffix(dir, "/libexec/postfix"):
		add("postfix")
	case strings.Contains(dir, "/cyrus"):
		add("cyrmaster")
	}
	program := base(p.Executable)
	if program == "" && len(p.Command) > 0 && strings.HasPrefix(p.Command[0], "/") {
		program = base(p.Command[0])
	}
	if slices.ContainsFunc(interpreters, func(i string) bool { return strings.TrimRight(program, "0123456789.-") == i }) {
		add(script(p.Command))
	} else {
		add(program)
	}
	add(unitName(p.Unit))
	add(base(strings.TrimSuffix(p.Name, ":")))
	return names
}

// base returns the last part of a path of any system.
func base(name string) string {
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// script returns the name of the script that an interpreter runs: the first argument that
// is no option. A script that sets the title of its process has none.
func script(command []string) string {
	if len(command) == 0 {
		return ""
	}
	for _, word := range command[1:] {
		if !strings.HasPrefix(word, "-") {
			return base(word)
		}
	}
	title, _, _ := strings.Cut(command[0], " ") // "/usr/sbin/amavisd-new (master)"
	return base(title)
}

// unitName returns the name of a systemd unit without instance and type: "postfix" of
// "postfix@-.service".
func unitName(unit string) string {
	name, _, _ := strings.Cut(unit, "@")
	return strings.TrimSuffix(name, ".service")
}
