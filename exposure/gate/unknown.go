package gate

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/dialer"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// Limits of what is reported about pairs without a conclusive result.
const (
	maxUnknownGroups = 100     // groups with a notice of their own
	maxGroupPorts    = 20      // ports named in one notice
	maxRequired      = 5       // required pairs that are named
	maxCounted       = 1 << 16 // required pairs that are counted only once
	maxUnrouted      = 1000    // addresses without a route that are kept
)

// UnknownPairs collects the pairs without a conclusive result: grouped by host
// and reason for the notices, with those that a run requires to pass. The zero
// UnknownPairs is empty. It is not safe for concurrent use.
type UnknownPairs struct {
	groups map[unknownKey]*unknownGroup
	order  []*unknownGroup
	more   uint64 // pairs of further groups

	// The first addresses to which this machine has no route, and how many pairs
	// and required pairs have such addresses.
	unrouted         map[netip.Addr]bool
	unroutedPairs    uint64
	unroutedRequired uint64

	required uint64
	counted  map[string]bool // the required pairs, each once
	examples []requiredPair  // the first required pairs
}

// A requiredPair is a pair that must have a conclusive result for the run to
// pass, and the reason.
type requiredPair struct {
	what string
	why  Requirement
}

// An unknownKey identifies the pairs that share a notice.
type unknownKey struct {
	code string
	addr netip.Addr // zero if the reason does not depend on the host
	why  string
}

type unknownGroup struct {
	unknownKey
	ports []uint16 // the first ports
	pairs uint64

	// For a missing route: how many addresses of unrouted are in the group, and
	// whether there are others.
	hosts     uint64
	moreHosts bool
}

// Add counts a pair whose state is unknown, or that is open and not assessed. why
// is its requirement. Pairs of hosts with a notice of their own, because they
// stopped answering, answer on every port or ran out of time, are only counted.
func (u *UnknownPairs) Add(p exposure.Subject, why Requirement) {
	key := unknownReason(p)
	if key.code != exposure.NoticeNoRoute {
		u.require(p.Target.String(), 1, why)
	} else if u.unroutedPairs++; why != "" {
		u.unroutedRequired++
	}
	if key.code == "" {
		return
	}
	g := u.groups[key]
	if g == nil {
		if len(u.order) == maxUnknownGroups {
			u.more++
			return
		}
		if u.groups == nil {
			u.groups = map[unknownKey]*unknownGroup{}
		}
		g = &unknownGroup{unknownKey: key}
		u.groups[key] = g
		u.order = append(u.order, g)
	}
	g.pairs++
	if key.code == exposure.NoticeNoRoute {
		u.addUnrouted(g, p.Target.Addr())
	}
	if len(g.ports) < maxGroupPorts && !slices.Contains(g.ports, p.Target.Port()) {
		g.ports = append(g.ports, p.Target.Port())
	}
}

// addUnrouted records an address to which this machine has no route.
func (u *UnknownPairs) addUnrouted(g *unknownGroup, addr netip.Addr) {
	switch {
	case u.unrouted[addr]:
	case len(u.unrouted) == maxUnrouted:
		g.moreHosts = true
	default:
		if u.unrouted == nil {
			u.unrouted = map[netip.Addr]bool{}
		}
		u.unrouted[addr] = true
		g.hosts++
	}
}

// Require counts required pairs that are silent. what names them; repeated calls
// with the same name count once.
func (u *UnknownPairs) Require(what string, pairs uint64, why Requirement) {
	u.require(what, pairs, why)
}

func (u *UnknownPairs) require(what string, pairs uint64, why Requirement) {
	if why == "" || pairs == 0 || u.counted[what] {
		return
	}
	if u.counted == nil {
		u.counted = map[string]bool{}
	}
	if len(u.counted) < maxCounted {
		u.counted[what] = true
	}
	u.required += pairs
	if len(u.examples) < maxRequired {
		u.examples = append(u.examples, requiredPair{what, why})
	}
}

// Required returns how many required pairs have no conclusive result. Those
// without a route are not counted: one notice reports all of them.
func (u *UnknownPairs) Required() uint64 {
	if u == nil {
		return 0
	}
	return u.required
}

// hasNoRoute reports whether Add was called for an address to which this machine
// has no route. If there are very many such addresses, it knows only the first.
func (u *UnknownPairs) hasNoRoute(addr netip.Addr) bool {
	return u != nil && u.unrouted[addr]
}

// unroutedIn reports whether an address of a range has no route, as far as known
// (see Unrouted).
func (u *UnknownPairs) unroutedIn(r netipx.IPRange) bool {
	if u == nil {
		return false
	}
	for addr := range u.unrouted {
		if r.Contains(addr) {
			return true
		}
	}
	return false
}

// onlyUnrouted reports whether a missing route explains that number of unknown
// pairs.
func (u *UnknownPairs) onlyUnrouted(unknown uint64) bool {
	return u != nil && u.unroutedPairs > 0 && unknown <= u.unroutedPairs
}

