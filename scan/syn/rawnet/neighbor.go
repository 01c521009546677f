package rawnet

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"golang.org/x/net/bpf"
)

const (
	etherARP = 0x0806

	neighborAdvertisement = 136 // RFC 4861, Section 4.4
)

// arpRequest returns an ARP request for target (RFC 826).
func arpRequest(mac net.HardwareAddr, source, target netip.Addr) ([]byte, error) {
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{}, &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4,
		HwAddressSize: 6, ProtAddressSize: 4, Operation: layers.ARPRequest,
		SourceHwAddress: mac, SourceProtAddress: source.AsSlice(),
		DstHwAddress: make([]byte, 6), DstProtAddress: target.AsSlice(),
	})
	if err != nil {
		return nil, fmt.Errorf("building an ARP request for %q: %w", target, err)
	}
	return b.Bytes(), nil
}

// solicitation returns the same for IPv6 (RFC 4861, Section 4.3), and solicited the
// group that receives it (RFC 4291, Section 2.7.1) with its hardware address (RFC
// 2464, Section 7).
func solicitation(mac net.HardwareAddr, source, target netip.Addr) ([]byte, error) {
	group, _ := solicited(target)
	ip := &layers.IPv6{
		Version: 6, NextHeader: layers.IPProtocolICMPv6, HopLimit: 255,
		SrcIP: source.AsSlice(), DstIP: group.AsSlice(),
	}
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeNeighborSolicitation, 0)}
	if err := icmp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, fmt.Errorf("building a neighbor solicitation for %q: %w", target, err)
	}
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, icmp,
		&layers.ICMPv6NeighborSolicitation{
			TargetAddress: target.AsSlice(),
			Options:       layers.ICMPv6Options{{Type: layers.ICMPv6OptSourceAddress, Data: mac}},
		})
	if err != nil {
		return nil, fmt.Errorf("building a neighbor solicitation for %q: %w", target, err)
	}
	return b.Bytes(), nil
}

func solicited(target netip.Addr) (group netip.Addr, mac [6]byte) {
	t := target.As16()
	g := netip.MustParseAddr("ff02::1:ff00:0").As16()
	copy(g[13:], t[13:])
	return netip.AddrFrom16(g), [6]byte{0x33, 0x33, g[12], g[13], g[14], g[15]}
}

// readARP returns an address and its hardware address from an ARP packet (RFC 826).
// Requests contain those of the sender.
func readARP(b []byte) (netip.Addr, [6]byte, bool) {
	if len(b) < 28 || binary.BigEndian.Uint16(b) != 1 || binary.BigEndian.Uint16(b[2:]) != etherIPv4 || b[4] != 6 || b[5] != 4 {
		return netip.Addr{}, [6]byte{}, false
	}
	return netip.AddrFrom4([4]byte(b[14:18])), [6]byte(b[8:14]), true
}

// readAdvertisement returns the same from a neighbor advertisement, which starts with
// its IPv6 header (RFC 4861, Section 4.4).
func readAdvertisement(b []byte) (netip.Addr, [6]byte, bool) {
	_, _, proto, m, ok := header6(b)
	// A hop limit below 255 means that it passed a router (Section 7.1.2).
	if !ok || proto != protoICMPv6 || b[7] != 255 || len(m) < 24 || m[0] != neighborAdvertisement {
		return netip.Addr{}, [6]byte{}, false
	}
	target := netip.AddrFrom16([16]byte(m[8:24]))
	for o := m[24:]; len(o) >= 8; {
		n := int(o[1]) * 8
		if n == 0 || n > len(o) {
			break
		}
		if o[0] == 2 { // target link-layer address, Section 4.6.1
			return target, [6]byte(o[2:8]), true
		}
		o = o[n:]
	}
	return netip.Addr{}, [6]byte{}, false
}

// neighborFilter keeps what the two functions above decode.
func neighborFilter() ([]bpf.RawInstruction, error) {
	return assemble([]step{
		{do: bpf.LoadExtension{Num: bpf.ExtProto}},
		{do: is(etherARP), yes: "keep"},
		{do: is(etherIPv6), no: "drop"},
		{do: bpf.LoadAbsolute{Off: 6, Size: 1}},
		{do: is(protoICMPv6), no: "drop"},
		{do: bpf.LoadAbsolute{Off: ipv6Len, Size: 1}},
		{do: is(neighborAdvertisement), no: "drop"},
		{name: "keep", do: bpf.RetConstant{Val: snapLen}},
		{name: "drop", do: bpf.RetConstant{Val: 0}},
	})
}
