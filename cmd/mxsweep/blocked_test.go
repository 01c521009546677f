package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"mxsweep/scan"
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
// that were asked nor those of this machine.
func TestRejections(t *testing.T) {
	host, router, own := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("192.0.2.254"), netip.MustParseAddr("192.0.2.1")
	s := rejections{}
	for port, from := range []netip.Addr{router, host, own, router, {}} {
		s.add(scan.Result{Target: netip.AddrPortFrom(host, uint16(port+1)), State: scan.StateFiltered, From: from}, []netip.Addr{own})
	}
	got := s.notices()
	if len(got) != 1 || got[0].Target != router.String() || !strings.Contains(got[0].Message, "for 2 ports") {
		t.Errorf("got %+v", got)
	}
}
