package syn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// TestRejected meets routers that say no, in every way they have.
func TestRejected(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, []uint16{25, 26, 27, 28, 29}, "10.91.16.0/28", "fd91:16::/124")
	l.nft("r", `table inet f { chain c { type filter hook forward priority 0;
		meta nfproto ipv4 tcp dport 25 reject with icmp type admin-prohibited
		meta nfproto ipv4 tcp dport 26 reject with icmp type host-unreachable
		meta nfproto ipv4 tcp dport 27 reject with icmp type net-unreachable
		meta nfproto ipv4 tcp dport 28 reject with icmp type port-unreachable
		meta nfproto ipv6 tcp dport 25 reject with icmpv6 type admin-prohibited
		meta nfproto ipv6 tcp dport 26 reject with icmpv6 type addr-unreachable
		meta nfproto ipv6 tcp dport 27 reject with icmpv6 type no-route
		meta nfproto ipv6 tcp dport 28 reject with icmpv6 type port-unreachable
	}; }`)
	// A kernel sends at most 1,000 ICMP messages a second (icmp(7), icmp_msgs_per_sec).
	r := l.sweep(space, Config{Scope: scope, Rate: 500})
	r.complete(t, space, nil)
	for at, got := range r.all {
		want := map[uint16]result.Reason{25: result.ReasonAdminProhibited, 26: result.ReasonHostUnreach,
			27: result.ReasonNetUnreach, 28: result.ReasonAdminProhibited, 29: result.ReasonReset}[at.Port()]
		state := result.StateFiltered
		if at.Port() == 29 {
			state = result.StateClosed
		}
		var u rawnet.ICMPError
		router := netip.Addr{} // what it says does not show that the target is up
		if at.Port() < 29 {
			router = netip.MustParseAddr(map[bool]string{true: "10.91.0.2", false: "fd91::2"}[at.Addr().Is4()])
		}
		if got.State != state || got.Reason != want || errors.As(got.Err, &u) != (at.Port() < 29) || got.From != router {
			t.Errorf("%v: %v, %v, %v from %v; want %v, %v from %v", at, got.State, got.Reason, got.Err, got.From, state, want, router)
		}
	}
	if r.stats.Rejected != 16*4*2 {
		t.Errorf("Rejected = %d, want %d", r.stats.Rejected, 16*4*2)
	}
}

// flat makes a scanner and a target on one link, of which the target has
// 10.91.2.1 to 10.91.2.20 and fd91:2::1 to fd91:2::14.
func (l *lab) flat() {
	l.space("s", "d")
	l.sh(`
		ip link add sd netns @s type veth peer name ds netns @d
		ip -n @s addr add 10.91.2.100/24 dev sd
		ip -n @s addr add fd91:2::100/64 dev sd nodad
		ip -n @s link set sd up
		ip -n @d link set ds up
		ip -n @d addr add 10.91.2.200/24 dev ds
		ip -n @d addr add fd91:2::200/64 dev ds nodad
	`)
	for i := 1; i <= 20; i++ {
		l.sh(fmt.Sprintf("ip -n @d addr add 10.91.2.%d/24 dev ds\n ip -n @d addr add fd91:2::%x/64 dev ds nodad", i, i))
	}
}

// TestNeighbours has no router between: some addresses never answer ARP or
// neighbour discovery.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.flat()
	scope, space := spaceOf(t, []uint16{25, 10025}, "10.91.2.1-10.91.2.30", "fd91:2::1-fd91:2::1e")
	_, there := spaceOf(t, []uint16{25, 10025}, "10.91.2.1-10.91.2.20", "fd91:2::1-fd91:2::14")
	want := l.listen(there, 12)
	r := l.sweep(space, Config{Scope: scope})
	r.complete(t, space, want)
	if n := r.reasons[result.ReasonHostUnreach]; n != 40 {
		t.Errorf("%d pairs have no neighbour, want 40", n)
	}
	if n := r.reasons[result.ReasonReset]; n != 80-12 {
		t.Errorf("%d closed, want %d", n, 80-12)
	}
}

// TestRouterSilent has a router that never answers ARP.
func TestRouterSilent(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.flat()
	l.sh("ip -n @s route add default via 10.91.2.77")
	scope, space := spaceOf(t, ninePorts, "10.91.64.0/28")
	l.in("s", func() {
		s, err := Open(t.Context(), space, Config{Scope: scope})
		if err == nil {
			s.Close()
			t.Fatal("no error")
		}
		if !strings.Contains(err.Error(), "10.91.2.77") {
			t.Errorf("%v does not name the router", err)
		}
	})
}

