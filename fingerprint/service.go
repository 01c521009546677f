// Package fingerprint finds out which daemon answers on an open port, by
// talking to it.
//
// An [Identifier] holds short scripted dialogues (probes) with the port and
// matches what was said, and how it was said, against the signatures of
// package signatures. It decides by dialogue, never by port number alone.
package fingerprint

import "time"

// A Service is what answers on an open port, and why we say so.
type Service struct {
	// Protocol is the protocol spoken, in lower case: "smtp", "lmtp",
	// "imap", "pop3", "managesieve", "postfix-policy", "milter", "am.pdp",
	// "spamd", "clamd", "http", "ssh", ... Empty means not known.
	Protocol string

	// Inconclusive says why the dialogue did not settle what answers; "" if
	// it did. What is set besides it then rests on the protocol alone.
	Inconclusive Inconclusive

	// Refusal is what the daemon said when it refused for now or hung up in
	// the middle, raw, at most 1024 bytes; nil unless Inconclusive is set.
	Refusal []byte

	Product   string // the daemon's name, "" if not known
	Version   string // as the daemon says it, "" if it does not
	ExtraInfo string
	Hostname  string // the name by which the daemon calls itself
	OSType    string

	// Role is what the daemon does in the mail flow, one of the roles of the
	// result schema; "unknown" if nothing tells.
	Role string

	// RoleByPort says that Role is a guess from the port number: the dialogue
	// told only what kind of daemon it is.
	RoleByPort bool

	// Behind is the next hop that shows through a proxy; nil if none does.
	Behind *Behind

	// Tunnel is "ssl" for implicit TLS and "" for clear text. An [Identifier]
	// judges a port that offers STARTTLS by its clear side; what became of the
	// offer is in TLS and Observations. "starttls" is left to services that
	// were seen inside of it only.
	Tunnel string

	// Method is "probed" where a signature matched and "table" where only the
	// port number suggests the name (Confidence is then at most 3).
	Method string

	// Confidence is from 0 (nothing known) to 10 (certain).
	Confidence int

	CPEs []string // CPE 2.3 formatted strings

	// Signature is the id of the signature that matched, "" if none did.
	Signature string

	// Alternatives names the other products that the same behavior fits,
	// where safe probes cannot tell them apart. Product then names the
	// likeliest, or is empty where none is.
	Alternatives []string

	// Observations are the named observations that hold, sorted, for example
	// "xclient-offered", "auth-before-tls" or "acl-refused". The names are
	// those of signatures/observations.yaml.
	Observations []string

	// Evidence is what was sent and seen that led to the answer, in the order
	// in which it weighs.
	Evidence []Evidence

	// Banner is what the daemon said first, raw, at most 1024 bytes.
	Banner          []byte
	BannerTruncated bool

	TLS *TLS // the TLS handshake, nil if there was none

	// Stack names the mail stack that the host's set of ports and products
	// suggests ("Zimbra", "iRedMail", ...), "" if none.
	Stack string

	// SameAs lists other ports of the same host whose greeting is identical
	// byte for byte, the first 32: the links of a proxy chain.
	SameAs []uint16

	// slow says that the host or this machine had no time: silence then does not
	// tell that the port waits to be asked.
	slow bool

	// spent is how long the conversations with the port took in all.
	spent time.Duration

	// Transcript is the raw record of every probe, for reports on unknown
	// services and for recording examples. Replies are whole if Record is set,
	// else their first 2048 bytes.
	Transcript *Transcript
}

// An Inconclusive is a reason why a dialogue did not settle what answers.
type Inconclusive string

// The reasons why a dialogue is inconclusive.
const (
	// InconclusiveNoConnection: no connection for a dialogue came about.
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
	// was. [Identifier.Identify] does not know of it: whoever bounds its ctx
	// sets it.
	InconclusiveHostTimeout Inconclusive = "host-timeout"
	// InconclusiveSkipped: the dialogue was not held, or stopped early,
	// because the host answers on every port, or replies on none.
	InconclusiveSkipped Inconclusive = "skipped"
)

// Behind is what is known of the daemon behind a proxy.
type Behind struct {
	Product string
	Version string
}

// Evidence is one thing that was seen.
type Evidence struct {
	Probe    string // id of the probe
	Sent     string // what was sent, raw; "" for a passive probe
	Observed string // what came back and how it ended, raw
	Shows    string // what it shows, in words

	// Observation is the id of the observation that rests on it, "" where it
	// tells which daemon answers.
	Observation string
}

// TLS describes a completed TLS handshake.
type TLS struct {
	Version    string // "TLS 1.3"
	Cipher     string
	Subject    string
	Names      []string // DNS names of the certificate, the first 100
	Issuer     string
	NotAfter   time.Time
	CertSHA256 string // lower-case hex of the leaf certificate

	// NamesTruncated says that the certificate has more, or longer, names than
	// Names tells.
	NamesTruncated bool

	// NotBefore is when the certificate begins to be valid, KeyAlgorithm names
	// the kind of its key ("RSA", "ECDSA", "Ed25519", "DSA"; "" if not known),
	// KeyBits the size (0 if not known) and SignatureAlgorithm how it is signed
	// ("SHA256-RSA"). Zero where there was no certificate.
	NotBefore          time.Time
	KeyAlgorithm       string
	KeyBits            int
	SignatureAlgorithm string
}

// Has reports whether the named observation holds for the service.
func (s *Service) Has(observation string) bool {
	for _, o := range s.Observations {
		if o == observation {
			return true
		}
	}
	return false
}
