package syn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// TestTun sweeps over a link without a header, at the other end of which the
// test itself sits.
func TestTun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	go echo(l.tun(), reply)
	scope, space := spaceOf(t, []uint16{25, 26}, "10.91.16.0/28", "fd91:16::/124")
	_, odd := spaceOf(t, []uint16{25}, "10.91.16.0/28", "fd91:16::/124")
	want := map[netip.AddrPort]bool{}
	for i := range odd.Len() {
		want[odd.At(i)] = true
	}
	l.sweep(space, Config{Scope: scope}).complete(t, space, sorted(want))
}

// TestForged gets answers that are none: with a wrong acknowledgement, from
// another port, from another address, and to another port of ours.
func TestForged(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	go echo(l.tun(), func(b []byte) (out [][]byte) {
		for _, r := range reply(b) {
			if r[0]>>4 != 4 {
				continue
			}
			change := func(at int, by byte) []byte {
				c := bytes.Clone(r)
				c[at] += by
				return c
			}
			out = append(out, change(31, 1), change(21, 1), change(19-4, 100), append(append(bytes.Clone(r[:22]), 0, 80), r[24:]...))
		}
		return out
	})
	scope, space := spaceOf(t, []uint16{25}, "10.91.16.0/28")
	r := l.sweep(space, Config{Scope: scope})
	r.complete(t, space, nil)
	if n := uint64(space.Len()); r.stats.WrongAck < n || r.stats.OutOfScope < 2*n || r.stats.OtherPort < n {
		t.Errorf("of %d kinds of each: wrong acknowledgement %d, out of scope %d, other port %d",
			n, r.stats.WrongAck, r.stats.OutOfScope, r.stats.OtherPort)
	}
}

// TestResetAndSynAck has pairs refuse a SYN and accept it, in either order: they
// are open, and counted once.
func TestResetAndSynAck(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	go echo(l.tun(), func(b []byte) [][]byte {
		open := func(ports ...uint16) func(layers.TCPPort) bool {
			return func(p layers.TCPPort) bool { return slices.Contains(ports, uint16(p)) }
		}
		// 25 refuses; 26 refuses and accepts; 27 accepts and refuses.
		return append(replyAs(b, open(27)), replyAs(b, open(26))...)
	})
	scope, space := spaceOf(t, []uint16{25, 26, 27}, "10.91.16.0/28")
	_, both := spaceOf(t, []uint16{26, 27}, "10.91.16.0/28")
	var want []netip.AddrPort
	for i := range both.Len() {
		want = append(want, both.At(i))
	}
	slices.SortFunc(want, netip.AddrPort.Compare)
	r := l.sweep(space, Config{Scope: scope})
	r.complete(t, space, want)
	if r.stats.Open != 32 || r.stats.Closed != 16 || r.stats.Done != space.Len() {
		t.Errorf("open %d, closed %d, done %d", r.stats.Open, r.stats.Closed, r.stats.Done)
	}
	for at, got := range r.all {
		if got.WasClosed != (at.Port() == 26) {
			t.Errorf("%v: taken back %t", at, got.WasClosed)
		}
	}
}

// TestTooFewProbesForTheLoss answers every fourth SYN only, of sweeps that ask
// once: what is silent proves nothing, unless its host was asked again with care.
func TestTooFewProbesForTheLoss(t *testing.T) {
	for _, ports := range []int{30, 400} {
		t.Run(strconv.Itoa(ports), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			n := 0
			go echo(l.tun(), func(b []byte) [][]byte {
				out := replyAs(b, func(layers.TCPPort) bool { return false })
				if len(out) > 0 {
					n++
				}
				if n%4 > 0 {
					return nil
				}
				return out
			})
			scope, space := spaceOf(t, manyPorts(ports), "10.91.16.5/32")
			r := l.sweepUntil(space, Config{Scope: scope, Retries: -1, Rate: 1000}, time.Minute, func(int) {})
			few, filtered := 0, 0
			for at, got := range r.all {
				is := errors.As(got.Err, new(*scan.FewProbesError))
				if is != (got.State == result.StateUnknown && got.Reason == result.ReasonNoResponse) {
					t.Errorf("%v: %+v", at, got)
				}
				switch {
				case is:
					few++
				case got.State == result.StateFiltered:
					filtered++
				}
			}
			if refused := r.reasons[result.ReasonReset]; filtered > ports/10 || refused == 0 || few == 0 && refused < ports*8/10 {
				t.Errorf("%d of %d are unknown, %v, %+v", few, ports, r.reasons, r.stats)
			}
		})
	}
}

