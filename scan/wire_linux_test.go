package scan

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// ownAddr returns a loopback address that no other program uses.
func ownAddr() netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(64 + rand.IntN(64)), byte(rand.IntN(256)), byte(1 + rand.IntN(254))})
}

// hold binds to a loopback port, any if it is 0, and returns it. Nobody listens
// on it, nor can start to.
func hold(t *testing.T, addr netip.Addr, port uint16) (fd int, held uint16) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: addr.As4(), Port: int(port)}); err != nil {
		t.Skip("cannot bind to loopback:", err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, uint16(name.(*unix.SockaddrInet4).Port)
}

// serve listens at a loopback port.
func serve(t *testing.T, addr string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skip("cannot listen on loopback:", err)
	}
	t.Cleanup(func() { l.Close() })
	return netip.MustParseAddrPort(l.Addr().String())
}

// mute returns a loopback port that does not answer: its accept queue is full, so
// that the kernel drops every further SYN.
func mute(t *testing.T, addr netip.Addr) uint16 {
	t.Helper()
	fd, port := hold(t, addr, 0)
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for range 3 { // one is queued, the others are pending
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
// descriptors are reused after every kind of result.
func TestEpoll(t *testing.T) {
	one, two := ownAddr(), ownAddr()
	want := map[netip.AddrPort]result.State{}
	targets := []string{one.String(), two.String()}
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		defer l.Close()
		to := netip.MustParseAddrPort(l.Addr().String())
		want[to] = result.StateOpen
		targets = append(targets, to.String())
	}
	var ports []uint16
	add := func(addr, other netip.Addr, port uint16, s result.State) {
		want[netip.AddrPortFrom(addr, port)] = s
		want[netip.AddrPortFrom(other, port)] = result.StateClosed
		hold(t, other, port)
		ports = append(ports, port)
	}
	for range 20 {
		add(one, two, serve(t, one.String()+":0").Port(), result.StateOpen)
	}
	for range 3 {
		add(two, one, mute(t, two), result.StateFiltered)
	}
	scope := scopetest.Set(t, targets...)
	for seed := range uint64(3) {
		for _, n := range []int{0, 3} {
			c, err := NewConnect(Config{Scope: scope, Seed: seed, Concurrency: n, HandOn: seed%2 == 0})
			if err != nil {
				t.Fatal(err)
			}
			for r := range c.Scan(t.Context(), scopetest.Space(t, scope, ports...)) {
				if r.State != want[r.Target] || (r.Conn != nil) != (r.State == result.StateOpen && seed%2 == 0) {
					t.Errorf("seed %d: %+v, want %s", seed, r, want[r.Target])
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

// TestNoSocketsAreLeft counts descriptors, and connections in TIME_WAIT.
func TestNoSocketsAreLeft(t *testing.T) {
	addr := ownAddr()
	open := serve(t, addr.String()+":0")
	_, closed := hold(t, addr, 0)
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc:", err)
		}
		return len(list)
	}
	scope := scopetest.Set(t, addr.String())
	before := count()
	for range 20 {
		c, err := NewConnect(Config{Scope: scope})
		if err != nil {
			t.Fatal(err)
		}
		for r := range c.Scan(t.Context(), scopetest.Space(t, scope, open.Port(), closed)) {
			if r.State != result.StateOpen && r.Target == open {
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
	b := addr.As4()
	waiting := fmt.Sprintf("%02X%02X%02X%02X:%04X 06", b[3], b[2], b[1], b[0], open.Port()) // remote end, TIME_WAIT
	if n := strings.Count(string(table), waiting); n > 0 {
		t.Errorf("%d connections are in TIME_WAIT", n)
	}
}

const lowFiles = "MXSWEEP_TEST_LOW_FILES"

// TestLowFileLimit scans in a process with a limit of 40 files, most of which are
// taken.
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
	addr := netip.AddrFrom4([4]byte{127, 99, byte(rand.IntN(256)), 1})
	open := serve(t, addr.String()+":0")
	silent := mute(t, addr)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 40, Max: 40}); err != nil {
		t.Fatal(err)
	}
	scope := scopetest.Set(t, addr.String()+"-20")
	space := scopetest.Space(t, scope, open.Port(), silent, 1, 2, 3, 4, 5, 6)
	c, err := NewConnect(Config{Scope: scope, HandOn: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Concurrency(); n < 5 || n > 30 {
		t.Errorf("%d at once with 40 files", n)
	}
	eat(t, mode)
	states := map[result.State]int{}
	for r := range c.Scan(t.Context(), space) {
		states[r.State]++
		switch {
		case r.State == result.StateUnknown:
			if mode != "none" || r.Err == nil {
				t.Errorf("got %+v", r)
			}
		case r.Target == open:
			if r.State != result.StateOpen {
				t.Errorf("got %+v", r)
			}
		case r.Target == netip.AddrPortFrom(addr, silent):
			if r.State != result.StateFiltered {
				t.Errorf("got %+v", r)
			}
		case r.State != result.StateClosed:
			t.Errorf("got %+v", r)
		}
		if r.Conn != nil {
			r.Conn.Close()
		}
	}
	if mode == "none" && states[result.StateUnknown] != int(space.Len()) {
		t.Errorf("without a file to spare: %v", states)
	}
}

// eat opens files up to the limit, and closes one in mode "one".
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
