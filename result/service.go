package result

// A Service is what answers on a port.
type Service struct {
	Name         string     `json:"name,omitempty"` // the protocol spoken
	Product      string     `json:"product,omitempty"`
	Version      string     `json:"version,omitempty"`
	ExtraInfo    string     `json:"extra_info,omitempty"`
	Hostname     string     `json:"hostname,omitempty"`
	OSType       string     `json:"os_type,omitempty"`
	Role         string     `json:"role,omitempty"`
	Behind       *Behind    `json:"behind,omitempty"`
	Evidence     []Evidence `json:"evidence,omitempty"`
	Tunnel       string     `json:"tunnel,omitempty"`
	Method       string     `json:"method,omitempty"`
	Confidence   int        `json:"confidence"` // 0 to 10
	CPEs         []string   `json:"cpes,omitempty"`
	MatchedRule  string     `json:"matched_rule,omitempty"` // id of the signature
	Alternatives []string   `json:"alternatives,omitempty"` // what the same behavior also fits
	Observations []string   `json:"observations,omitempty"`
	Stack        string     `json:"stack,omitempty"`
	SameAs       []uint16   `json:"same_as,omitempty"` // ports of the host with the same greeting

	// Inconclusive says why the dialogue did not settle what answers, in the
	// words of fingerprint.Inconclusive; "" if it did. Refusal is what the
	// daemon said then.
	Inconclusive string `json:"inconclusive,omitempty"`
	Refusal      string `json:"refusal,omitempty"`
}

// Behind is the daemon that shows through a proxy.
type Behind struct {
	Product string `json:"product,omitempty"`
	Version string `json:"version,omitempty"`
}

// Evidence is one thing that was seen of a service.
type Evidence struct {
	Probe    string `json:"probe"`
	Sent     string `json:"sent,omitempty"`
	Observed string `json:"observed"`
	Shows    string `json:"shows,omitempty"`

	// Observation is the id of what it shows of the service; "" where Shows is what
	// the probe is for.
	Observation string `json:"observation,omitempty"`
}

// A Banner is what a daemon said first. Text is for people; Base64 holds the
// bytes themselves where Text does not show all of them as they were.
type Banner struct {
	Text      string `json:"text"`
	Base64    string `json:"base64,omitempty"`
	SHA256    string `json:"sha256,omitempty"` // of the bytes, line ends included
	Truncated bool   `json:"truncated"`
}

// TLS is a completed TLS handshake.
type TLS struct {
	Version    string   `json:"version,omitempty"`
	Cipher     string   `json:"cipher,omitempty"`
	Subject    string   `json:"subject,omitempty"`
	Names      []string `json:"names,omitempty"`
	Issuer     string   `json:"issuer,omitempty"`
	NotAfter   Time     `json:"not_after,omitzero"`
	CertSHA256 string   `json:"cert_sha256,omitempty"`

	NamesTruncated     bool   `json:"names_truncated,omitempty"`
	NotBefore          Time   `json:"not_before,omitzero"`
	KeyAlgorithm       string `json:"key_algorithm,omitempty"`
	KeyBits            int    `json:"key_bits,omitempty"`
	SignatureAlgorithm string `json:"signature_algorithm,omitempty"`
}

// An Error is why a port could not be asked.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// An Exchange is one dialogue with a service that nothing matched.
type Exchange struct {
	Probe    string  `json:"probe"`
	Greeting string  `json:"greeting,omitempty"`
	Sent     string  `json:"sent,omitempty"`
	Reply    string  `json:"reply,omitempty"`
	End      string  `json:"end"`
	TLS      bool    `json:"tls,omitempty"`
	Took     float64 `json:"took_ms,omitempty"` // milliseconds
}

// ByNumber reports whether only the number of the port is known: what the
// service is called then is what usually listens there.
func (s *Service) ByNumber() bool { return s != nil && s.Method == "table" && s.Product == "" }

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
