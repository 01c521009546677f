package result

import "slices"

// A Role is what a daemon does in the mail flow.
type Role string

// The roles. RoleUnknown is that of a daemon of which nothing tells it.
const (
	RoleContentFilter Role = "content-filter"
	RoleSigningProxy  Role = "signing-proxy"
	RoleReinjection   Role = "reinjection"
	RolePolicy        Role = "policy"
	RoleMilter        Role = "milter"
	RoleMTA           Role = "mta"
	RoleSubmission    Role = "submission"
	RoleLMTP          Role = "lmtp"
	RoleIMAP          Role = "imap"
	RoleIMAPBackend   Role = "imap-backend"
	RoleIMAPProxy     Role = "imap-proxy"
	RolePOP3          Role = "pop3"
	RolePOP3Backend   Role = "pop3-backend"
	RolePOP3Proxy     Role = "pop3-proxy"
	RoleSieve         Role = "sieve"
	RoleAuth          Role = "auth"
	RoleAntispam      Role = "antispam"
	RoleAntivirus     Role = "antivirus"
	RoleAdmin         Role = "admin"
	RoleProxy         Role = "proxy"
	RoleNotMail       Role = "not-mail"
	RoleUnknown       Role = "unknown"
)

var roles = []Role{
	RoleContentFilter, RoleSigningProxy, RoleReinjection, RolePolicy, RoleMilter, RoleMTA, RoleSubmission,
	RoleLMTP, RoleIMAP, RoleIMAPBackend, RoleIMAPProxy, RolePOP3, RolePOP3Backend, RolePOP3Proxy,
	RoleSieve, RoleAuth, RoleAntispam, RoleAntivirus, RoleAdmin, RoleProxy, RoleNotMail, RoleUnknown,
}

// Roles lists all roles.
func Roles() []Role { return slices.Clone(roles) }

// ParseRole finds the role of a word, and reports whether there is one.
func ParseRole(word string) (Role, bool) { return find(roles, word) }

// A Method says what the name of a service rests on. "" is nothing.
type Method string

// The methods.
const (
	MethodTable  Method = "table"  // the number of the port
	MethodProbed Method = "probed" // a signature that matched the dialogue
)

// ParseMethod finds the method of a word, "" among them, and reports whether there
// is one.
func ParseMethod(word string) (Method, bool) {
	return find([]Method{"", MethodTable, MethodProbed}, word)
}

// A Tunnel is what a service was seen inside of. "" is clear text.
type Tunnel string

// The tunnels.
const (
	TunnelTLS      Tunnel = "ssl" // implicit TLS
	TunnelStartTLS Tunnel = "starttls"
)

// ParseTunnel finds the tunnel of a word, "" among them, and reports whether there
// is one.
func ParseTunnel(word string) (Tunnel, bool) {
	return find([]Tunnel{"", TunnelTLS, TunnelStartTLS}, word)
}

// An Inconclusive is a reason why a dialogue did not settle what answers.
type Inconclusive string

// The reasons why a dialogue is inconclusive.
const (
	// InconclusiveNoConnection: no connection for a dialogue was possible.
	InconclusiveNoConnection Inconclusive = "no-connection"
	// InconclusiveRefused: the daemon refused to talk for now, by a reply code
	// or word at a place where that means "try again later".
	InconclusiveRefused Inconclusive = "refused-for-now"
	// InconclusiveCutOff: the conversation was cut off in the middle.
	InconclusiveCutOff Inconclusive = "cut-off"
	// InconclusiveHandshake: the port speaks TLS, and the handshake failed.
	InconclusiveHandshake Inconclusive = "tls-handshake"
	// InconclusiveUnfinished: a reply was still coming when time was up.
	InconclusiveUnfinished Inconclusive = "unfinished"
	// InconclusiveNoReply: the port replied to nothing, which a daemon that is
	// busy or waits for something does too.
	InconclusiveNoReply Inconclusive = "no-reply"
	// InconclusiveUnacknowledged: the data sent were never acknowledged.
	InconclusiveUnacknowledged Inconclusive = "unacknowledged"
	// InconclusiveHostTimeout: the time of the host was over before the dialogue
	// was. Package fingerprint does not know of it: whoever bounds its ctx
	// sets it.
	InconclusiveHostTimeout Inconclusive = "host-timeout"
	// InconclusiveSkipped: the dialogue was not held, or stopped early,
	// because the host answers on every port, or replies on none.
	InconclusiveSkipped Inconclusive = "skipped"
)
