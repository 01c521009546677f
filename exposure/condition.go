package exposure

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/fingerprint"
)

// A Place says to which ports a condition applies.
type Place string

// The places. A port that is both public and internal counts as public.
const (
	PlaceAny       Place = "any"
	PlacePublic    Place = "public"    // a port that strangers are meant to reach
	PlaceNonpublic Place = "nonpublic" // any other port
	PlaceInternal  Place = "internal"  // a port known for internal mail traffic
)

// A Condition is a conjunction: each field that is set must hold. An empty
// list holds for everything.
type Condition struct {
	Protocols []string
	Roles     []string
	Products  []string // words of which the product name must contain one
	Stacks    []string
	Tunnels   []string // "none", "ssl", "starttls"
	Ports     []uint16

	Place Place // "" is PlaceAny

	// Vantages lists the classes of vantage points; empty means internet or lan. What
	// holds from the internet holds for configuration files, too.
	Vantages []VantageClass

	Observed []string // observations that must all be present
	Absent   []string // observations that must all be absent

	// Certificate lists faults of which the certificate must have one. It needs a
	// TLS handshake, but the service need not be identified.
	Certificate []CertificateFault

	// Settings lists faults of which the setting that is judged must have one. Only
	// files show a setting; a condition without any does not hold for one.
	Settings []SettingFault

	// OnlyIPv6 requires that the port is not open over IPv4 on the same host.
	OnlyIPv6 bool

	// Unidentified requires an open port of which only the number is known. All
	// other conditions need a dialogue.
	Unidentified bool

	// Intrusive requires a run that was allowed intrusive probes.
	Intrusive bool

	// Unfiltered requires that no file says of the listener that it hands its mail to a
	// content filter. A dialogue does not show whether it does.
	Unfiltered bool
}

// Observations that affect all conditions.
const (
	// ObservedRefused means that the daemon's access list refused the scanner.
	// Only conditions that ask for it hold then.
	ObservedRefused = "acl-refused"
)

// A situation is the input of the conditions.
type situation struct {
	service   *fingerprint.Identification // nil if nothing is known
	port      uint16
	public    bool
	internal  bool
	vantage   VantageClass
	intrusive bool

	setting     SettingFault       // of the setting that is judged; "" for a listener
	certificate []CertificateFault // faults of the certificate
	notOpen     []netip.Addr       // IPv4 addresses of the host that do not have the port open
}

// Identified reports whether a dialogue determined the protocol or the role of
// the service. A name inferred from the port number does not count.
func Identified(v *fingerprint.Identification) bool {
	switch {
	case v == nil:
		return false
	case v.Has(ObservedRefused):
		return true
	case v.Method == "table":
		return false
	}
	return v.Name != "" && v.Name != "unknown" || v.Role != "" && v.Role != "unknown"
}

// holds reports whether the condition holds.
func (c *Condition) holds(s *situation) bool {
	if !c.ofSetting(s.setting) || c.OnlyIPv6 && len(s.notOpen) == 0 || c.Intrusive && !s.intrusive || !c.holdsAt(s) {
		return false
	}
	if len(c.Certificate) > 0 {
		return slices.ContainsFunc(c.Certificate, func(f CertificateFault) bool { return slices.Contains(s.certificate, f) })
	}
	if c.Unidentified {
		return !Identified(s.service)
	}
	v := s.service
	if s.setting != "" && v == nil { // the setting says enough
		v = &fingerprint.Identification{}
	}
	if c.Unfiltered && v != nil && v.Filtered || s.setting == "" && !Identified(v) || v.Has(ObservedRefused) && !slices.Contains(c.Observed, ObservedRefused) {
		return false
	}
	return matchesWord(c.Protocols, v.Name) && matchesWord(c.Roles, string(v.Role)) &&
		matchesWord(c.Stacks, v.Stack) && matchesWord(c.Tunnels, tunnelOf(v)) &&
		matchesProduct(c.Products, v) && c.observes(v)
}

// holdsAt reports whether the port and the vantage point match.
func (c *Condition) holdsAt(s *situation) bool {
	if len(c.Ports) > 0 && !slices.Contains(c.Ports, s.port) {
		return false
	}
	from := s.vantage
	if from == ClassConfig {
		from = ClassInternet
	}
	if len(c.Vantages) == 0 && from == ClassHost || len(c.Vantages) > 0 && !slices.Contains(c.Vantages, from) {
		return false
	}
	switch c.Place {
	case PlacePublic:
		return s.public
	case PlaceNonpublic:
		return !s.public
	case PlaceInternal:
		return s.internal && !s.public
	default:
		return true
	}
}

// observes reports whether the observations match.
func (c *Condition) observes(v *fingerprint.Identification) bool {
	for _, o := range c.Observed {
		if !v.Has(o) {
			return false
		}
	}
	return !slices.ContainsFunc(c.Absent, v.Has)
}

// tunnelOf returns the word that conditions use for the tunnel of a service.
func tunnelOf(v *fingerprint.Identification) string {
	if v.Tunnel == "" {
		return "none"
	}
	return string(v.Tunnel)
}

// matchesWord reports whether words is empty or contains word, ignoring case.
func matchesWord(words []string, word string) bool {
	return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, word) })
}

// matchesProduct reports whether the service is one of the products. If safe
// probes cannot distinguish some products, all of them must be listed.
func matchesProduct(products []string, v *fingerprint.Identification) bool {
	if len(products) == 0 {
		return true
	}
	listed := func(name string) bool {
		return slices.ContainsFunc(products, func(p string) bool { return HasProduct(name, p) })
	}
	product := v.KnownProduct()
	if product != "" && !listed(product) {
		return false
	}
	for _, a := range v.Alternatives {
		if !listed(a) {
			return false
		}
	}
	return product != "" || len(v.Alternatives) > 0
}

// HasProduct reports whether name contains product, ignoring case, at the start
// of a word.
func HasProduct(name, product string) bool {
	name, product = strings.ToLower(name), strings.ToLower(product)
	for from := 0; product != ""; from++ {
		i := strings.Index(name[from:], product)
		if i < 0 {
			return false
		}
		from += i
		if from == 0 || !isWordByte(name[from-1]) {
			return true
		}
	}
	return false
}

// isWordByte reports whether c is part of a word of a product name.
func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
}