// TestRefused asks for what is not possible.
func TestRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.flat()
	open := func(config Config, targets ...string) error {
		var err error
		l.in("s", func() {
			scope, space := spaceOf(t, ninePorts, targets...)
			if config.Scope == nil {
				config.Scope = scope
			}
			var s *Scanner
			if s, err = Open(t.Context(), space, config); err == nil {
				s.Close()
			}
		})
		return err
	}
	var local *LocalError
	if err := open(Config{}, "10.91.2.1-10.91.2.3", "10.91.2.99-10.91.2.101"); !errors.As(err, &local) ||
		len(local.Ranges) != 1 || local.Ranges[0].From() != netip.MustParseAddr("10.91.2.100") {
		t.Errorf("own address: %v", err)
	}
	if err := open(Config{}, "127.0.0.1-127.0.0.2"); !errors.As(err, &local) {
		t.Errorf("loopback: %v", err)
	}
	var setup *fault.Error
	if err := open(Config{}, "10.92.0.0/24"); !errors.As(err, &setup) {
		t.Errorf("no route: %v", err)
	}
	if err := open(Config{Interface: "none0"}, "10.91.2.1-10.91.2.3"); !errors.As(err, &setup) {
		t.Errorf("no interface: %v", err)
	}
	l.in("s", func() {
		_, space := spaceOf(t, ninePorts, "10.91.2.99-10.91.2.101", "127.0.0.1-127.0.0.2")
		set, err := Local(space)
		if err != nil || len(set.Ranges()) != 2 {
			t.Errorf("Local() = %v, %v", set, err)
		}
	})
}

// TestInterfaceDown takes the interface away in the middle of a sweep.
func TestInterfaceDown(t *testing.T) {
	for name, how := range map[string]string{
		"down":    "ip -n @s link set sr down",
		"gone":    "ip -n @s link del sr",
		"carrier": "ip -n @r link set rs down",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.routed()
			scope, space := spaceOf(t, ninePorts, "10.91.16.0/20")
			var s *Scanner
			var err error
			l.in("s", func() { s, err = Open(t.Context(), space, Config{Scope: scope, Rate: 20000}) })
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			states := map[result.State]int{}
			for r := range s.Scan(t.Context(), space) {
				states[r.State]++
				if states[result.StateClosed] == 1000 {
					l.sh(how)
				}
			}
			t.Logf("%v, %v", states, s.Err())
			if s.Err() == nil || !strings.Contains(s.Err().Error(), `interface "sr"`) {
				t.Errorf("Err() = %v", s.Err())
			}
			total := states[result.StateClosed] + states[result.StateUnknown]
			if states[result.StateClosed] < 1000 || total >= int(space.Len()) || states[result.StateFiltered] > 0 {
				t.Errorf("%v of %d pairs", states, space.Len())
			}
		})
	}
}

// TestCancel stops a sweep: what was asked is unknown, the rest is not told.
func TestCancel(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, ninePorts, "10.91.16.0/20")
	for _, early := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		var s *Scanner
		var err error
		l.in("s", func() { s, err = Open(ctx, space, Config{Scope: scope, Rate: 10000}) })
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for r := range s.Scan(ctx, space) {
			seen++
			if r.State == result.StateUnknown && !errors.Is(r.Err, context.Canceled) {
				t.Errorf("%v: unknown for %v", r.Target, r.Err)
			}
			if seen == 500 {
				cancel()
				if early {
					break
				}
			}
		}
		if seen < 500 || seen > int(s.Stats().Sent)+chunk {
			t.Errorf("%d results for %d SYNs", seen, s.Stats().Sent)
		}
		if s.Err() != nil {
			t.Errorf("Err() = %v", s.Err())
		}
		cancel()
		s.Close()
	}
}

// TestWildcard meets a host that answers on every port.
func TestWildcard(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, ninePorts, "10.91.16.0/28")
	_, all := spaceOf(t, ninePorts, "10.91.16.5-10.91.16.5")
	l.listen(all, len(ninePorts))
	r := l.sweep(space, Config{Scope: scope})
	if len(r.open) != len(ninePorts) || r.stats.Done != space.Len() || r.stats.Closed != space.Len()-9 {
		t.Errorf("%d are open, %+v", len(r.open), r.stats)
	}
	if r.stats.Wildcards != 1 || len(r.stats.WildcardHosts) != 1 || r.stats.WildcardHosts[0] != netip.MustParseAddr("10.91.16.5") {
		t.Errorf("wildcards: %d, %v", r.stats.Wildcards, r.stats.WildcardHosts)
	}
}

// TestPcap reads the evidence back.
func TestPcap(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, ninePorts, "10.91.16.0/28", "fd91:16::/124")
	var file bytes.Buffer
	r := l.sweep(space, Config{Scope: scope, Pcap: &file})
	r.complete(t, space, nil)
	in, err := pcapgo.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	asked, answered := 0, 0
	for {
		b, _, err := in.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		p := gopacket.NewPacket(b, in.LinkType(), gopacket.Default)
		tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			t.Fatalf("not TCP: %v", p)
		}
		if tcp.SYN && !tcp.ACK {
			asked++
		} else {
			answered++
		}
	}
	if uint64(asked) != r.stats.Sent || answered < int(space.Len()) {
		t.Errorf("%d SYNs and %d answers written, %d sent for %d pairs", asked, answered, r.stats.Sent, space.Len())
	}
}

// TestPcapFull cannot write its evidence, which ends the run.
func TestPcapFull(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, ninePorts, "10.91.16.0/24")
	r := l.sweep(space, Config{Scope: scope, Rate: 5000, Pcap: &disk{room: 20000}})
	if r.err == nil || !strings.Contains(r.err.Error(), "the disk is full") || len(r.all) >= int(space.Len()) || r.reasons[result.ReasonReset] == 0 {
		t.Errorf("%v, %v", r.err, r.reasons)
	}
}

// A disk has room for so many bytes.
type disk struct{ room int }

func (d *disk) Write(b []byte) (int, error) {
	if d.room -= len(b); d.room < 0 {
		return 0, errors.New("the disk is full")
	}
	return len(b), nil
}
