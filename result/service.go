package result

import "slices"

// A Service is what answers on a port.
type Service struct {
	// Name is the protocol, in lower case: "smtp", "lmtp", "imap", "pop3",
	// "managesieve", "postfix-policy", "milter", "am.pdp", "spamd", "clamd",
	// "http", "ssh", ... (see Protocols). Empty means not known.
	Name string `json:"name,omitempty" clean:"field"`

	Product   string `json:"product,omitempty" clean:"field"` // the daemon's name, "" if not known
	Version   string `json:"version,omitempty" clean:"field"` // as the daemon says it, "" if it does not
	ExtraInfo string `json:"extra_info,omitempty" clean:"field"`
	Hostname  string `json:"hostname,omitempty" clean:"field"` // by which the daemon calls itself
	OSType    string `json:"os_type,omitempty" clean:"field"`

	// Role is what the daemon does in the mail flow; RoleUnknown if not known.
	Role Role `json:"role,omitempty"`

	// Behind is the next hop that is visible through a proxy; nil if none is.
	Behind *Behind `json:"behind,omitempty"`

	// ProxyParser is the program that parses the PROXY header, if the port requires
	// one: Product itself, or the daemon in Behind. It is "" if no header is required,
	// and if it is not known whose parser it is.
	ProxyParser string `json:"proxy_parser,omitempty" clean:"field"`

	// Evidence is what was sent and received that led to the identification, most
	// significant first.
	Evidence []Evidence `json:"evidence,omitempty"`

	// Tunnel is "" for clear text. A port that offers STARTTLS is assessed in
	// clear text; the result of the TLS handshake is in the TLS field of the port
	// and in Observations. TunnelStartTLS is only used for services that were
	// identified inside the tunnel.
	Tunnel Tunnel `json:"tunnel,omitempty"`

	// Expected is what usually listens on this port number, if nothing in the
	// dialogue identified the service: a guess. Alternatives then lists the
	// products.
	Expected *Expected `json:"expected,omitempty"`

	// Method says what the identification is based on. With MethodTable the
	// service is not identified: Expected and Alternatives follow from the port
	// number, and Confidence, at most 3, is how well they do.
	Method Method `json:"method,omitempty"`

	// Confidence is how sure the product is, from 0, nothing known, to 10, certain. Where
	// other programs may behave as the product does, the protocol may be surer: the
	// confidence of findings goes by that.
	Confidence int `json:"confidence"`

	CPEs []string `json:"cpes,omitempty" clean:"field"` // CPE 2.3 formatted strings

	// SelfNamed is set if Product and Version are only what the daemon says of
	// itself, because no signature matches. Confidence then applies to the name;
	// no rule depends on it.
	SelfNamed bool `json:"self_named,omitempty"`

	// MatchedRule is the id of the signature that matched; "" if none did.
	MatchedRule string `json:"matched_rule,omitempty"`

	// Alternatives lists other products with the same behavior, which safe probes
	// cannot distinguish. Product is then the most likely one, or empty if none
	// is.
	Alternatives []string `json:"alternatives,omitempty" clean:"field"`

	// Observations are the named observations that hold, sorted, for example
	// "xclient-offered", "auth-before-tls" or "acl-refused". The names are those of
	// signatures/observations.yaml.
	Observations []string `json:"observations,omitempty"`

	// Stack is the mail system that the ports and products of the host suggest
	// ("Zimbra", "iRedMail", ...), "" if none.
	Stack string `json:"stack,omitempty"`

	// SameAs lists other ports of the same host whose greeting is identical byte
	// for byte, at most 32: the links of a proxy chain.
	SameAs []uint16 `json:"same_as,omitempty"`

	// Inconclusive says why the dialogue did not identify the service; "" if it
	// did. Other fields then rest on the protocol alone. Refusal is the daemon's
	// reply when it refused temporarily or closed the connection in the middle,
	// at most 1024 bytes without surrounding white space; "" unless Inconclusive
	// is set.
	Inconclusive Inconclusive `json:"inconclusive,omitempty"`
	Refusal      string       `json:"refusal,omitempty" clean:"evidence"`
}

// Expected is what usually listens on a port.
type Expected struct {
	Name string `json:"name,omitempty" clean:"field"` // the protocol
	Role Role   `json:"role,omitempty"`
}

// Behind is the daemon that is visible through a proxy.
type Behind struct {
	Product string `json:"product,omitempty" clean:"field"`
	Version string `json:"version,omitempty" clean:"field"`
}

