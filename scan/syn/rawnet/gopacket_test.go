package rawnet

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// TestQuestions compares the questions for hardware addresses with those of gopacket.
func TestQuestions(t *testing.T) {
	mac := net.HardwareAddr{2, 0x10, 0xff, 0, 0, 1}
	us, them := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.200")
	want := serialized(t, &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4,
		HwAddressSize: 6, ProtAddressSize: 4, Operation: layers.ARPRequest,
		SourceHwAddress: mac, SourceProtAddress: us.AsSlice(), DstHwAddress: make([]byte, 6), DstProtAddress: them.AsSlice(),
	})
	if got := arpRequest(mac, us, them); !bytes.Equal(got, want) {
		t.Errorf("ARP\n got %x\nwant %x", got, want)
	}
	for _, c := range [][3]string{{"2001:db8::1", "2001:db8::abcd:ef12", "ff02::1:ffcd:ef12"}, {"fe80::ffff:ffff:ffff:ffff", "fe80::1", "ff02::1:ff00:1"}} {
		us, them, group := netip.MustParseAddr(c[0]), netip.MustParseAddr(c[1]), netip.MustParseAddr(c[2])
		ip := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolICMPv6, HopLimit: 255, SrcIP: us.AsSlice(), DstIP: group.AsSlice()}
		icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeNeighborSolicitation, 0)}
		if err := icmp.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
		want := serialized(t, ip, icmp, &layers.ICMPv6NeighborSolicitation{
			TargetAddress: them.AsSlice(), Options: layers.ICMPv6Options{{Type: layers.ICMPv6OptSourceAddress, Data: mac}},
		})
		if got := solicitation(mac, us, them); !bytes.Equal(got, want) {
			t.Errorf("solicitation of %s\n got %x\nwant %x", c[1], got, want)
		}
	}
}

func serialized(t *testing.T, ls ...gopacket.SerializableLayer) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCapture reads a capture file with gopacket. A packet that is longer than the format
// has room for is cut.
func TestCapture(t *testing.T) {
	var file bytes.Buffer
	c, err := NewCapture(&file)
	if err != nil {
		t.Fatal(err)
	}
	const at = 1_800_000_000_123_456_789
	for _, n := range []int{0, 40, 70_000} {
		if err := c.Write(at, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	in, err := pcapgo.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	if in.LinkType() != layers.LinkTypeRaw || in.Snaplen() != 65535 {
		t.Errorf("link type %v, %d bytes", in.LinkType(), in.Snaplen())
	}
	for _, want := range [][2]int{{0, 0}, {40, 40}, {65535, 70_000}} {
		data, info, err := in.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		if len(data) != want[0] || info.Length != want[1] || info.Timestamp.UnixNano() != at {
			t.Errorf("%d bytes, %+v; want %v", len(data), info, want)
		}
	}
}
