package main

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"mxsweep/exposure"
	"mxsweep/scan"
)

// blockedHosts are notices about hosts that stopped answering during the sweep.
func blockedHosts(st scan.Stats) []exposure.Notice {
	var notices []exposure.Notice
	for _, b := range st.Blocked {
		notices = append(notices, exposure.NewNotice(exposure.NoticeBlocked, b.Addr.String(), nil,
			"%s stopped answering at %s, on a port too that it had answered on: %d of its ports stay unknown.",
			b.Addr, b.Since.UTC().Format(time.RFC3339), b.Pairs))
	}
	if more := st.BlockedHosts - min(st.BlockedHosts, uint64(len(st.Blocked))); more > 0 {
		notices = append(notices, exposure.NewNotice(exposure.NoticeBlocked, "", nil,
			"%d further hosts stopped answering during the sweep.", more))
	}
	return notices
}

// rejections count the ports of which someone else than their host said that
// they cannot be reached, by who did.
type rejections map[netip.Addr]uint64

// maxRejecters is how many senders of ICMP errors are told apart.
const maxRejecters = 1 << 10

// add counts a result, if it rests on such an error. What this machine itself
// says of a host is not one.
func (s rejections) add(r scan.Result, own []netip.Addr) {
	if !r.From.IsValid() || r.FromTarget() || slices.Contains(own, r.From) {
		return
	}
	if _, ok := s[r.From]; ok || len(s) < maxRejecters {
		s[r.From]++
	}
}

// notices name those that rejected most.
func (s rejections) notices() []exposure.Notice {
	const most = 10
	from := slices.SortedFunc(maps.Keys(s), func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(s[b], s[a]), a.Compare(b))
	})
	var notices []exposure.Notice
	for _, a := range from[:min(len(from), most)] {
		notices = append(notices, exposure.NewNotice(exposure.NoticeRejected, a.String(), nil,
			"%s, which is on the way and not the host that was asked, answered for %d ports that they cannot be reached.", a, s[a]))
	}
	return notices
}
