package run

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/queue"
	"github.com/mxsweep/mxsweep/scan"
)

// listedPort reports whether a pair was probed as part of a range or profile of ports,
// and not listed individually.
func (p *Plan) listedPort(pair netip.AddrPort) bool {
	if _, ok := slices.BinarySearch(p.ranged, pair.Port()); !ok {
		return false
	}
	_, ok := p.space.Index(pair)
	return ok
}

// listedPorts returns how many ports were probed at an address as part of a range or
// profile.
func (p *Plan) listedPorts(addr netip.Addr) int {
	n := 0
	for _, port := range p.ranged {
		if _, ok := p.space.Index(netip.AddrPortFrom(addr, port)); ok {
			n++
		}
	}
	return n
}

// skipped reports whether there was no dialogue with an open port because its host has
// too many.
func (w *sweep) skipped(r scan.Result, s *fingerprint.Identification) bool {
	return s != nil && s.Inconclusive == result.InconclusiveSkipped && w.queue.Kind(r.Target.Addr()) == queue.Ordinary
}

// setAside marks the ports of hosts whose ports cannot be assessed individually,
// because what was received there says nothing about any one port. A port that speaks
// while the others are silent, such as a daemon among the ports of a tarpit, is still
// assessed. It returns a notice for each such host.
func (w *sweep) setAside(open []exposure.Subject, kindOf func(netip.Addr) queue.Kind) []result.Notice {
	var notices []result.Notice
	for i := range open {
		addr := open[i].Target.Addr()
		kind := kindOf(addr)
		if kind == queue.Ordinary {
			continue
		}
		if kind == queue.RespondsEverywhere || !speaks(open[i].Service) {
			open[i].Service = withoutName(open[i].Service)
		}
		if i > 0 && open[i-1].Target.Addr() == addr {
			continue
		}
		name := wording.Named(addr, open[i].Host)
		var n result.Notice
		if kind == queue.RespondsEverywhere {
			n = exposure.NewNotice(exposure.NoticeWildcard, addr.String(), open[i].Anchor,
				"%s has all %d ports open that were requested as a range or profile, and nearly all send the same reply.", name, w.plan.listedPorts(addr))
		} else {
			n = exposure.NewNotice(exposure.NoticeUnresponsiveHost, addr.String(), open[i].Anchor,
				"%s accepts connections on %d ports but sends no reply on nearly all of them.", name, w.queue.Open(addr))
		}
		n.Names = w.plan.scope.Names(addr)
		notices = append(notices, exposure.AcceptNotice(n, w.plan.policy.AcceptsNotice(n.Code, addr, n.Names, w.plan.opts.now())))
	}
	return notices
}

const (
	// greetingLook is how long a port of a host that replies nowhere is listened to, in
	// addition to the round-trip time: most daemons that speak first do so immediately.
	greetingLook = 300 * time.Millisecond
)

// greets reports whether a port of a host that replies nowhere speaks first. It takes
// ownership of the connection of the result.
func (w *sweep) greets(ctx context.Context, r *scan.Result) bool {
	addr := r.Target.Addr()
	if !w.queue.Look(addr) || w.plan.hosts.Refuses(addr) {
		return false
	}
	ctx, done := w.inHostTime(ctx, addr)
	defer done()
	greets := w.identifier.Greets(ctx, *r, greetingLook+3*r.RTT)
	r.Conn = nil // it is closed
	return greets
}

// speaks reports whether a port said something unprompted or in reply. Closing the
// connection does not count, nor does the port number.
func speaks(s *fingerprint.Identification) bool {
	return s != nil && s.Inconclusive != result.InconclusiveSkipped && (len(s.Banner) > 0 || s.TLS != nil || s.Confidence > 0 && s.Method != "table")
}

// withoutName returns a service with nothing but its transcript.
func withoutName(s *fingerprint.Identification) *fingerprint.Identification {
	if s == nil {
		s = &fingerprint.Identification{}
	}
	return &fingerprint.Identification{
		Service: result.Service{
			Role:         "unknown",
			Inconclusive: result.InconclusiveSkipped,
			Tunnel:       s.Tunnel,
		},
		Banner:          s.Banner,
		BannerTruncated: s.BannerTruncated,
		TLS:             s.TLS,
		Transcript:      s.Transcript,
	}
}
