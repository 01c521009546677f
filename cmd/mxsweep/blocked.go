package main

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/scan"
)

// blockedHosts are notices about hosts that stopped answering during the sweep.
func blockedHosts(st scan.Stats) []exposure.Notice {
	var notices []exposure.Notice
	for _, b := range st.Blocked {
		if b.Resets {
			notices = append(notices, exposure.NewNotice(exposure.NoticeBlocked, b.Addr.String(), nil,
				"From %s on, resets of %s came with another TTL, as a firewall's do: %d of its ports that were refused since stay unknown.",
				b.Since.UTC().Format(time.RFC3339), b.Addr, b.Pairs))
			continue
		}
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

// rejectedOnTheWay reports whether a result rests on an error of someone else than
// the host that was asked. What this machine itself says of a host is not one.
func rejectedOnTheWay(r scan.Result, own []netip.Addr) bool {
	return r.From.IsValid() && !r.FromTarget() && !slices.Contains(own, r.From)
}

// add counts a port.
func (s rejections) add(from netip.Addr) {
	if _, ok := s[from]; ok || len(s) < maxRejecters {
		s[from]++
	}
}

// countedPairs remember which pairs the notices count already: hosts that turn up
// late are asked a second time. Beyond maxCountedPairs a pair may count twice.
type countedPairs map[netip.AddrPort]countedAs

// maxCountedPairs bounds the memory of countedPairs.
const maxCountedPairs = 1 << 16

// countedAs are the counts that a pair is in.
type countedAs uint8

const (
	asRejected countedAs = 1 << iota
	asUnknown
)

// first notes that a pair is counted, and reports whether it was not before.
func (c *countedPairs) first(pair netip.AddrPort, as countedAs) bool {
	before, known := (*c)[pair]
	if before&as != 0 {
		return false
	}
	if *c == nil {
		*c = countedPairs{}
	}
	if known || len(*c) < maxCountedPairs {
		(*c)[pair] = before | as
	}
	return true
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