// unknownReason returns the group of a pair. Its code is "" if the pair gets no
// notice here.
func unknownReason(p exposure.Subject) unknownKey {
	addr := p.Target.Addr()
	switch {
	case p.State == result.StateOpen:
		if p.Service == nil && p.Err == nil || p.Service != nil && (p.Service.Inconclusive == result.InconclusiveSkipped || p.Service.Inconclusive == result.InconclusiveHostTimeout) {
			return unknownKey{} // its host has a notice
		}
		if dialer.Exhausted(p.Err) {
			return unknownKey{code: exposure.NoticeLocalFailure}
		}
		return unknownKey{exposure.NoticeUnknownPort, addr, unassessedWords(p)}
	case p.Reason == result.ReasonBlocked, p.Reason == result.ReasonHostTimeout:
		return unknownKey{}
	case p.Reason == result.ReasonNetUnreach && !p.From.IsValid():
		return unknownKey{code: exposure.NoticeNoRoute, why: family(addr)}
	case dialer.Exhausted(p.Err):
		return unknownKey{code: exposure.NoticeLocalFailure}
	default:
		return unknownKey{exposure.NoticeUnknownPort, addr, unknownCause(p)}
	}
}

// family returns the name of an address family.
func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// unknownCause says why the state of a pair is unknown.
func unknownCause(p exposure.Subject) string {
	switch p.Reason {
	case result.ReasonZeroWindow:
		return "accepted a connection with a zero window, so no data can be sent to it"
	case result.ReasonHostUnreach, result.ReasonAdminProhibited, result.ReasonNetUnreach:
		return "was reported unreachable (" + string(p.Reason) + ")"
	}
	if errors.As(p.Err, new(*scan.FewProbesError)) {
		return "was silent, which proves nothing: " + cause(p.Err)
	}
	if p.Err != nil {
		return "could not be probed: " + cause(p.Err)
	}
	return "could not be probed (" + cmp.Or(string(p.Reason), string(result.ReasonUnknown)) + ")"
}

// cause returns the innermost message of an error, which has no address.
func cause(err error) string {
	for {
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			if next := e.Unwrap(); next != nil {
				err = next
				continue
			}
		}
		return err.Error()
	}
}

// unassessedWords says why an open port is not assessed, with a quote of the
// daemon's reply if there is one.
func unassessedWords(p exposure.Subject) string {
	if p.Service == nil {
		return "open, but no dialogue was possible: " + cause(p.Err)
	}
	var words string
	switch p.Service.Inconclusive {
	case result.InconclusiveNoConnection:
		words = "open, but no connection for a dialogue was possible"
	case result.InconclusiveRefused:
		words = "open, but temporarily refuses service"
	case result.InconclusiveCutOff:
		words = "open, but cuts off the dialogue"
	case result.InconclusiveHandshake:
		words = "open and speaks TLS, but the handshake failed"
	case result.InconclusiveUnfinished:
		words = "open, but was still replying at the time limit"
	case result.InconclusiveNoReply:
		words = "open, but did not reply"
	case result.InconclusiveUnacknowledged:
		words = "accepts connections, but never acknowledges data"
	default:
		words = "open, but the dialogue did not identify the service (" + string(p.Service.Inconclusive) + ")"
	}
	if said := p.Service.Refusal; said != "" {
		words += ": " + wording.Quote(said)
	} else if p.Err != nil {
		words += ": " + cause(p.Err)
	}
	return words
}

// Notices returns one notice for each group.
func (u *UnknownPairs) Notices() []result.Notice {
	if u == nil {
		return nil
	}
	var list []result.Notice
	for _, g := range u.order {
		list = append(list, g.notice())
	}
	if u.more > 0 {
		list = append(list, exposure.NewNotice(exposure.NoticeUnknownPort, "", nil, "%s gave no conclusive result.", wording.Plural(u.more, "more port")))
	}
	return list
}

func (g *unknownGroup) notice() result.Notice {
	switch g.code {
	case exposure.NoticeNoRoute:
		other := map[string]string{"IPv4": "-6", "IPv6": "-4"}[g.why]
		hosts := wording.Plural(g.hosts, "address")
		if g.moreHosts {
			hosts = "more than " + hosts
		}
		return exposure.NewNotice(g.code, "", nil, "There is no %s route: %s of %s could not be probed; use %s.",
			g.why, wording.Plural(g.pairs, "port"), hosts, other)
	case exposure.NoticeLocalFailure:
		return exposure.NewNotice(g.code, "", nil, "This machine ran out of open files, ports or memory: %s could not be probed.", wording.Plural(g.pairs, "port"))
	}
	ports := slices.Clone(g.ports)
	slices.Sort(ports)
	text := scope.FormatPorts(ports)
	if more := g.pairs - uint64(len(ports)); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	word := "port "
	if g.pairs > 1 {
		word = "ports "
	}
	return exposure.NewNotice(g.code, g.addr.String(), nil, "%s %s%s: %s.", g.addr, word, text, g.why)
}
