package scan

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/dialer"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// TestNoSource checks that a machine with IPv6 turned off has no route for it,
// while one without free ports has a temporary local failure.
func TestNoSource(t *testing.T) {
	if !inOwnNet(t) {
		return
	}
	sh(t, "", "ip", "link", "set", "lo", "up")
	sh(t, "", "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv4.ip_local_port_range=40000 40001")
	to := netip.MustParseAddrPort("[2001:db8::1]:25")
	c, err := NewConnect(Config{Scope: scopetest.Set(t, to.String())})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r := range c.Scan(t.Context(), scopetest.Space(t, scopetest.Set(t, to.String()))) {
		if n++; r.State != result.StateUnknown || r.Reason != result.ReasonNetUnreach || r.From.IsValid() || dialer.Exhausted(r.Err) {
			t.Errorf("with IPv6 turned off: %+v", r)
		}
	}
	if n != 1 {
		t.Errorf("%d results, want 1", n)
	}

	l, err := net.Listen("tcp", "127.0.0.1:25")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := netip.MustParseAddrPort(l.Addr().String())
	w, err := dialer.New(3)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var last dialer.Ending
	for slot := range int32(3) { // there are two ports
		last, _ = w.Begin(slot, at)
	}
	if last.As != dialer.ResourceExhausted || last.Err != unix.EADDRNOTAVAIL {
		t.Errorf("out of ports: %d, %v", last.As, last.Err)
	}
}
