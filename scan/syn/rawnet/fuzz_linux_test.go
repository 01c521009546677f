package rawnet

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzReceive feeds what may arrive to all that reads it. Nothing may panic,
// and what is understood must be ours to understand.
func FuzzReceive(f *testing.F) {
	for _, b := range captured(f) {
		f.Add(etherType(b), b)
	}
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	if arp, err := arpRequest(mac, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")); err == nil {
		f.Add(uint16(etherARP), arp)
	}
	if ns, err := solicitation(mac, netip.MustParseAddr("fe80::1"), netip.MustParseAddr("fe80::2")); err == nil {
		ns[40] = neighborAdvertisement
		f.Add(uint16(etherIPv6), ns)
	}
	f.Fuzz(func(t *testing.T, proto uint16, b []byte) {
		a := Decode(proto, b)
		if a.Kind != KindNone && (!a.Remote.IsValid() || !a.Local.IsValid()) {
			t.Errorf("an answer without addresses: %+v", a)
		}
		readARP(b)
		readAdvertisement(b)
		if len(b) >= int(unix.SizeofTpacket3Hdr) {
			block := make([]byte, max(len(b), 256))
			copy(block, b)
			eachPacket(block, func(p Packet) { Decode(p.EtherType, p.Data) })
		}
		attributes(b, func(uint16, []byte) {})
	})
}

func TestReadNeighbors(t *testing.T) {
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	us, them := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	b, err := arpRequest(mac, us, them)
	if err != nil {
		t.Fatal(err)
	}
	if a, m, ok := readARP(b); !ok || a != us || m != [6]byte(mac) {
		t.Errorf("readARP: %v, %x, %t", a, m, ok)
	}
	for n := range 28 {
		if _, _, ok := readARP(b[:n]); ok {
			t.Errorf("readARP understands %d bytes", n)
		}
	}
	us, them = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::abcd:ef12")
	if b, err = solicitation(mac, us, them); err != nil {
		t.Fatal(err)
	}
	if got := netip.AddrFrom16([16]byte(b[24:40])); got != netip.MustParseAddr("ff02::1:ffcd:ef12") {
		t.Errorf("solicitation goes to %v", got)
	}
	// An advertisement has the same shape, but for two numbers.
	b[40], b[64] = neighborAdvertisement, 2
	if a, m, ok := readAdvertisement(b); !ok || a != them || m != [6]byte(mac) {
		t.Errorf("readAdvertisement: %v, %x, %t", a, m, ok)
	}
	b[7] = 64
	if _, _, ok := readAdvertisement(b); ok {
		t.Error("believes an advertisement that came through a router")
	}
}

// TestEachPacket reads a block as the kernel lays it out.
func TestEachPacket(t *testing.T) {
	block := make([]byte, 4096)
	ne := binary.NativeEndian
	ne.PutUint32(block[12:], 3)  // packets
	ne.PutUint32(block[16:], 48) // offset of the first
	at := 48
	for i := range 3 {
		h := block[at:]
		ne.PutUint32(h, 256) // to the next
		ne.PutUint32(h[4:], 7)
		ne.PutUint32(h[8:], uint32(i))
		ne.PutUint32(h[12:], 4) // captured
		ne.PutUint16(h[26:], 96)
		ll := h[48:]
		binary.BigEndian.PutUint16(ll[2:], etherIPv6)
		ne.PutUint32(ll[4:], 9) // interface
		copy(h[96:], []byte{1, 2, 3, byte(i)})
		at += 256
	}
	var got []Packet
	eachPacket(block, func(p Packet) { got = append(got, p) })
	if len(got) != 3 {
		t.Fatalf("%d packets", len(got))
	}
	for i, p := range got {
		if p.EtherType != etherIPv6 || p.Link != 9 || p.Time != 7e9+int64(i) || len(p.Data) != 4 || p.Data[3] != byte(i) {
			t.Errorf("packet %d: %+v", i, p)
		}
	}
}
