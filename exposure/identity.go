package exposure

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// An Identity says what identifies the host in the id of a finding.
type Identity string

// The identities. The zero Identity is IdentityName.
const (
	// IdentityName uses the name under which the host is in scope, or the address
	// if there is no name: the id stays the same if the host gets another
	// address.
	IdentityName Identity = "name"
	// IdentityAddress always uses the address.
	IdentityAddress Identity = "address"
)

// FindingID returns the id of a finding: the lower-case hex SHA-256 of rule,
// host, port, protocol ("tcp") and vantage, separated by NUL. The host is a name
// or an address, in any spelling.
func FindingID(rule, host string, port uint16, vantage string) string {
	return hashWords(rule, canonicalHost(host), strconv.Itoa(int(port)), "tcp", vantage)
}

// GroupID returns the id that a finding has from all vantage points: as
// FindingID, without the vantage.
func GroupID(rule, host string, port uint16) string {
	return hashWords(rule, canonicalHost(host), strconv.Itoa(int(port)), "tcp")
}

// ListenerFindingID returns the id of a finding about a listener of a file: the
// lower-case hex SHA-256 of rule, file, name of the listener, "file" and vantage,
// separated by NUL. The line is not part of it.
func ListenerFindingID(rule, file, listener, vantage string) string {
	return hashWords(rule, file, listener, "file", vantage)
}

// ListenerGroupID returns the id that a finding about a listener of a file has from all
// vantage points.
func ListenerGroupID(rule, file, listener string) string {
	return hashWords(rule, file, listener, "file")
}

// hashWords returns the lower-case hex SHA-256 of words separated by NUL.
func hashWords(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:])
}

// canonicalHost returns the canonical spelling of an address or a name.
func canonicalHost(host string) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().String()
	}
	return CanonicalName(host)
}

// CanonicalName returns a host name in lower case and without a final dot.
func CanonicalName(host string) string {
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// hostOf returns what identifies the host of a port.
func (i Identity) hostOf(addr netip.Addr, name string) string {
	if name == "" || i == IdentityAddress {
		return addr.Unmap().String()
	}
	return name
}

// identify sets the ids of a finding.
func (i Identity) identify(f *Violation) {
	if f.Listener != nil {
		f.ID = ListenerFindingID(f.Rule.ID, f.Host, f.Listener.Name, f.Vantage)
		f.GroupID = ListenerGroupID(f.Rule.ID, f.Host, f.Listener.Name)
		return
	}
	host := i.hostOf(f.Target.Addr(), f.Host)
	f.ID = FindingID(f.Rule.ID, host, f.Target.Port(), f.Vantage)
	f.GroupID = GroupID(f.Rule.ID, host, f.Target.Port())
}

// AllAddresses returns the addresses on which the rule is broken, sorted.
func (f *Violation) AllAddresses() []netip.Addr {
	if len(f.Addresses) > 0 {
		return f.Addresses
	}
	return []netip.Addr{f.Target.Addr().Unmap()}
}

// JoinAddresses joins findings with the same id: a finding on several addresses
// of one name is one finding, which lists them. It takes the position of the
// first of them, and the lowest address.
func JoinAddresses(findings []Violation) []Violation {
	at := make(map[string]int, len(findings))
	list := make([]Violation, 0, len(findings))
	for i := range findings {
		f := findings[i]
		if j, ok := at[f.ID]; ok {
			list[j].join(&f)
			continue
		}
		at[f.ID] = len(list)
		list = append(list, f)
	}
	return list
}

// join adds what was found on another address of the same name. The result has
// the highest severity of all addresses, and is suppressed only if it is on all
// of them.
func (f *Violation) join(o *Violation) {
	addresses := slices.Concat(f.AllAddresses(), o.AllAddresses())
	slices.SortFunc(addresses, netip.Addr.Compare)
	if addresses = slices.Compact(addresses); len(addresses) > 1 {
		f.Addresses = addresses
	}
	if o.Target.Addr().Unmap().Less(f.Target.Addr().Unmap()) {
		f.Target = o.Target
	}
	f.Aliases = slices.DeleteFunc(slices.Clone(f.Aliases), func(name string) bool { return !slices.Contains(o.Aliases, name) })
	for _, sentence := range o.Evidence {
		if !slices.Contains(f.Evidence, sentence) && len(f.Evidence) < maxEvidence {
			f.Evidence = append(slices.Clip(f.Evidence), o.Target.Addr().Unmap().String()+": "+sentence)
		}
	}
	f.NamedBy = slices.Clip(f.NamedBy)
	for _, path := range o.NamedBy {
		if !slices.Contains(f.NamedBy, path) {
			f.NamedBy = append(f.NamedBy, path)
		}
	}
	f.Severity, f.Score = max(f.Severity, o.Severity), max(f.Score, o.Score)
	f.Confidence = max(f.Confidence, o.Confidence)
	if o.Certainty > f.Certainty {
		f.Certainty, f.Method = o.Certainty, o.Method
	}
	if o.Reachability == "" {
		f.Reachability = ""
	}
	if o.FirstSeen.Before(f.FirstSeen) {
		f.FirstSeen = o.FirstSeen
	}
	if o.LastSeen.After(f.LastSeen) {
		f.LastSeen = o.LastSeen
	}
	if f.Status != result.StatusOpen && (o.Status == result.StatusOpen || f.Status == result.StatusExpected) {
		f.Status, f.Acceptance, f.PolicyAnchor = o.Status, o.Acceptance, o.PolicyAnchor
	}
}
