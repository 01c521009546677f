package rawnet

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/net/bpf"
)

const (
	etherARP = 0x0806

	neighborSolicitation  = 135 // RFC 4861, Section 4.3
	neighborAdvertisement = 136 // Section 4.4
)

// arpRequest returns an ARP request for target (RFC 826).
func arpRequest(mac net.HardwareAddr, source, target netip.Addr) []byte {
	b := make([]byte, 28)
	binary.BigEndian.PutUint16(b, 1) // Ethernet
	binary.BigEndian.PutUint16(b[2:], etherIPv4)
	b[4], b[5] = 6, 4                    // lengths of the addresses
	binary.BigEndian.PutUint16(b[6:], 1) // a request
	copy(b[8:14], mac)
	copy(b[14:18], source.AsSlice())
	copy(b[24:28], target.AsSlice())
	return b
}

// solicitation returns the same for IPv6 (RFC 4861, Section 4.3), to the group that
// receives it.
func solicitation(mac net.HardwareAddr, source, target netip.Addr) []byte {
	const length = 32 // with one option
	group, _ := solicited(target)
	b := make([]byte, ipv6Len+length)
	writeIPv6(b, source, group, protoICMPv6, 255, length)
	m := b[ipv6Len:]
	m[0] = neighborSolicitation
	copy(m[8:24], target.AsSlice())
	m[24], m[25] = 1, 1 // source link-layer address, 8 bytes: Section 4.6.1
	copy(m[26:32], mac)
	// RFC 4443, Section 2.3; the pseudo-header is that of RFC 8200, Section 8.1.
	binary.BigEndian.PutUint16(m[2:], fold(sum(b[8:40])+length+protoICMPv6+sum(m)))
	return b
}

// solicited returns the group that receives a solicitation (RFC 4291, Section 2.7.1) and
// its hardware address (RFC 2464, Section 7).
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
