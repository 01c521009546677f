package scan

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// mute returns a loopback port that answers nothing: its queue of connections
// that nobody accepts is full, so the kernel drops every further SYN.
func mute(t *testing.T, addr netip.Addr) uint16 {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: addr.As4()}); err != nil {
		t.Skip("no loopback to listen on:", err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	port := local(fd).Port()
	for range 3 { // one is queued, the others are on their way
		conn, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(conn) })
		unix.Connect(conn, &unix.SockaddrInet4{Addr: addr.As4(), Port: int(port)})
	}
	return port
}

// TestEpoll mixes open, closed and silent ports of both families, so that
// sockets are used again after every kind of end.
func TestEpoll(t *testing.T) {
	v6, err := net.Listen("tcp6", "[::1]:0")
	targets := []string{"127.0.0.1", "127.0.0.2"}
	want := map[netip.AddrPort]State{}
	var ports []uint16
	add := func(to netip.AddrPort, s State) {
		want[to] = s
		ports = append(ports, to.Port())
	}
	if err == nil {
		defer v6.Close()
		targets = append(targets, "::1")
		add(netip.MustParseAddrPort(v6.Addr().String()), StateOpen)
	}
	for range 20 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Skip("no loopback to listen on:", err)
		}
		defer l.Close()
		add(netip.MustParseAddrPort(l.Addr().String()), StateOpen)
	}
	two := netip.MustParseAddr("127.0.0.2")
	for range 3 {
		add(netip.AddrPortFrom(two, mute(t, two)), StateFiltered)
	}
	scope := mustScope(t, targets...)
	for seed := range uint64(3) {
		for _, n := range []int{0, 3} {
			c, err := NewConnect(Config{Scope: scope, Seed: seed, Concurrency: n, HandOn: seed%2 == 0})
			if err != nil {
				t.Fatal(err)
			}
			for r := range c.Scan(t.Context(), mustSpace(t, scope, ports...)) {
				state := want[r.Target]
				if state == "" {
					state = StateClosed
				}
				if r.State != state || (r.Conn != nil) != (r.State == StateOpen && seed%2 == 0) {
					t.Errorf("seed %d: %+v, want %s", seed, r, state)
				}
				if r.Conn == nil {
					continue
				}
				if got := r.Conn.RemoteAddr().String(); got != r.Target.String() {
					t.Errorf("connected to %s in place of %v", got, r.Target)
				}
				r.Conn.Close()
			}
		}
	}
}

// TestEpollSelfConnect has a socket that is connected to itself.
func TestEpollSelfConnect(t *testing.T) {
	made, err := newWire(1)
	if err != nil {
		t.Fatal(err)
	}
	w := made.(*epollWire)
	defer w.close()
	i, err := w.socket(false)
	if err != nil {
		t.Fatal(err)
	}
	s := &w.socks[i]
	if err := unix.Bind(s.fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Skip("no loopback to bind to:", err)
	}
	s.to, s.slot = local(s.fd), 0
	w.bySlot = []int32{i}
	if err := connect(s.fd, s.to); err != unix.EINPROGRESS && err != 0 {
		t.Fatal(err)
	}
	if e := w.end(i, connect(s.fd, s.to)); e.as != looped {
		t.Errorf("a connection to itself ended as %d, %v", e.as, e.err)
	}
}

// TestNothingIsLeft counts descriptors, and connections that linger.
func TestNothingIsLeft(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Skip("no loopback to listen on:", err)
	}
	defer l.Close()
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc:", err)
		}
		return len(list)
	}
	scope := mustScope(t, "127.0.0.1")
	port := portOf(l.Addr())
	before := count()
	for range 20 {
		c, err := NewConnect(Config{Scope: scope})
		if err != nil {
			t.Fatal(err)
		}
		for r := range c.Scan(t.Context(), mustSpace(t, scope, port, port^1)) {
			if r.Target.Port() == port && r.State != StateOpen {
				t.Errorf("got %+v", r)
			}
		}
	}
	if after := count(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	table, err := os.ReadFile("/proc/self/net/tcp")
	if err != nil {
		t.Skip("no /proc:", err)
	}
	waiting := fmt.Sprintf("0100007F:%04X 06", port) // remote end, TIME_WAIT
	if n := strings.Count(string(table), waiting); n > 0 {
		t.Errorf("%d connections are in TIME_WAIT", n)
	}
}

const lowFiles = "MXSWEEP_TEST_LOW_FILES"

// TestLowFileLimit scans in a process that may open 40 files, of which others
// take as many as they can get.
func TestLowFileLimit(t *testing.T) {
	if mode := os.Getenv(lowFiles); mode != "" {
		scanWithFewFiles(t, mode)
		return
	}
	for _, mode := range []string{"plenty", "one", "none"} {
		t.Run(mode, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLowFileLimit$", "-test.v")
			cmd.Env = append(os.Environ(), lowFiles+"="+mode)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS") && !strings.Contains(string(out), "--- SKIP") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// scanWithFewFiles is TestLowFileLimit in the process with the low limit.
func scanWithFewFiles(t *testing.T, mode string) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Skip("no loopback to listen on:", err)
	}
	defer l.Close()
	two := netip.MustParseAddr("127.0.0.2")
	silent := mute(t, two)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 40, Max: 40}); err != nil {
		t.Fatal(err)
	}
	scope := mustScope(t, "127.0.0.1-127.0.0.20")
	space := mustSpace(t, scope, portOf(l.Addr()), silent, 1, 2, 3, 4, 5, 6)
	c, err := NewConnect(Config{Scope: scope, HandOn: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Concurrency(); n < 5 || n > 30 {
		t.Errorf("%d at once with 40 files", n)
	}
	eat(t, mode)
	states := map[State]int{}
	for r := range c.Scan(t.Context(), space) {
		states[r.State]++
		switch {
		case r.State == StateUnknown:
			if mode != "none" || r.Err == nil {
				t.Errorf("got %+v", r)
			}
		case r.Target == netip.MustParseAddrPort(l.Addr().String()):
			if r.State != StateOpen {
				t.Errorf("got %+v", r)
			}
		case r.Target == netip.AddrPortFrom(two, silent):
			if r.State != StateFiltered {
				t.Errorf("got %+v", r)
			}
		case r.State != StateClosed:
			t.Errorf("got %+v", r)
		}
		if r.Conn != nil {
			r.Conn.Close()
		}
	}
	if mode == "none" && states[StateUnknown] != int(space.Len()) {
		t.Errorf("without a file to spare: %v", states)
	}
}

// eat opens files until the limit, and gives one back in mode "one".
func eat(t *testing.T, mode string) {
	if mode == "plenty" {
		return
	}
	var eaten []int
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY, 0)
		if err != nil {
			break
		}
		eaten = append(eaten, fd)
	}
	if mode == "one" {
		unix.Close(eaten[0])
		eaten = eaten[1:]
	}
	t.Cleanup(func() {
		for _, fd := range eaten {
			unix.Close(fd)
		}
	})
}
