package engine

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

// TestBlockedHosts checks that the known hosts are listed, and the others
// counted.
func TestBlockedHosts(t *testing.T) {
	at := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	got := blockedHosts(scan.Stats{BlockedHosts: 3, Blocked: []scan.BlockedHost{{Addr: netip.MustParseAddr("192.0.2.7"), Since: at, Pairs: 80}}})
	if len(got) != 2 || got[0].Target != "192.0.2.7" || !strings.Contains(got[0].Message, "2026-11-28T09:00:00Z") ||
		!strings.Contains(got[0].Message, "80 of its ports") || !strings.HasPrefix(got[1].Message, "2 more hosts") {
		t.Errorf("got %+v", got)
	}
	if got := blockedHosts(scan.Stats{}); len(got) > 0 {
		t.Errorf("nothing is blocked: %+v", got)
	}
}
