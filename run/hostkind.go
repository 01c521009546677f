package run

import (
	"context"
	"hash/fnv"
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// A hostKind says whether the open ports of a host speak for themselves.
type hostKind int

const (
	// hostOrdinary is a host whose ports are what they look like.
	hostOrdinary hostKind = iota
	// hostRespondsEverywhere has every port open that was asked for, and
	// nearly all give the same reply: one thing answers for all of them.
	hostRespondsEverywhere
	// hostRepliesNowhere accepts connections on many ports and replies to
	// nothing on nearly all of them, like a tarpit or a SYN proxy.
	hostRepliesNowhere
)

// When a host is no longer taken for an ordinary one. A share of 9 in 10
// leaves room for a real daemon or two behind the same address.
const (
	minEverywhere = 30 // open ports of a range or profile, all that were asked
	minNowhere    = 8  // open ports
	sampleReplies = 10 // dialogues after which replies are compared
	sampleSilent  = 8  // dialogues that are awaited where none brought a reply
	sampleMany    = 4  // of a host with minEverywhere open ports and more
)

func nearlyAll(part, whole int) bool { return 10*part >= 9*whole }

// hostReplies counts what the dialogues with one host brought.
type hostReplies struct {
	open    int            // open ports
	listed  int            // of those, the ones that were asked as part of a range or profile
	ended   int            // dialogues that have ended
	silent  int            // of those, the ones in which nothing was replied
	replies map[uint64]int // of the others, how many by what was replied first
	most    int            // the largest of replies
}

// add counts the end of a dialogue.
func (h *hostReplies) add(s *fingerprint.Service) {
	h.ended++
	key, replied := firstReply(s)
	if !replied {
		h.silent++
		return
	}
	if h.replies == nil {
		h.replies = make(map[uint64]int)
	}
	h.replies[key]++
	h.most = max(h.most, h.replies[key])
}

// kind says what the replies come to. Asked is how many ports of a range or
// profile were asked at the host.
func (h *hostReplies) kind(asked int) hostKind {
	switch {
	case h.open >= minNowhere && h.sampled() && nearlyAll(h.silent, h.ended):
		return hostRepliesNowhere
	case h.alike() && h.listed == asked:
		return hostRespondsEverywhere
	}
	return hostOrdinary
}

// sampled reports whether enough dialogues have ended to tell that none brings a
// reply.
func (h *hostReplies) sampled() bool { return h.ended >= h.sample() }

// sample is how many dialogues that takes: fewer where very many ports are open, for
// they would take long, and the others are still listened to.
func (h *hostReplies) sample() int {
	if h.open >= minEverywhere {
		return sampleMany
	}
	return sampleSilent
}

// alike reports whether so many ports are open and give the same reply that
// the host responds on every port, if the others are open too.
func (h *hostReplies) alike() bool {
	return h.listed >= minEverywhere && h.ended >= sampleReplies && nearlyAll(h.most, h.ended)
}

// firstReply returns a number for what a port replied first: equal for equal
// replies, apart from the digits in them, which are times and counters. It
// reports false if the port replied to nothing. To hang up is a reply.
func firstReply(s *fingerprint.Service) (key uint64, replied bool) {
	h := fnv.New64a()
	switch {
	case s == nil:
		return 0, false
	case len(s.Banner) > 0:
		return plainReply(s.Banner), true
	case s.TLS != nil:
		h.Write([]byte(s.TLS.CertSHA256))
		return h.Sum64(), true
	case s.Transcript == nil:
		return 0, false
	}
	for i := range s.Transcript.Exchanges {
		switch ex := &s.Transcript.Exchanges[i]; {
		case len(ex.Reply) > 0:
			return plainReply(ex.Reply), true
		case ex.End == signatures.EndClosed || ex.End == signatures.EndReset:
			h.Write([]byte(ex.Probe + ex.End))
			return h.Sum64(), true
		}
	}
	return 0, false
}

// plainReply is a number for a reply without its digits.
func plainReply(reply []byte) uint64 {
	h := fnv.New64a()
	for _, c := range reply {
		if c < '0' || c > '9' {
			h.Write([]byte{c})
		}
	}
	return h.Sum64()
}

// listedPort reports whether a pair was asked as part of a range or profile of
// ports, and not listed singly.
func (p *Plan) listedPort(pair netip.AddrPort) bool {
	if _, ok := slices.BinarySearch(p.ranged, pair.Port()); !ok {
		return false
	}
	_, ok := p.space.Index(pair)
	return ok
}

// listedPorts is how many ports were asked at an address as part of a range or
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

// skipped reports whether an open port was not talked to because its host has
// too many.
func (w *sweep) skipped(r scan.Result, s *fingerprint.Service) bool {
	return s != nil && s.Inconclusive == fingerprint.InconclusiveSkipped && w.queue.kind(r.Target.Addr()) == hostOrdinary
}

// setAside marks the ports of hosts that do not speak for themselves: what was
// heard there says nothing about any one port. A port that speaks does speak for
// itself where the others are silent, as a daemon among the ports of a tarpit. It
// returns a notice for each such host.
func (w *sweep) setAside(open []exposure.Port) []result.Notice {
	var notices []result.Notice
	for i := range open {
		addr := open[i].Target.Addr()
		kind := w.queue.kind(addr)
		if kind == hostOrdinary {
			continue
		}
		if kind == hostRespondsEverywhere || !speaks(open[i].Service) {
			open[i].Service = withoutName(open[i].Service)
		}
		if i > 0 && open[i-1].Target.Addr() == addr {
			continue
		}
		name := withName(addr.String(), open[i].Host)
		var n result.Notice
		if kind == hostRespondsEverywhere {
			n = exposure.NewNotice(exposure.NoticeWildcard, addr.String(), open[i].Anchor,
				"%s has all of the %d ports open that were asked for as a range or profile, and nearly all give the same reply.", name, w.plan.listedPorts(addr))
		} else {
			n = exposure.NewNotice(exposure.NoticeCrowded, addr.String(), open[i].Anchor,
				"%s accepts connections on %d ports and replies to nothing on nearly all of them.", name, w.queue.open(addr))
		}
		n.Names = w.plan.scope.Names(addr)
		notices = append(notices, exposure.AcceptNotice(n, w.plan.policy.AcceptsNotice(n.Code, addr, n.Names, w.plan.opts.now())))
	}
	return notices
}

const (
	// greetingLook is how long a port of a host that replies nowhere is listened
	// to, beside the time that it takes to reach it: daemons that speak first do so
	// at once, most of them.
	greetingLook = 300 * time.Millisecond
	// maxLooks is how many ports of such a host are listened to.
	maxLooks = 256
)

// greets reports whether a port of a host that replies nowhere speaks first. It
// takes over the connection of the result.
func (w *sweep) greets(ctx context.Context, r *scan.Result) bool {
	addr := r.Target.Addr()
	if !w.queue.look(addr) || w.plan.hosts.Refuses(addr) {
		return false
	}
	ctx, done := w.inHostTime(ctx, addr)
	defer done()
	greets := w.identifier.Greets(ctx, *r, greetingLook+3*r.RTT)
	r.Conn = nil // it is closed
	return greets
}

// speaks reports whether a port said something of its own accord or in answer.
// To hang up is not enough, nor is the number of the port.
func speaks(s *fingerprint.Service) bool {
	return s != nil && s.Inconclusive != fingerprint.InconclusiveSkipped && (len(s.Banner) > 0 || s.TLS != nil || s.Confidence > 0 && s.Method != "table")
}

// withoutName is a service of which only what was said is kept.
func withoutName(s *fingerprint.Service) *fingerprint.Service {
	if s == nil {
		s = &fingerprint.Service{}
	}
	return &fingerprint.Service{
		Role: "unknown", Inconclusive: fingerprint.InconclusiveSkipped,
		Banner: s.Banner, BannerTruncated: s.BannerTruncated, TLS: s.TLS, Tunnel: s.Tunnel, Transcript: s.Transcript,
	}
}
