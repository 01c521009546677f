package result

import "slices"

// A Service is what answers on a port.
type Service struct {
	// Name is the protocol spoken, in lower case: "smtp", "lmtp", "imap", "pop3",
	// "managesieve", "postfix-policy", "milter", "am.pdp", "spamd", "clamd",
	// "http", "ssh", ... Empty means not known.
	Name string `json:"name,omitempty" clean:"field"`

	Product   string `json:"product,omitempty" clean:"field"` // the daemon's name, "" if not known
	Version   string `json:"version,omitempty" clean:"field"` // as the daemon says it, "" if it does not
	ExtraInfo string `json:"extra_info,omitempty" clean:"field"`
	Hostname  string `json:"hostname,omitempty" clean:"field"` // by which the daemon calls itself
	OSType    string `json:"os_type,omitempty" clean:"field"`

	// Role is what the daemon does in the mail flow; RoleUnknown if nothing tells.
	Role Role `json:"role,omitempty"`

	// Behind is the next hop that shows through a proxy; nil if none does.
	Behind *Behind `json:"behind,omitempty"`

	// ProxyParser names the program that reads the PROXY header in front of the
	// service, where the port wants one: Product itself, or the daemon in Behind. It is
	// "" where no header is wanted, and where nothing told whose parser it is.
	ProxyParser string `json:"proxy_parser,omitempty" clean:"field"`

	// Evidence is what was sent and seen that led to the answer, in the order in
	// which it weighs.
	Evidence []Evidence `json:"evidence,omitempty"`

	// Tunnel is "" for clear text. A port that offers STARTTLS is judged by its
	// clear side; what became of the offer is in the TLS of the port and in
	// Observations. TunnelStartTLS is left to services that were seen inside of it
	// only.
	Tunnel Tunnel `json:"tunnel,omitempty"`

	// Expected is what usually listens on a port of this number, where nothing that
	// was said tells what does: a guess, which names nothing. Alternatives then holds
	// the products.
	Expected *Expected `json:"expected,omitempty"`

	// Method says what the name rests on. With MethodTable there is none: Expected and
	// Alternatives are what the port's number suggests, and Confidence, at most 3, is
	// how well it does.
	Method Method `json:"method,omitempty"`

	Confidence int `json:"confidence"` // from 0, nothing known, to 10, certain

	CPEs []string `json:"cpes,omitempty" clean:"field"` // CPE 2.3 formatted strings

	// SelfNamed says that Product and Version are only what the daemon says of itself,
	// because no signature names it. Confidence then is that of the name; nothing is
	// decided by it.
	SelfNamed bool `json:"self_named,omitempty"`

	// MatchedRule is the id of the signature that matched; "" if none did.
	MatchedRule string `json:"matched_rule,omitempty"`

	// Alternatives names the other products that the same behavior fits, where
	// safe probes cannot tell them apart. Product then names the likeliest, or is
	// empty where none is.
	Alternatives []string `json:"alternatives,omitempty" clean:"field"`

	// Observations are the named observations that hold, sorted, for example
	// "xclient-offered", "auth-before-tls" or "acl-refused". The names are those of
	// signatures/observations.yaml.
	Observations []string `json:"observations,omitempty"`

	// Stack names the mail stack that the host's set of ports and products
	// suggests ("Zimbra", "iRedMail", ...), "" if none.
	Stack string `json:"stack,omitempty"`

	// SameAs lists other ports of the same host whose greeting is identical byte
	// for byte, the first 32: the links of a proxy chain.
	SameAs []uint16 `json:"same_as,omitempty"`

	// Inconclusive says why the dialogue did not settle what answers; "" if it
	// did. What is set besides it then rests on the protocol alone. Refusal is what
	// the daemon said when it refused for now or hung up in the middle, at most
	// 1024 bytes without blanks around it; "" unless Inconclusive is set.
	Inconclusive Inconclusive `json:"inconclusive,omitempty"`
	Refusal      string       `json:"refusal,omitempty" clean:"evidence"`
}

// Expected is what usually listens on a port.
type Expected struct {
	Name string `json:"name,omitempty" clean:"field"` // the protocol
	Role Role   `json:"role,omitempty"`
}

