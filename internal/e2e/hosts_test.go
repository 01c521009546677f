//go:build linux

package e2e

import (
	"embed"
	"slices"
)

// configs holds what each host has below its /etc.
//
//go:embed all:testdata/hosts
var configs embed.FS

// A spec is a host to start. Its configuration is testdata/hosts/NAME.
type spec struct {
	name    string
	n       int // last number of its addresses
	about   string
	dirs    []dir
	daemons []daemon
	played  func() []role // daemons that Debian does not ship
	listen  []int         // TCP ports that listen, on whatever address, when it is up

	setup []string // shell commands that lay out the files, before any daemon
	units []unit   // daemons that systemctl knows, started after those

	// ownPackages says that the packages of this host conflict with those of
	// the machine: it has a root of its own, which install.sh makes.
	ownPackages bool

	// boxes is the file or folder that arrived mail is in, "" for the mailbox of
	// alice in /var/mail.
	boxes string

	// queue prints what waits in the queue of the host's MTA, and nothing where
	// that is empty; "" is the command of Postfix.
	queue string

	// intrusive says that its daemons tell what they are to intrusive probes alone.
	intrusive bool

	// byName says that proofs sweep it by its name, which has addresses of both
	// families.
	byName bool

	// silent drops all that arrives, so that no port answers in any way.
	silent bool
}

// A dir is made before the daemons start.
type dir struct {
	path, owner string
}

// A daemon is a program that stays in the foreground, or goes into the
// background by itself.
type daemon struct {
	name string
	argv []string
}

var (
	postfixDaemon  = daemon{"postfix", []string{"/usr/sbin/postfix", "start-fg"}}
	amavisDaemon   = daemon{"amavisd", []string{"/usr/sbin/amavisd", "-u", "amavis", "-g", "amavis", "foreground"}}
	opendkimDaemon = daemon{"opendkim", []string{"/usr/sbin/opendkim", "-f", "-x", "/etc/opendkim.conf"}}
	haproxyDaemon  = daemon{"haproxy", []string{"/usr/sbin/haproxy", "-db", "-f", "/etc/haproxy/haproxy.cfg"}}
	dovecotDaemon  = daemon{"dovecot", []string{"/usr/sbin/dovecot", "-F", "-c", "/etc/dovecot/dovecot.conf"}}
	nginxDaemon    = daemon{"nginx", []string{"/usr/sbin/nginx"}}
)

func postgreyDaemon(where string) daemon {
	return daemon{"postgrey", []string{"/usr/sbin/postgrey", "--inet=" + where, "--user=postgrey",
		"--group=postgrey", "--dbdir=/var/lib/postgrey", "--pidfile=/run/postgrey.pid"}}
}

var filterDirs = []dir{
	{"/run/amavis", "amavis"},
	{"/var/lib/amavis/tmp", "amavis"},
	{"/var/lib/postgrey", "postgrey"},
}

// specs are all the hosts.
var specs = []spec{
	{
		name: "exposed", n: 11,
		about:   "Postfix, amavisd, OpenDKIM and postgrey, internal ports on all addresses by mistake",
		dirs:    filterDirs,
		daemons: []daemon{postfixDaemon, amavisDaemon, opendkimDaemon, postgreyDaemon("0.0.0.0:10023")},
		listen:  []int{25, 587, 8891, 9998, 10023, 10024, 10025, 10026, 10028, 10029},
	},
	{
		name: "closed", n: 12,
		about:   "the same stack as it should be: postscreen and submission public, all else on loopback",
		dirs:    filterDirs,
		daemons: []daemon{postfixDaemon, amavisDaemon, opendkimDaemon, postgreyDaemon("127.0.0.1:10023")},
		listen:  []int{25, 587, 8891, 10023, 10024, 10025, 10028},
	},
	{
		name: "store", n: 13,
		about:   "Dovecot: IMAP, PROXY listener, LMTP and auth open; HAProxy on 143 in front",
		daemons: []daemon{dovecotDaemon, haproxyDaemon},
		listen:  []int{24, 143, 993, 10143, 10144, 12345},
	},
	{
		name: "front", n: 14,
		about:   "nginx mail proxy",
		dirs:    []dir{{"/var/log/nginx", "www-data"}, {"/var/lib/nginx", "www-data"}},
		daemons: []daemon{nginxDaemon},
		listen:  []int{143, 993, 10025, 10110, 10143},
	},
	{
		name: "policy", n: 15,
		about: "policy daemons that keep books: postgrey, SQLgrey, policyd-rate-limit, postfwd, policyd-weight",
		dirs: []dir{
			{"/var/lib/postgrey", "postgrey"},
			{"/run/sqlgrey", "sqlgrey"}, {"/var/lib/sqlgrey", "sqlgrey"},
			{"/run/policyd-rate-limit", "policyd-rate-limit"}, {"/var/lib/policyd-rate-limit", "policyd-rate-limit"},
			{"/run/policyd-weight", "polw"},
		},
		daemons: []daemon{
			postgreyDaemon("0.0.0.0:10023"),
			{"sqlgrey", []string{"/usr/sbin/sqlgrey"}},
			{"policyd-rate-limit", []string{"/usr/bin/policyd-rate-limit"}},
			{"postfwd", []string{"/usr/sbin/postfwd1", "--file=/etc/postfix/postfwd.cf", "--interface=0.0.0.0", "--port=10040",
				"--user=nobody", "--group=nogroup", "--nodns", "--cache=600", "--daemon", "--pidfile=/run/postfwd1.pid"}},
			{"policyd-weight", []string{"/usr/sbin/policyd-weight", "-D", "-f", "/etc/policyd-weight.conf", "start"}},
		},
		listen: []int{2501, 8552, 10023, 10040, 12525},
	},
	{
		name: "swapped", n: 17,
		about:   "daemons on each other's ports",
		dirs:    filterDirs,
		daemons: []daemon{postfixDaemon, amavisDaemon, opendkimDaemon, dovecotDaemon, postgreyDaemon("0.0.0.0:8891")},
		listen:  []int{8891, 10023, 10024, 10025, 10031, 10143},
	},
	{
		name: "signer", n: 18,
		about:   "DKIMproxy and Cluebringer, played, before a real Postfix whose re-injection is on loopback",
		daemons: []daemon{postfixDaemon},
		played:  signing,
		listen:  []int{25, 587, 10025, 10027, 10028, 10029, 10031},
	},
	{name: "silent", n: 16, about: "a host whose every port is silent", silent: true},
}

// absent is an address of the network that no host has.
const absent = "10.79.0.99"

// programs lists the executables of all daemons.
func programs() []string {
	var list []string
	for _, s := range specs {
		for _, d := range s.daemons {
			list = append(list, d.argv[0])
		}
	}
	list = append(list, "/usr/lib/nginx/modules/ngx_mail_module.so")
	slices.Sort(list)
	return slices.Compact(list)
}
