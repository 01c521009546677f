package result

import "slices"

// A Role is what a daemon does in the mail flow.
type Role string

// The roles. RoleUnknown means that the role of the daemon is not known.
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

// Roles returns all roles.
func Roles() []Role { return slices.Clone(roles) }

// ParseRole returns the role with that name, and reports whether it exists.
func ParseRole(word string) (Role, bool) { return find(roles, word) }

// A Method says what the identification of a service is based on. "" means
// nothing.
type Method string

// The methods.
const (
	MethodTable  Method = "table"  // the number of the port
	MethodProbed Method = "probed" // a signature that matched the dialogue

	// MethodConfigured is a configuration file: its kind, the image of a container, and
	// settings. Nothing was asked.
	MethodConfigured Method = "configured"

	// MethodListening is the process that listens, and the line that configures it, if
	// that was found. Nothing was asked.
	MethodListening Method = "listening"
)

// ParseMethod returns the method with that name, which may be "", and reports
// whether it exists.
func ParseMethod(word string) (Method, bool) {
	return find([]Method{"", MethodTable, MethodProbed, MethodConfigured, MethodListening}, word)
}

// A Tunnel is the encryption inside which a service was identified. "" is clear
// text.
type Tunnel string

// The tunnels.
const (
	TunnelTLS      Tunnel = "ssl" // implicit TLS
	TunnelStartTLS Tunnel = "starttls"
)

// ParseTunnel returns the tunnel with that name, which may be "", and reports
// whether it exists.
func ParseTunnel(word string) (Tunnel, bool) {
	return find([]Tunnel{"", TunnelTLS, TunnelStartTLS}, word)
}

// An Inconclusive is the reason why a dialogue did not identify the service.
type Inconclusive string

// The reasons why a dialogue is inconclusive.
const (
	// InconclusiveNoConnection means that no connection for a dialogue could be
	// opened.
	InconclusiveNoConnection Inconclusive = "no-connection"
	// InconclusiveRefused means that the daemon refused temporarily, with a reply
	// code or word that means "try again later" at that point of the protocol.
	InconclusiveRefused Inconclusive = "refused-for-now"
	// InconclusiveCutOff means that the connection was closed in the middle of
	// the dialogue.
	InconclusiveCutOff Inconclusive = "cut-off"
	// InconclusiveHandshake means that the port speaks TLS, but the handshake
	// failed.
	InconclusiveHandshake Inconclusive = "tls-handshake"
	// InconclusiveUnfinished means that a reply was not complete when the time
	// was up.
	InconclusiveUnfinished Inconclusive = "unfinished"
	// InconclusiveNoReply means that the port replied to nothing. A daemon that
	// is busy or waits for something does that too.
	InconclusiveNoReply Inconclusive = "no-reply"
	// InconclusiveUnacknowledged means that the data sent was never acknowledged.
	InconclusiveUnacknowledged Inconclusive = "unacknowledged"
	// InconclusiveHostTimeout means that the time limit of the host was reached
	// during the dialogue. Package fingerprint does not know that limit: the
	// caller, which sets it in the context, sets this value.
	InconclusiveHostTimeout Inconclusive = "host-timeout"
	// InconclusiveSkipped means that there was no dialogue, or only a part of it,
	// because the host answers on every port or replies on none.
	InconclusiveSkipped Inconclusive = "skipped"
)
