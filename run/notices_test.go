package run

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// TestBlockedHosts names the hosts that are known, and counts the others.
func TestBlockedHosts(t *testing.T) {
	at := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	got := blockedHosts(scan.Stats{BlockedHosts: 3, Blocked: []scan.BlockedHost{{Addr: netip.MustParseAddr("192.0.2.7"), Since: at, Pairs: 80}}})
	if len(got) != 2 || got[0].Target != "192.0.2.7" || !strings.Contains(got[0].Message, "2026-11-28T09:00:00Z") ||
		!strings.Contains(got[0].Message, "80 of its ports") || !strings.HasPrefix(got[1].Message, "2 further hosts") {
		t.Errorf("got %+v", got)
	}
	if got := blockedHosts(scan.Stats{}); len(got) > 0 {
		t.Errorf("nothing is blocked: %+v", got)
	}
}

// TestRejections counts ICMP errors of routers, and neither those of the hosts
// that were asked nor those of this machine. A pair that is asked a second time
// counts once.
func TestRejections(t *testing.T) {
	host, router, own := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("192.0.2.254"), netip.MustParseAddr("192.0.2.1")
	w := coverageSweep(t, Shard{})
	w.plan.own = []netip.Addr{own}
	for range 2 {
		for port, from := range []netip.Addr{router, host, own, router, {}} {
			w.see(t.Context(), scan.Result{Target: netip.AddrPortFrom(host, uint16(port+1)), State: result.StateFiltered, From: from})
		}
		w.see(t.Context(), scan.Result{Target: netip.AddrPortFrom(host, 1), State: result.StateUnknown, Reason: result.ReasonHostUnreach, From: router})
	}
	got := w.rejected.notices()
	if len(got) != 1 || got[0].Target != router.String() || !strings.Contains(got[0].Message, "for 2 ports") {
		t.Errorf("got %+v", got)
	}
	if got := w.unknown.Notices(); len(got) != 1 || !strings.HasPrefix(got[0].Message, "192.0.2.7 port 1: ") {
		t.Errorf("got %+v", got)
	}
}

// TestCountedPairs keeps so many pairs and no more.
func TestCountedPairs(t *testing.T) {
	var c countedPairs
	for range 2 {
		for i := range maxCountedPairs + 10 {
			pair := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i >> 16)}), uint16(i))
			c.first(pair, asRejected)
		}
	}
	if len(c) != maxCountedPairs {
		t.Errorf("%d pairs are kept, want %d", len(c), maxCountedPairs)
	}
}
