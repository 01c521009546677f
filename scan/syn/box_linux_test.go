package syn

import (
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// A box sits between two interfaces of one namespace and hands frames on, late
// and more than once.
type box struct {
	delay time.Duration // at most
	twice float64       // share of frames that are sent twice
}

// run hands frames on between two interfaces until the test ends.
func (x box) run(l *lab, name, a, b string) {
	l.t.Helper()
	var fds [2]int
	l.in(name, func() {
		for i, dev := range []string{a, b} {
			n, err := rawnet.OpenNetlink()
			if err != nil {
				l.t.Fatal(err)
			}
			defer n.Close()
			links, err := n.Links()
			if err != nil {
				l.t.Fatal(err)
			}
			for _, k := range links {
				if k.Name == dev {
					fds[i] = bound(l.t, k.Index)
				}
			}
		}
	})
	for i := range fds {
		go x.forward(fds[i], fds[1-i], rand.New(rand.NewPCG(uint64(i), 9)))
	}
	l.t.Cleanup(func() {
		for _, fd := range fds {
			_ = unix.Shutdown(fd, unix.SHUT_RDWR)
		}
	})
}

// allPackets is unix.ETH_P_ALL as the network has it.
const allPackets = unix.ETH_P_ALL << 8

// bound is a packet socket on an interface, with all that passes.
func bound(t testing.TB, ifindex int) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, allPackets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 50000})
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: allPackets, Ifindex: ifindex}); err != nil {
		t.Fatal(err)
	}
	member := unix.PacketMreq{Ifindex: int32(ifindex), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &member); err != nil {
		t.Fatal(err)
	}
	return fd
}

// forward hands on what comes in on one socket to the other, each frame as
// late as chance has it.
func (x box) forward(from, to int, random *rand.Rand) {
	buf := make([]byte, 2048)
	for {
		n, addr, err := unix.Recvfrom(from, buf, 0)
		if err == unix.EAGAIN || err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		if ll, ok := addr.(*unix.SockaddrLinklayer); !ok || ll.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		frame := append([]byte(nil), buf[:n]...)
		times := 1
		if random.Float64() < x.twice {
			times = 2
		}
		for range times {
			time.AfterFunc(time.Duration(random.Int64N(int64(x.delay))), func() {
				_, _ = unix.Write(to, frame)
			})
		}
	}
}

// TestReorderedAndDoubled has all frames overtake each other, and every fifth
// come twice, each way.
func TestReorderedAndDoubled(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.space("s", "b", "d")
	l.sh(`
		ip link add sb netns @s type veth peer name bs netns @b
		ip link add bd netns @b type veth peer name db netns @d
		ip -n @s link set sb up
		ip -n @b link set bs up
		ip -n @b link set bd up
		ip -n @d link set db up
		ip -n @s addr add 10.91.0.1/24 dev sb
		ip -n @d addr add 10.91.0.2/24 dev db
		ip -n @s route add default via 10.91.0.2
		ip -n @d route add local 10.91.16.0/20 dev lo
	`)
	box{delay: 40 * time.Millisecond, twice: 0.2}.run(l, "b", "bs", "bd")
	scope, space := spaceOf(t, ninePorts, "10.91.16.0/24")
	want := l.listen(space, 50)
	r := l.sweep(space, Config{Scope: scope, Rate: 20000})
	r.complete(t, space, want)
	if r.stats.Duplicates == 0 {
		t.Error("no duplicates met")
	}
}
