package dialer

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ownAddress returns a loopback address that no other program uses.
func ownAddress() netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(64 + rand.IntN(64)), byte(rand.IntN(256)), byte(1 + rand.IntN(254))})
}

// TestEpollSelfConnect has a socket that is connected to itself.
func TestEpollSelfConnect(t *testing.T) {
	made, err := New(1)
	if err != nil {
		t.Fatal(err)
	}
	d := made.(*epollDialer)
	defer d.Close()
	i, err := d.socket(false)
	if err != nil {
		t.Fatal(err)
	}
	s := &d.socks[i]
	if err := unix.Bind(s.fd, &unix.SockaddrInet4{Addr: ownAddress().As4()}); err != nil {
		t.Skip("no loopback to bind to:", err)
	}
	s.to, s.slot = local(s.fd), 0
	d.bySlot = []int32{i}
	if err := connect(s.fd, s.to); err != unix.EINPROGRESS && err != 0 {
		t.Fatal(err)
	}
	if e := d.end(i, connect(s.fd, s.to)); e.As != SelfConnect {
		t.Errorf("a connection to itself ended as %d, %v", e.As, e.Err)
	}
}

// TestEpollRoundTrip: the time of a handshake is that which the kernel has measured.
func TestEpollRoundTrip(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Skip("no loopback:", err)
	}
	defer l.Close()
	d, err := New(1)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	begun := time.Now()
	e, ended := d.Begin(0, netip.MustParseAddrPort(l.Addr().String()))
	if !ended {
		list := d.Wait(nil, -1)
		if len(list) != 1 {
			t.Fatalf("%d connections have ended", len(list))
		}
		e = list[0]
	}
	if e.As != Connected || e.RTT <= 0 || e.RTT > time.Since(begun) {
		t.Errorf("%+v after %v", e, time.Since(begun))
	}
	d.Reset(0)
}

// TestEpollZone: a socket that a link-local address was asked with stays bound
// to the link, where it would ask the next one, whatever its zone is.
func TestEpollZone(t *testing.T) {
	for text, want := range map[string]int{"[fe80::1%lo]:25": 0, "[2001:db8::1]:25": 1} {
		made, err := New(1)
		if err != nil {
			t.Fatal(err)
		}
		d := made.(*epollDialer)
		i, err := d.socket(true)
		if err != nil {
			d.Close()
			t.Skip("no IPv6 sockets:", err)
		}
		d.socks[i].to, d.socks[i].slot, d.bySlot = netip.MustParseAddrPort(text), 0, []int32{i}
		if d.release(i, true); len(d.idle[1]) != want {
			t.Errorf("%s: %d sockets are kept, want %d", text, len(d.idle[1]), want)
		}
		d.Close()
	}
	if zoneIndex("no-such-link") != noInterface || zoneIndex("") != 0 {
		t.Error("a zone that is not there has the number of an interface")
	}
}

func TestUnreachable(t *testing.T) {
	for code, want := range map[uint8]Outcome{0: NetUnreachable, 1: HostUnreachable, 3: Prohibited, 9: Prohibited, 13: Prohibited} {
		if got, ok := unreachable4(3, code); !ok || got != want {
			t.Errorf("ICMP code %d: %v, %v", code, got, ok)
		}
	}
	for code, want := range map[uint8]Outcome{0: NetUnreachable, 1: Prohibited, 3: HostUnreachable, 4: Prohibited} {
		if got, ok := unreachable6(1, code); !ok || got != want {
			t.Errorf("ICMPv6 code %d: %v, %v", code, got, ok)
		}
	}
	if _, ok := unreachable4(11, 0); ok { // time exceeded: a loop may end
		t.Error("time exceeded is an answer")
	}
	if _, ok := unreachable6(2, 0); ok {
		t.Error("packet too big is an answer")
	}
}

// TestNoIPv6: a kernel that was started without IPv6 has no route for it.
func TestNoIPv6(t *testing.T) {
	if err := noSource(unix.EAFNOSUPPORT, netip.MustParseAddrPort("[2001:db8::1]:25")); err != unix.ENETUNREACH {
		t.Error(err)
	}
}

// TestGrowFileTable: the table of open files has room for all connections before they
// are opened, so that none waits for a larger one.
func TestGrowFileTable(t *testing.T) {
	const most = 3000
	if FreeFiles() < 2*most {
		t.Skip("too few files may be open")
	}
	d, err := New(most)
	if err != nil {
		t.Fatal(err)
	}
	d.Close() // waits for it
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	_, size, _ := strings.Cut(string(status), "FDSize:")
	size, _, _ = strings.Cut(strings.TrimSpace(size), "\n")
	if n, err := strconv.Atoi(size); err != nil || n < most {
		t.Errorf("the table has room for %s files (%v), want at least %d", size, err, most)
	}
}
