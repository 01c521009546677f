package policy

import (
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// acceptableNotices are the notices about one host, or one name, that leave a
// run incomplete and that a policy may accept: somebody has looked at the host
// and knows why it cannot be judged.
var acceptableNotices = []string{exposure.NoticeSilent, exposure.NoticeUnresolved, exposure.NoticeWildcard, exposure.NoticeUnresponsiveHost}

// isNotice reports whether the acceptance is about a notice, and not about what
// was found.
func (a *AcceptedRisk) isNotice() bool { return slices.Contains(acceptableNotices, a.Rule) }

// acceptsNotice reports whether the entry is about the notice, expired or not.
func (a *AcceptedRisk) acceptsNotice(code string, addr netip.Addr, names []string) bool {
	return a.isNotice() && a.Rule == code && a.Hosts.Matches(addr, names...)
}

// AcceptsNotice gives the acceptance of a notice with the given code about the
// host with an address and names, nil if there is none that holds at the given
// time. Of a host that is only known by its name, the address is the zero Addr.
// What could not be judged of an accepted host does not make a run incomplete.
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

// uses reports whether the acceptance is about one of the notices of a run.
func (a *AcceptedRisk) uses(told []result.Notice) bool {
	return slices.ContainsFunc(told, func(n result.Notice) bool {
		addr, err := netip.ParseAddr(n.Target)
		if err != nil {
			return a.acceptsNotice(n.Code, netip.Addr{}, []string{n.Target})
		}
		return a.acceptsNotice(n.Code, addr, n.Names)
	})
}
