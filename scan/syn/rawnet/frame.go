package rawnet

import (
	"encoding/binary"
	"net"
	"net/netip"
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
func NewTemplate(src netip.Addr, local, next net.HardwareAddr) *Template {
	t := &Template{v6: src.Is6()}
	if local != nil {
		t.ip = ethernetLen
		writeEthernet(t.frame[:], local, next, t.v6)
	}
	// RFC 9293, Section 3.7.1 requires the MSS in every SYN; a few stacks do not
	// answer one without it, and the frame would be padded to this length anyway.
	mss := uint16(1460)
	if t.v6 {
		mss = 1440 // 20 bytes more of header
		writeIPv6(t.frame[t.ip:], src, netip.IPv6Unspecified(), protoTCP, 64, tcpLen)
	} else {
		writeIPv4(t.frame[t.ip:], src)
	}
	t.length = t.tcp() + tcpLen // the driver pads frames
	tcp := t.frame[t.tcp():t.length]
	tcp[12], tcp[13] = tcpLen/4<<4, 1<<1 // the length in words, SYN
	binary.BigEndian.PutUint16(tcp[14:], 64240)
	tcp[20], tcp[21] = 2, 4 // Maximum Segment Size, RFC 9293, Section 3.2
	binary.BigEndian.PutUint16(tcp[22:], mss)
	t.ipSum = sum(t.frame[t.ip : t.ip+ipv4Len])
	t.tcpSum = sum(src.AsSlice()) + protoTCP + tcpLen + sum(tcp)
	return t
}

// writeEthernet writes an Ethernet header (IEEE 802.3, clause 3.1.1).
func writeEthernet(b []byte, local, next net.HardwareAddr, v6 bool) {
	copy(b[:6], next)
	copy(b[6:12], local)
	kind := uint16(etherIPv4)
	if v6 {
		kind = etherIPv6
	}
	binary.BigEndian.PutUint16(b[12:], kind)
}

// writeIPv4 writes the header of a SYN that must not be fragmented (RFC 791, Section
// 3.1), without checksum and destination.
func writeIPv4(b []byte, src netip.Addr) {
	b[0] = 4<<4 | ipv4Len/4
	binary.BigEndian.PutUint16(b[2:], ipv4Len+tcpLen)
	b[6], b[8], b[9] = 1<<6, 64, protoTCP
	copy(b[12:16], src.AsSlice())
}

// writeIPv6 writes an IPv6 header (RFC 8200, Section 3) before a payload.
func writeIPv6(b []byte, src, dst netip.Addr, proto, hops byte, payload int) {
	b[0] = 6 << 4
	binary.BigEndian.PutUint16(b[4:], uint16(payload))
	b[6], b[7] = proto, hops
	copy(b[8:24], src.AsSlice())
	copy(b[24:40], dst.AsSlice())
}

// sum returns the sum of the 16-bit words of b, of which there must be a whole number.
func sum(b []byte) uint32 {
	var s uint32
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	return s
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
	t.writeTCP(ip[ipv6Len:], sum(dst[:]), sport, dport, seq)
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
