package run

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

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
	if len(got) != 1 || got[0].Target != router.String() || !strings.Contains(got[0].Message, "2 ports as unreachable") {
		t.Errorf("got %+v", got)
	}
	if got := w.unknown.Notices(); len(got) != 1 || !strings.HasPrefix(got[0].Message, "192.0.2.7 port 1: ") {
		t.Errorf("got %+v", got)
	}
}

// TestCountedPairs checks the limit on the number of pairs.
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