// Evidence is one observation of a service.
type Evidence struct {
	Probe    string `json:"probe" clean:"field"`             // its id
	Sent     string `json:"sent,omitempty" clean:"evidence"` // "" for a passive probe
	Observed string `json:"observed" clean:"evidence"`       // what came back and how it ended
	Shows    string `json:"shows,omitempty"`                 // in words

	// Observation is the id of what it shows of the service; "" if Shows is only
	// the purpose of the probe.
	Observation string `json:"observation,omitempty" clean:"field"`
}

// A Banner is the first text that a daemon sent. Text is for people; Base64 has
// the exact bytes if Text does not show all of them.
type Banner struct {
	Text      string `json:"text" clean:"evidence"`
	Base64    string `json:"base64,omitempty"`
	SHA256    string `json:"sha256,omitempty"` // of the bytes, line ends included
	Truncated bool   `json:"truncated"`
}

// TLS is the result of a completed TLS handshake.
type TLS struct {
	Version    string   `json:"version,omitempty" clean:"field"` // "TLS 1.3"
	Cipher     string   `json:"cipher,omitempty" clean:"field"`
	Subject    string   `json:"subject,omitempty" clean:"field"`
	Names      []string `json:"names,omitempty" clean:"field"` // DNS names of the certificate, the first 100
	Issuer     string   `json:"issuer,omitempty" clean:"field"`
	NotAfter   Time     `json:"not_after,omitzero"`
	CertSHA256 string   `json:"cert_sha256,omitempty"` // lower-case hex of the leaf certificate

	// NamesTruncated is set if the certificate has more, or longer, names than
	// Names.
	NamesTruncated bool `json:"names_truncated,omitempty"`

	// NotBefore is the start of the certificate's validity, KeyAlgorithm the type
	// of its key ("RSA", "ECDSA", "Ed25519", "DSA"; "" if not known), KeyBits the
	// key size (0 if not known) and SignatureAlgorithm the algorithm of its
	// signature ("SHA256-RSA"). All are zero if there was no certificate.
	NotBefore          Time   `json:"not_before,omitzero"`
	KeyAlgorithm       string `json:"key_algorithm,omitempty" clean:"field"`
	KeyBits            int    `json:"key_bits,omitempty"`
	SignatureAlgorithm string `json:"signature_algorithm,omitempty" clean:"field"`

	// Chain has the digests of the certificates that the server sent, the leaf first, as TLSA
	// records compare them (RFC 6698, Section 2.1); nil unless the run looked up domains.
	Chain []CertificateDigests `json:"chain,omitempty"`
}

// CertificateDigests are the digests of one certificate and of its public key
// (SubjectPublicKeyInfo), in lower-case hex.
type CertificateDigests struct {
	CertSHA256 string `json:"cert_sha256"`
	CertSHA512 string `json:"cert_sha512"`
	KeySHA256  string `json:"key_sha256"`
	KeySHA512  string `json:"key_sha512"`
}

// A PortError is why a port could not be probed.
type PortError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// A ProbeRecord is one exchange with an unidentified service, as a report shows
// it; the exchange itself, with its bytes, is in package signatures.
type ProbeRecord struct {
	Probe    string  `json:"probe" clean:"field"`
	Greeting string  `json:"greeting,omitempty" clean:"evidence"`
	Sent     string  `json:"sent,omitempty" clean:"evidence"`
	Reply    string  `json:"reply,omitempty" clean:"evidence"`
	End      string  `json:"end"`
	TLS      bool    `json:"tls,omitempty"`
	Took     float64 `json:"took_ms,omitempty"` // milliseconds
}

// ByNumber reports whether only the port number is known.
func (s *Service) ByNumber() bool { return s != nil && s.Method == MethodTable && s.Product == "" }

// Label returns a short name of the service: product and version, otherwise the
// protocol, otherwise "".
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

// KnownProduct returns the product that a signature identified, "" if none did:
// no decision may depend on what a daemon says of itself.
func (s *Service) KnownProduct() string {
	if s.SelfNamed {
		return ""
	}
	return s.Product
}

// KnownVersion returns the version of the KnownProduct.
func (s *Service) KnownVersion() string {
	if s.SelfNamed {
		return ""
	}
	return s.Version
}

// Has reports whether the service has the named observation.
func (s *Service) Has(observation string) bool { return slices.Contains(s.Observations, observation) }