// TestResetsOfAnother has a device on the way refuse all from the fortieth SYN on,
// with a TTL of its own, and hosts whose TTL varies without that.
func TestResetsOfAnother(t *testing.T) {
	for _, c := range []struct {
		name string
		ttl  func(n int, port uint16) uint8
		ban  bool
	}{
		{"ban", func(n int, _ uint16) uint8 { return map[bool]uint8{true: 63, false: 64}[n > 40] }, true},
		{"by turns", func(n int, _ uint16) uint8 { return 63 + uint8(n%2) }, false},
		{"for a while", func(n int, _ uint16) uint8 { return map[bool]uint8{true: 63, false: 64}[n > 40 && n < 60] }, false},
		{"by port", func(_ int, p uint16) uint8 { return map[bool]uint8{true: 63, false: 64}[p > 10050] }, false},
		{"constant", func(int, uint16) uint8 { return 64 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			n := 0
			go echo(l.tun(), func(b []byte) [][]byte {
				out := replyAs(b, func(layers.TCPPort) bool { return false })
				if len(out) > 0 {
					n++
					setTTL(out[0], c.ttl(n, binary.BigEndian.Uint16(b[ipv4Len+2:])))
				}
				return out
			})
			scope, space := spaceOf(t, manyPorts(118), "10.91.16.5/32")
			r := l.sweepUntil(space, Config{Scope: scope, Rate: 1000}, time.Minute, func(int) {})
			blocked := r.reasons[result.ReasonBlocked]
			if c.ban != (blocked > 40) || !c.ban && blocked > 0 || int(r.stats.Closed) != 118-blocked {
				t.Errorf("%v, %+v", r.reasons, r.stats)
			}
			if c.ban != (len(r.stats.Blocked) == 1 && r.stats.Blocked[0].Resets && r.stats.Blocked[0].Pairs == uint64(blocked)) {
				t.Errorf("Blocked = %+v", r.stats.Blocked)
			}
			for at, got := range r.all {
				if got.Reason == result.ReasonBlocked && (!got.WasClosed || got.State != result.StateUnknown || got.Err == nil) {
					t.Errorf("%v: %+v", at, got)
				}
			}
		})
	}
}

// setTTL sets the TTL of an IPv4 packet.
func setTTL(b []byte, ttl uint8) {
	sum := uint32(^binary.BigEndian.Uint16(b[10:])) + uint32(^(uint16(b[8]) << 8)) + uint32(ttl)<<8 // RFC 1624, equation 3
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	b[8] = ttl
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum))
}

// tun makes a link without a header in s, and returns its other end.
func (l *lab) tun() *os.File {
	l.t.Helper()
	t := l.t
	l.space("s")
	var tun *os.File
	l.in("s", func() {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Skipf("needs /dev/net/tun: %v", err)
		}
		req, _ := unix.NewIfreq("mxsyn0")
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
			unix.Close(fd)
			t.Skipf("making a tun interface: %v", err)
		}
		_ = unix.SetNonblock(fd, true)
		tun = os.NewFile(uintptr(fd), "tun")
	})
	t.Cleanup(func() { tun.Close() })
	l.sh(`
		ip -n @s addr add 10.91.3.1 peer 10.91.3.2 dev mxsyn0
		ip -n @s addr add fd91:3::1/64 dev mxsyn0 nodad
		ip -n @s link set mxsyn0 up
		ip -n @s route add 10.91.16.0/20 dev mxsyn0
		ip -n @s -6 route add fd91:16::/64 dev mxsyn0
	`)
	return tun
}

// echo answers what comes out of a tun.
func echo(tun *os.File, answer func([]byte) [][]byte) {
	b := make([]byte, 2048)
	for {
		n, err := tun.Read(b)
		if err != nil {
			return
		}
		for _, out := range answer(b[:n]) {
			_, _ = tun.Write(out)
		}
	}
}

// reply answers a SYN as a host would of which port 25 is open.
func reply(b []byte) [][]byte {
	return replyAs(b, func(port layers.TCPPort) bool { return port == 25 })
}

// replyAs answers a SYN as a host would of which some ports are open.
func replyAs(b []byte, open func(layers.TCPPort) bool) [][]byte {
	first := layers.LayerTypeIPv4
	if b[0]>>4 == 6 {
		first = layers.LayerTypeIPv6
	}
	p := gopacket.NewPacket(b, first, gopacket.NoCopy)
	tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
	if !ok || !tcp.SYN || tcp.ACK {
		return nil
	}
	out := &layers.TCP{SrcPort: tcp.DstPort, DstPort: tcp.SrcPort, Ack: tcp.Seq + 1, ACK: true, Window: 1}
	if open(tcp.DstPort) {
		out.SYN = true
	} else {
		out.RST = true
	}
	var ip gopacket.SerializableLayer
	var net gopacket.NetworkLayer
	switch h := p.NetworkLayer().(type) {
	case *layers.IPv4:
		i := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: h.DstIP, DstIP: h.SrcIP}
		ip, net = i, i
	case *layers.IPv6:
		i := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: h.DstIP, DstIP: h.SrcIP}
		ip, net = i, i
	}
	_ = out.SetNetworkLayerForChecksum(net)
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, out); err != nil {
		return nil
	}
	return [][]byte{buf.Bytes()}
}
