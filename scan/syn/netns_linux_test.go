package syn

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A lab is a handful of network namespaces, made for one test and removed
// with it. Nothing leaves them.
type lab struct {
	t      testing.TB
	prefix string
}

// labs counts the labs of this process.
var labs atomic.Int32

// newLab returns an empty lab, or skips the test where namespaces cannot be
// made.
func newLab(t testing.TB) *lab {
	t.Helper()
	gate.Namespaces(t, "ip")
	return &lab{t: t, prefix: fmt.Sprintf("mxsyn-%d-%d-", os.Getpid(), labs.Add(1))}
}

// sh runs lines of a script; @x stands for the namespace x. A line that fails
// and begins with "?" skips the test: the kernel lacks something.
func (l *lab) sh(script string) {
	l.t.Helper()
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		may := strings.HasPrefix(line, "?")
		line = strings.TrimSpace(strings.TrimPrefix(line, "?"))
		if line == "" {
			continue
		}
		line = strings.ReplaceAll(line, "@", l.prefix)
		out, err := exec.Command("sh", "-c", line).CombinedOutput()
		switch {
		case err != nil && may:
			l.t.Skipf("this machine cannot: %s: %s", line, out)
		case err != nil:
			l.t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
}

// space makes namespaces.
func (l *lab) space(names ...string) {
	l.t.Helper()
	for _, n := range names {
		l.sh("? ip netns add @" + n)
		l.t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", l.prefix+n).Run() })
		l.sh(`
			ip -n @` + n + ` link set lo up
			ip netns exec @` + n + ` sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'
		`)
	}
}

// in runs f in a namespace: the sockets that f opens belong there for good.
func (l *lab) in(name string, f func()) {
	l.t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		l.t.Fatal(err)
	}
	defer home.Close()
	there, err := os.Open("/run/netns/" + l.prefix + name)
	if err != nil {
		l.t.Fatal(err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		l.t.Fatal(err)
	}
	defer func() {
		if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
			l.t.Fatal(err)
		}
	}()
	f()
}

// pair makes a scanner s and a target d that owns 10.91.16.0/20 and
// fd91:16::/64, with a router r between them.
func (l *lab) routed() {
	l.space("s", "r", "d")
	l.sh(`
		ip link add sr netns @s address 02:00:00:91:00:01 type veth peer name rs netns @r address 02:00:00:91:00:02
		ip link add rd netns @r address 02:00:00:91:01:01 type veth peer name dr netns @d address 02:00:00:91:01:02
		ip -n @s addr add 10.91.0.1/24 dev sr
		ip -n @s addr add fd91::1/64 dev sr nodad
		ip -n @r addr add 10.91.0.2/24 dev rs
		ip -n @r addr add fd91::2/64 dev rs nodad
		ip -n @r addr add 10.91.1.1/24 dev rd
		ip -n @r addr add fd91:1::1/64 dev rd nodad
		ip -n @d addr add 10.91.1.2/24 dev dr
		ip -n @d addr add fd91:1::2/64 dev dr nodad
		ip -n @s link set sr up
		ip -n @r link set rs up
		ip -n @r link set rd up
		ip -n @d link set dr up
		ip netns exec @r sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; echo 0 >/proc/sys/net/ipv4/icmp_ratelimit; echo 0 >/proc/sys/net/ipv6/icmp/ratelimit'
		ip netns exec @d sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_ratelimit; echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind'
		ip -n @s route add default via 10.91.0.2
		ip -n @s -6 route add default via fd91::2
		ip -n @r route add 10.91.16.0/20 via 10.91.1.2
		ip -n @r -6 route add fd91:16::/64 via fd91:1::2
		ip -n @d route add local 10.91.16.0/20 dev lo
		ip -n @d -6 route add local fd91:16::/64 dev lo
		ip -n @d route add default via 10.91.1.1
		ip -n @d -6 route add default via fd91:1::1
	`)
}

// listen opens n ports among those of space, in d, and returns them, sorted.
func (l *lab) listen(space *scope.Space, n int) []netip.AddrPort {
	l.t.Helper()
	random := rand.New(rand.NewPCG(91, 91))
	open := map[netip.AddrPort]bool{}
	l.in("d", func() {
		for len(open) < n {
			at := space.At(random.Uint64N(space.Len()))
			if open[at] {
				continue
			}
			ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
			if err != nil {
				l.t.Fatal(err)
			}
			l.t.Cleanup(func() { ln.Close() })
			open[at] = true
		}
	})
	return sorted(open)
}

func sorted(m map[netip.AddrPort]bool) []netip.AddrPort {
	var out []netip.AddrPort
	for a := range m {
		out = append(out, a)
	}
	slices.SortFunc(out, netip.AddrPort.Compare)
	return out
}
