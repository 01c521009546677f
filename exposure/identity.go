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

// An Identity says what stands for the host in the id of a finding.
type Identity string

// The identities. The zero Identity is IdentityName.
const (
	// IdentityName takes the name under which the user put the host in scope,
	// and the address where there is none: a finding stays the same when its
	// host gets another address.
	IdentityName Identity = "name"
	// IdentityAddress takes the address always.
	IdentityAddress Identity = "address"
)

// FindingID gives the id of a finding: the lower-case hex SHA-256 over rule,
// host, port, protocol ("tcp") and vantage, NUL between. The host is a name or
// an address, in any spelling.
func FindingID(rule, host string, port uint16, vantage string) string {
	return hashWords(rule, canonicalHost(host), strconv.Itoa(int(port)), "tcp", vantage)
}

// GroupID gives the id that a finding has from wherever it is seen: as
// FindingID, without the vantage.
func GroupID(rule, host string, port uint16) string {
	return hashWords(rule, canonicalHost(host), strconv.Itoa(int(port)), "tcp")
}

// hashWords gives the lower-case hex SHA-256 over words with NUL between.
func hashWords(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:])
}

// canonicalHost gives the one spelling of an address or a name.
func canonicalHost(host string) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().String()
	}
	return CanonicalName(host)
}

// CanonicalName makes host names comparable.
func CanonicalName(host string) string {
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// hostOf gives the word that stands for the host of a port.
func (i Identity) hostOf(addr netip.Addr, name string) string {
	if name == "" || i == IdentityAddress {
		return addr.Unmap().String()
	}
	return name
}

// identify sets the ids of a finding.
func (i Identity) identify(f *Violation) {
	host := i.hostOf(f.Target.Addr(), f.Host)
	f.ID = FindingID(f.Rule.ID, host, f.Target.Port(), f.Vantage)
	f.GroupID = GroupID(f.Rule.ID, host, f.Target.Port())
}

// AllAddresses gives the addresses on which the rule is broken, sorted.
func (f *Violation) AllAddresses() []netip.Addr {
	if len(f.Addresses) > 0 {
		return f.Addresses
	}
	return []netip.Addr{f.Target.Addr().Unmap()}
}

// JoinAddresses makes one finding of those with the same id: what is found on
// several addresses of one name is one finding, which lists them. It stands
// where the first of them stood, on its lowest address.
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

// join adds what was found on another address of the same name. The finding is
// as severe as it is on the worst of them, and suppressed only if it is on all.
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
