package dovecot

import (
	"slices"

	"github.com/mxsweep/mxsweep/result"
)

// A service is a service of Dovecot.
type service struct {
	name      string
	initial   bool  // Dovecot has it by itself
	at        token // its first section; no place if it has none
	program   string
	protocol  string
	listeners []*inet
	byName    map[string]*inet
}

// An inet is an inet_listener.
type inet struct {
	name  string // by which paths call it
	at    token  // its first section; no place if it has none
	named bool
	port  uint16 // its default, 0 if it has none
	ssl   bool   // its default
}

// An initial service is one that Dovecot has by itself.
type initial struct {
	name, program, protocol string
	inets                   []inet
}

// initials are the services that Dovecot has by itself (*-settings.c of each daemon).
var initials = []initial{
	{"imap-login", "imap-login", "imap", []inet{{name: "imap", port: 143}, {name: "imaps", port: 993, ssl: true}}},
	{"pop3-login", "pop3-login", "pop3", []inet{{name: "pop3", port: 110}, {name: "pop3s", port: 995, ssl: true}}},
	{"submission-login", "submission-login", "submission", []inet{{name: "submission", port: 587}}},
	{"managesieve-login", "managesieve-login", "sieve", []inet{{name: "sieve", port: 4190}}},
	{"lmtp", "lmtp", "lmtp", nil},
	{"imap", "imap", "imap", nil},
	{"imap-hibernate", "imap-hibernate", "imap", nil},
	{"imap-urlauth", "imap-urlauth", "imap", nil},
	{"imap-urlauth-login", "imap-urlauth-login", "imap", nil},
	{"imap-urlauth-worker", "imap-urlauth-worker", "imap", nil},
	{"pop3", "pop3", "pop3", nil},
	{"submission", "submission", "submission", nil},
	{"managesieve", "managesieve", "sieve", nil},
	{"aggregator", "aggregator", "", nil},
	{"anvil", "anvil", "", nil},
	{"auth", "auth", "", nil},
	{"auth-worker", "auth", "", nil},
	{"config", "config", "", nil},
	{"dict", "dict", "", nil},
	{"dict-async", "dict", "", nil},
	{"director", "director", "", nil},
	{"dns-client", "dns-client", "", nil},
	{"doveadm", "doveadm-server", "", nil},
	{"health-check", "script", "", nil},
	{"indexer", "indexer", "", nil},
	{"indexer-worker", "indexer-worker", "", nil},
	{"ipc", "ipc", "", nil},
	{"log", "log", "", nil},
	{"old-stats", "old-stats", "", nil},
	{"replicator", "replicator", "", nil},
	{"stats", "stats", "", nil},
	{"tcpwrap", "tcpwrap", "", nil},
}

// addDefaults adds the services that Dovecot has by itself.
func (r *reading) addDefaults() {
	for _, d := range initials {
		s := r.service(d.name, token{})
		s.initial, s.program, s.protocol = true, d.program, d.protocol
		inets := d.inets
		switch {
		case d.name == "submission-login" && r.new24(): // 2.3 forgets its second one
			inets = append(slices.Clone(inets), inet{name: "submissions", port: 465, ssl: true})
		case d.name == "lmtp" && r.version.s >= "3": // only in the Pro edition
			inets = []inet{{name: "lmtp", port: 24}}
		}
		for _, i := range inets {
			l := s.listener(i.name, token{}, true)
			l.port, l.ssl = i.port, i.ssl
		}
	}
}

// service returns the service with a name, whose section is at a token.
func (r *reading) service(name string, at token) *service {
	s := r.byName[escape(name)]
	if s == nil {
		s = &service{name: name, byName: map[string]*inet{}}
		r.byName[escape(name)] = s
		r.services = append(r.services, s)
	}
	if s.at.line == nil {
		s.at = at
	}
	return s
}

// listener returns the inet_listener that paths call by a name, whose section is at a
// token.
func (s *service) listener(name string, at token, named bool) *inet {
	l := s.byName[escape(name)]
	if l == nil {
		l = &inet{name: name}
		s.byName[escape(name)] = l
		s.listeners = append(s.listeners, l)
	}
	if l.at.line == nil {
		l.at = at
	}
	l.named = l.named || named
	return l
}

// A program is what an executable of Dovecot is on a port.
type program struct {
	protocol, product string
	role              result.Role
}

// programs are the executables of Dovecot, in the words of signatures.
var programs = map[string]program{
	"imap-login":         {"imap", "Dovecot", result.RoleIMAP},
	"imap-urlauth-login": {"imap", "Dovecot", result.RoleIMAP},
	"pop3-login":         {"pop3", "Dovecot", result.RolePOP3},
	"submission-login":   {"smtp", "Dovecot", result.RoleSubmission},
	"managesieve-login":  {"managesieve", "Dovecot Pigeonhole", result.RoleSieve},
	"lmtp":               {"lmtp", "Dovecot", result.RoleLMTP},
	"auth":               {"dovecot-auth", "Dovecot auth", result.RoleAuth},
	"dict":               {"dovecot-dict", "Dovecot dict", result.RoleAdmin},
	"director":           {"dovecot-director", "Dovecot director", result.RoleProxy},
	"doveadm-server":     {"doveadm", "Dovecot doveadm", result.RoleAdmin},
	"stats":              {"dovecot-stats", "Dovecot stats", result.RoleAdmin},
	"old-stats":          {"dovecot-stats", "Dovecot stats", result.RoleAdmin},
	"quota-status":       {"postfix-policy", "Dovecot quota-status", result.RolePolicy},
	"script":             {"", "Dovecot", result.RoleUnknown},
}

// overHTTP are the programs of which a listener that is called, or of the type, http
// speaks HTTP, with its protocol.
var overHTTP = map[string]string{"doveadm-server": "doveadm-http", "stats": "http"}
