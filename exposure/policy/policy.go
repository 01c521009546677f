package policy

import (
	_ "embed"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// DefaultFile is the policy file that is read by default if it exists.
const DefaultFile = "mxsweep.yaml"

// A Policy is the content of a policy file. Load makes one; a nil Policy is
// empty. Keys that the file does not have leave the zero value.
type Policy struct {
	File   string // as named by the user
	SHA256 string // lower-case hex, of the file

	Scope ScopeSection

	// Ports is the list of ports to sweep, "" if not given.
	Ports string

	// Identity says what identifies the host in finding ids; "" is IdentityName.
	Identity exposure.Identity

	Vantages      []exposure.Vantage
	Gate          Gate
	Canaries      []Canary
	Expect        []Expectation
	MustBeClosed  []Prohibition
	Accept        []AcceptedRisk
	Limits        Limits
	Authorization *Authorization // nil if not given
}

// NamedVantages returns the vantage points that the policy defines. It may be
// called on a nil policy.
func (p *Policy) NamedVantages() []exposure.Vantage {
	if p == nil {
		return nil
	}
	return p.Vantages
}

// HostIdentity returns Identity, with the default filled in. It may be called on
// a nil policy.
func (p *Policy) HostIdentity() exposure.Identity {
	if p == nil || p.Identity == "" {
		return exposure.IdentityName
	}
	return p.Identity
}

// A ScopeSection is the part of a policy that defines what may be contacted.
type ScopeSection struct {
	// Files are scope files as written, relative to the policy file.
	Files []result.Anchor
	// Lines are scope lines with their positions in the policy file. A leading
	// "!" excludes.
	Lines Lines
	in    *userfile.Source // the policy file

	// Hosts are the lines with a minimum number of hosts.
	Hosts []LineHosts
}

// A LineHosts is a line of the scope with the minimum number of hosts that must
// be up in it. 0 allows that there is none.
type LineHosts struct {
	Anchor result.Anchor
	Hosts  Selector
	Least  uint64
}

// MinHosts returns the minimum number of hosts that must be up in a range at the
// given position: the number of its line, 0 inside a line that may be empty,
// otherwise 1. It may be called on a nil policy.
func (p *Policy) MinHosts(at result.Anchor, r netipx.IPRange) uint64 {
	if p == nil {
		return 1
	}
	least := uint64(1)
	for i := range p.Scope.Hosts {
		h := &p.Scope.Hosts[i]
		if h.Anchor == at {
			return h.Least
		}
		if h.Least == 0 && h.Hosts.holds(r) {
			least = 0
		}
	}
	return least
}

// Gate is the gate section of the file. Flags override it.
type Gate struct {
	FailOn        string         // "" if not given
	FailOnAt      *userfile.Mark // its position, nil if not given
	MinCoverage   *float64       // nil if not given
	MinConfidence int
}

// Limits are limits of the sweep; zero means not given.
type Limits struct {
	Rate        int // probes per second
	Concurrency int
	PerHost     int
	Retries     *int // nil if not given
	Timeout     time.Duration
}

// An Expectation is a service that is allowed. It covers findings about its
// reachability and what it discloses, but not those about its configuration.
type Expectation struct {
	Hosts Selector
	Ports PortSelector
	place
	service *expectedService // shared by entries with equal services; nil is any
}

// An expectedService is the service of an expectation.
type expectedService struct {
	protocol string // "" is any
	product  string // words that the product's name contains; "" is any
}

// protocol returns the expected protocol, "" if any.
func (e *Expectation) protocol() string {
	if e.service == nil {
		return ""
	}
	return e.service.protocol
}

// product returns words that the product name contains, "" for any.
func (e *Expectation) product() string {
	if e.service == nil {
		return ""
	}
	return e.service.product
}

// A Prohibition is a port that must not be open.
type Prohibition struct {
	Hosts Selector
	Ports PortSelector
	place
}

// An AcceptedRisk is an entry of accept.
type AcceptedRisk struct {
	result.Acceptance
	Rule  string // an id or "*"
	Hosts Selector
	Ports PortSelector
	place
}

// covers reports whether the entry matches the finding on all of its addresses,
// expired or not.
func (a *AcceptedRisk) covers(f *exposure.Violation) bool {
	return a.about(f) && a.Hosts.matchesAll(f)
}

// touches reports whether the entry matches the finding on at least one of its
// addresses.
func (a *AcceptedRisk) touches(f *exposure.Violation) bool {
	return a.about(f) && a.Hosts.matchesOne(f)
}

// about reports whether the entry has the rule and the port of the finding.
func (a *AcceptedRisk) about(f *exposure.Violation) bool {
	return (a.Rule == "*" || a.Rule == f.Rule.ID) && a.Ports.Matches(f.Target.Port())
}

// covers reports whether the expectation covers the finding.
func (e *Expectation) covers(f *exposure.Violation) bool {
	return (f.Rule.Kind == exposure.KindListener || f.Rule.Kind == exposure.KindDisclosure || f.Rule.Kind == exposure.KindJoined) &&
		e.Hosts.matchesAll(f) && e.Ports.Matches(f.Target.Port()) &&
		(e.protocol() == "" || strings.EqualFold(e.protocol(), f.Service)) &&
		(e.product() == "" || exposure.HasProduct(f.Product, e.product()))
}

// Apply sets the status of the finding at the given time: accepted, expected or
// open.
func (p *Policy) Apply(f *exposure.Violation, now time.Time) {
	f.Status, f.Acceptance = result.StatusOpen, nil
	if p == nil || f.Rule == nil {
		return
	}
	for i := range p.Accept {
		a := &p.Accept[i]
		if !a.covers(f) {
			continue
		}
		f.PolicyAnchor = a.Anchor()
		if a.Holds(now) {
			f.Status, f.Acceptance = result.StatusAccepted, &a.Acceptance
			return
		}
	}
	for i := range p.Expect {
		if e := &p.Expect[i]; e.covers(f) {
			f.Status, f.PolicyAnchor = result.StatusExpected, e.Anchor()
			return
		}
	}
}

// Expired returns the acceptance that covered the finding and has expired at the
// given time, nil if there is none.
func (p *Policy) Expired(f *exposure.Violation, now time.Time) *AcceptedRisk {
	if p == nil {
		return nil
	}
	for i := range p.Accept {
		if a := &p.Accept[i]; a.covers(f) && !a.Holds(now) {
			return a
		}
	}
	return nil
}

// forbids returns the entry that requires the port to be closed, nil if there is
// none.
func (p *Policy) forbids(addr netip.Addr, hosts []string, port uint16) *Prohibition {
	if p == nil {
		return nil
	}
	for i := range p.MustBeClosed {
		if m := &p.MustBeClosed[i]; m.Hosts.Matches(addr, hosts...) && m.Ports.Matches(port) {
			return m
		}
	}
	return nil
}

// Forbids reports whether an entry requires a port of a host to be closed, and
// its position.
func (p *Policy) Forbids(addr netip.Addr, names []string, port uint16) (at *result.Anchor, forbidden bool) {
	m := p.forbids(addr, names, port)
	if m == nil {
		return nil, false
	}
	return m.Anchor(), true
}

//go:embed policy.schema.json
var schema []byte

// Schema returns the JSON schema of the policy file, for editors.
func Schema() []byte { return slices.Clone(schema) }

// Expects reports whether an entry of expect covers a pair.
func (p *Policy) Expects(addr netip.Addr, hosts []string, port uint16) bool {
	if p == nil {
		return false
	}
	for i := range p.Expect {
		if e := &p.Expect[i]; e.Hosts.Matches(addr, hosts...) && e.Ports.Matches(port) {
			return true
		}
	}
	return false
}

// Assessed reports whether the result of an open port is conclusive: a dialogue
// identified the service, or detected the protocol that the policy expects there.
func (p *Policy) Assessed(port exposure.Subject) bool {
	s := port.Service
	if s == nil {
		return false
	}
	if s.Inconclusive == "" {
		return true
	}
	if p == nil || port.State != result.StateOpen || s.Name == "" || s.Method == "table" {
		return false
	}
	for i := range p.Expect {
		e := &p.Expect[i]
		if e.protocol() != "" && e.Hosts.Matches(port.Target.Addr(), port.Names()...) && e.Ports.Matches(port.Target.Port()) && strings.EqualFold(e.protocol(), s.Name) {
			return true
		}
	}
	return false
}
