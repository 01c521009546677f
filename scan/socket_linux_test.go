package scan

import (
	"net"
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/result"
	"golang.org/x/sys/unix"
)

// TestNoSource: a machine with IPv6 turned off has no route for it, while one
// that is out of ports is short of them for now.
func TestNoSource(t *testing.T) {
	if !inOwnNet(t) {
		return
	}
	sh(t, "", "ip", "link", "set", "lo", "up")
	sh(t, "", "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv4.ip_local_port_range=40000 40001")
	to := netip.MustParseAddrPort("[2001:db8::1]:25")
	c, err := NewConnect(Config{Scope: mustScope(t, to.String())})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r := range c.Scan(t.Context(), mustSpace(t, mustScope(t, to.String()))) {
		if n++; r.State != result.StateUnknown || r.Reason != result.ReasonNetUnreach || r.From.IsValid() || Starved(r.Err) {
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
	var out error
	for range 3 { // of two ports
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		out = connect(fd, at)
	}
	if out != unix.EADDRNOTAVAIL || noSource(out, at) != out {
		t.Errorf("out of ports: %v, taken for %v", out, noSource(out, at))
	}
	if err := noSource(unix.EAFNOSUPPORT, to); err != unix.ENETUNREACH {
		t.Errorf("a kernel without IPv6: %v", err)
	}
}
