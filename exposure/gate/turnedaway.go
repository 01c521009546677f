package gate

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
)

// TurnedAway returns a notice about each open port that refused the scanner
// permanently, with a 5yz reply instead of a greeting (RFC 5321, Section 3.1) or
// by closing the connection without a reply, and has no finding. The port is
// assessed: the refusal is what this scanner gets. It says nothing about other
// clients.
func TurnedAway(open []exposure.Subject, findings []exposure.Violation) []result.Notice {
	told := map[netip.AddrPort]bool{}
	for i := range findings {
		for _, addr := range findings[i].AllAddresses() {
			told[netip.AddrPortFrom(addr, findings[i].Target.Port())] = true
		}
	}
	var list []result.Notice
	more := uint64(0)
	for i := range open {
		p := &open[i]
		if p.Service == nil || p.Service.Inconclusive != "" || !p.Service.Has(exposure.ObservedRefused) || told[p.Target] {
			continue
		}
		if len(list) == maxTurnedAway {
			more++
			continue
		}
		words := "closes the connection without a reply"
		if said := strings.TrimSpace(string(p.Service.Banner)); said != "" {
			words = "says " + wording.Quote(said)
		}
		n := exposure.NewNotice(exposure.NoticeTurnedAway, p.Target.Addr().String(), p.Anchor,
			"%s port %d refuses this scanner permanently: it %s.", wording.Named(p.Target.Addr(), p.Host), p.Target.Port(), words)
		n.Names = slices.Clone(p.Names())
		list = append(list, n)
	}
	if more > 0 {
		list = append(list, exposure.NewNotice(exposure.NoticeTurnedAway, "", nil, "%s more refuse this scanner permanently.", wording.Plural(more, "port")))
	}
	return list
}

// maxTurnedAway is the maximum number of ports that TurnedAway names.
const maxTurnedAway = 20