// Behind is the daemon that shows through a proxy.
type Behind struct {
	Product string `json:"product,omitempty" clean:"field"`
	Version string `json:"version,omitempty" clean:"field"`
}

// Evidence is one thing that was seen of a service.
type Evidence struct {
	Probe    string `json:"probe" clean:"field"`             // its id
	Sent     string `json:"sent,omitempty" clean:"evidence"` // "" for a passive probe
	Observed string `json:"observed" clean:"evidence"`       // what came back and how it ended
	Shows    string `json:"shows,omitempty"`                 // in words

	// Observation is the id of what it shows of the service; "" where Shows is what
	// the probe is for.
	Observation string `json:"observation,omitempty" clean:"field"`
}

// A Banner is what a daemon said first. Text is for people; Base64 holds the
// bytes themselves where Text does not show all of them as they were.
type Banner struct {
	Text      string `json:"text" clean:"evidence"`
	Base64    string `json:"base64,omitempty"`
	SHA256    string `json:"sha256,omitempty"` // of the bytes, line ends included
	Truncated bool   `json:"truncated"`
}

// TLS is a completed TLS handshake.
type TLS struct {
	Version    string   `json:"version,omitempty" clean:"field"` // "TLS 1.3"
	Cipher     string   `json:"cipher,omitempty" clean:"field"`
	Subject    string   `json:"subject,omitempty" clean:"field"`
	Names      []string `json:"names,omitempty" clean:"field"` // DNS names of the certificate, the first 100
	Issuer     string   `json:"issuer,omitempty" clean:"field"`
	NotAfter   Time     `json:"not_after,omitzero"`
	CertSHA256 string   `json:"cert_sha256,omitempty"` // lower-case hex of the leaf certificate

	// NamesTruncated says that the certificate has more, or longer, names than
	// Names tells.
	NamesTruncated bool `json:"names_truncated,omitempty"`

	// NotBefore is when the certificate begins to be valid, KeyAlgorithm names
	// the kind of its key ("RSA", "ECDSA", "Ed25519", "DSA"; "" if not known),
	// KeyBits the size (0 if not known) and SignatureAlgorithm how it is signed
	// ("SHA256-RSA"). Zero where there was no certificate.
	NotBefore          Time   `json:"not_before,omitzero"`
	KeyAlgorithm       string `json:"key_algorithm,omitempty" clean:"field"`
	KeyBits            int    `json:"key_bits,omitempty"`
	SignatureAlgorithm string `json:"signature_algorithm,omitempty" clean:"field"`
}

// A PortError is why a port could not be asked.
type PortError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// A ProbeRecord is one exchange with a service that nothing matched, as a report
// shows it; the exchange itself, with its bytes, is in package signatures.
type ProbeRecord struct {
	Probe    string  `json:"probe" clean:"field"`
	Greeting string  `json:"greeting,omitempty" clean:"evidence"`
	Sent     string  `json:"sent,omitempty" clean:"evidence"`
	Reply    string  `json:"reply,omitempty" clean:"evidence"`
	End      string  `json:"end"`
	TLS      bool    `json:"tls,omitempty"`
	Took     float64 `json:"took_ms,omitempty"` // milliseconds
}

// ByNumber reports whether only the number of the port is known.
func (s *Service) ByNumber() bool { return s != nil && s.Method == MethodTable && s.Product == "" }

// Label names what answers in a few words: product and version, else the
// protocol that it spoke, else "".
func (s *Service) Label() string {
	switch {
	case s == nil, s.ByNumber():
		return ""
	case s.Product != "" && s.Version != "":
		return s.Product + " " + s.Version
	case s.Product != "":
		return s.Product
	case s.Name != "":
		return s.Name
	}
	return ""
}

// KnownProduct is the product that a signature names, "" if none does: what a daemon
// says of itself decides nothing.
func (s *Service) KnownProduct() string {
	if s.SelfNamed {
		return ""
	}
	return s.Product
}

// KnownVersion is the version of the KnownProduct.
func (s *Service) KnownVersion() string {
	if s.SelfNamed {
		return ""
	}
	return s.Version
}

// Has reports whether the named observation holds for the service.
func (s *Service) Has(observation string) bool { return slices.Contains(s.Observations, observation) }
