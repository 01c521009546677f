package rawnet

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

const (
	ethernetLen = 14
	ipv4Len     = 20
	ipv6Len     = 40
	tcpLen      = 24 // with the MSS option

	// maxFrame is the longest SYN: Ethernet, IPv6, TCP.
	maxFrame = ethernetLen + ipv6Len + tcpLen
)

// A Frame has room for any SYN: an Ethernet header, if the link has one, and the
// packet.
type Frame [maxFrame]byte

// SetDestination sets the destination of the Ethernet header (IEEE 802.3, clause
// 3.2.4), which the frame must have.
func (f *Frame) SetDestination(mac [6]byte) { copy(f[:6], mac[:]) }

// FrameLen returns the length of a SYN on Ethernet, in bytes, without padding and
// check sequence.
func FrameLen(v6 bool) int {
	if v6 {
		return ethernetLen + ipv6Len + tcpLen
	}
	return ethernetLen + ipv4Len + tcpLen
}

// A Template is a SYN without a destination, built once; the fields that differ
// between SYNs are patched, and the checksums with them. It may be used by several
// goroutines once its hardware destination is set.
type Template struct {
	frame  Frame
	length int
	ip     int // offset of the IP header: 0 where there is no link header
	v6     bool

	// The sums of what is never patched: of the IPv4 header, and of the TCP header and
	// its pseudo-header (RFC 1071, Section 2).
	ipSum, tcpSum uint32
}

// NewTemplate builds a SYN from the address src, from the hardware address local to
// next, of six bytes each. A nil local means that the link has no header.
func NewTemplate(src netip.Addr, local, next net.HardwareAddr) (*Template, error) {
	t := &Template{v6: src.Is6()}
	tcp := &layers.TCP{
		SYN:    true,
		Window: 64240,
		// RFC 9293, Section 3.7.1 requires the MSS in every SYN; a few stacks do not
		// answer one without it, and the frame would be padded to this length anyway.
		Options: []layers.TCPOption{{
			OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{0x05, 0xb4},
		}},
	}
	var ls []gopacket.SerializableLayer
	kind := layers.EthernetTypeIPv4
	if t.v6 {
		kind = layers.EthernetTypeIPv6
	}
	if local != nil {
		t.ip = ethernetLen
		ls = append(ls, &layers.Ethernet{SrcMAC: local, DstMAC: next, EthernetType: kind})
	}
	if t.v6 {
		tcp.Options[0].OptionData = []byte{0x05, 0xa0} // 1440: 20 bytes more of header
		ip := &layers.IPv6{
			Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP,
			SrcIP: src.AsSlice(), DstIP: net.IPv6unspecified,
		}
		if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
			return nil, fmt.Errorf("building a SYN from %q: %w", src, err)
		}
		ls = append(ls, ip, tcp)
	} else {
		ip := &layers.IPv4{
			Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, Flags: layers.IPv4DontFragment,
			SrcIP: src.AsSlice(), DstIP: net.IPv4zero,
		}
		if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
			return nil, fmt.Errorf("building a SYN from %q: %w", src, err)
		}
		ls = append(ls, ip, tcp)
	}
	b := gopacket.NewSerializeBuffer()
	o := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(b, o, ls...); err != nil {
		return nil, fmt.Errorf("building a SYN from %q: %w", src, err)
	}
	copy(t.frame[:], b.Bytes())
	t.length = t.tcp() + tcpLen // the driver pads frames
	t.sums()
	return t, nil
}

// sums removes the checksums from the frame and stores the sums.
func (t *Template) sums() {
	tcp := t.tcp()
	ck := t.frame[tcp+16 : tcp+18]
	// A checksum is the complement of the sum; its complement is the sum over all
	// fields that were zero when it was computed.
	t.tcpSum = uint32(^binary.BigEndian.Uint16(ck))
	ck[0], ck[1] = 0, 0
	if !t.v6 {
		ck = t.frame[t.ip+10 : t.ip+12]
		t.ipSum = uint32(^binary.BigEndian.Uint16(ck))
		ck[0], ck[1] = 0, 0
	}
}

// tcp returns the offset of the TCP header.
func (t *Template) tcp() int {
	if t.v6 {
		return t.ip + ipv6Len
	}
	return t.ip + ipv4Len
}

// fold reduces a sum to the checksum of RFC 1071.
func fold(s uint32) uint16 {
	s = s&0xffff + s>>16
	s = s&0xffff + s>>16
	return ^uint16(s)
}

// SetDestination sets the destination hardware address of the frames, if the link has
// a header.
func (t *Template) SetDestination(mac [6]byte) { t.frame.SetDestination(mac) }

// Write4 makes f, from [Sender.Next], a SYN with a sequence number to port dport of
// dst, an IPv4 address in host order, from port sport.
func (t *Template) Write4(f *Frame, dst uint32, sport, dport uint16, seq uint32) {
	*f = t.frame
	addr := dst>>16 + dst&0xffff
	ip := f[t.ip : t.ip+ipv4Len+tcpLen]
	// The identification of an atomic datagram has no meaning (RFC 6864, Section 4.1),
	// but some filters take zero for a forgery.
	id := uint16(seq>>16) | 1
	binary.BigEndian.PutUint16(ip[4:], id)
	binary.BigEndian.PutUint16(ip[10:], fold(t.ipSum+addr+uint32(id)))
	binary.BigEndian.PutUint32(ip[16:], dst)
	t.writeTCP(ip[ipv4Len:], addr, sport, dport, seq)
}

// Write6 is Write4 for IPv6.
func (t *Template) Write6(f *Frame, dst *[16]byte, sport, dport uint16, seq uint32) {
	*f = t.frame
	ip := f[t.ip : t.ip+ipv6Len+tcpLen]
	copy(ip[24:40], dst[:])
	var addr uint32
	for i := 0; i < 16; i += 2 {
		addr += uint32(binary.BigEndian.Uint16(dst[i:]))
	}
	t.writeTCP(ip[ipv6Len:], addr, sport, dport, seq)
}

// writeTCP patches a TCP header; addr is the sum of the destination address.
func (t *Template) writeTCP(tcp []byte, addr uint32, sport, dport uint16, seq uint32) {
	_ = tcp[tcpLen-1]
	binary.BigEndian.PutUint16(tcp, sport)
	binary.BigEndian.PutUint16(tcp[2:], dport)
	binary.BigEndian.PutUint32(tcp[4:], seq)
	s := t.tcpSum + addr + uint32(sport) + uint32(dport) + seq>>16 + seq&0xffff
	binary.BigEndian.PutUint16(tcp[16:], fold(s))
}
