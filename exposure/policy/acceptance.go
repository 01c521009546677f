package policy

import (
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// acceptableNotices are the codes of notices about one host, or one name, that
// make a run incomplete and that a policy may accept: the user knows why the host
// cannot be assessed.
var acceptableNotices = []string{exposure.NoticeSilent, exposure.NoticeUnresolved, exposure.NoticeWildcard, exposure.NoticeUnresponsiveHost, exposure.NoticeUndecided, exposure.NoticeUnseen}

// isNotice reports whether the acceptance is about a notice, and not about a
// finding.
func (a *AcceptedRisk) isNotice() bool { return slices.Contains(acceptableNotices, a.Rule) }

// acceptsNotice reports whether the entry applies to the notice, expired or not.
func (a *AcceptedRisk) acceptsNotice(code string, addr netip.Addr, names []string) bool {
	if code == exposure.NoticeUndecided || a.Hosts.OfFiles() {
		return a.Rule == code && slices.ContainsFunc(names, a.Hosts.MatchesFile)
	}
	return a.isNotice() && a.Rule == code && a.Hosts.Matches(addr, names...)
}

// AcceptsNotice returns the acceptance that covers a notice with the given code
// about the host with the given address and names, nil if none does at the given
// time. If only the name of a host is known, the address is the zero Addr. An
// accepted notice does not make a run incomplete.
func (p *Policy) AcceptsNotice(code string, addr netip.Addr, names []string, now time.Time) *result.Acceptance {
	if p == nil {
		return nil
	}
	for i := range p.Accept {
		if a := &p.Accept[i]; a.acceptsNotice(code, addr, names) && a.Holds(now) {
			return &a.Acceptance
		}
	}
	return nil
}

// uses reports whether the acceptance applies to one of the notices of a run.
func (a *AcceptedRisk) uses(told []result.Notice) bool {
	return slices.ContainsFunc(told, func(n result.Notice) bool {
		addr, err := netip.ParseAddr(n.Target)
		if err != nil {
			return a.acceptsNotice(n.Code, netip.Addr{}, []string{n.Target})
		}
		return a.acceptsNotice(n.Code, addr, n.Names)
	})
}
