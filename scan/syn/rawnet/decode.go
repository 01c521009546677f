package rawnet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// EtherTypes of what may arrive.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100 // IEEE 802.1Q
	etherQinQ = 0x88a8 // IEEE 802.1ad
)

// Protocol numbers of IP (IANA "Assigned Internet Protocol Numbers").
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoTCP      = 6
	protoRouting  = 43
	protoFragment = 44
	protoICMPv6   = 58
	protoDestOpts = 60
)

// A Kind is what an answer is.
type Kind uint8

// The kinds of answers.
const (
	KindNone       Kind = iota // nothing that concerns us
	KindSynAck                 // SYN and ACK
	KindZeroWindow             // SYN and ACK, without room for data
	KindReset                  // RST, with or without ACK
	KindICMP                   // an ICMP error that quotes a SYN
)

// An Answer is the content of a packet about a probe, not yet verified.
type Answer struct {
	Kind      Kind
	Remote    netip.Addr // the probed host: the source, or the quoted destination
	From      netip.Addr // who sent an ICMP error
	Local     netip.Addr // our address
	Port      uint16     // of remote
	LocalPort uint16     // our port
	Ack       uint32     // the acknowledgement; of an ICMP error the quoted sequence number
	ICMP      ICMPError
	TTL       uint8 // of a segment: the time to live, or hop limit, that it came with
}

// An ICMPError is an ICMP error for a SYN: the type and code of ICMP (RFC 792), or of
// ICMPv6 (RFC 4443) if V6 is set.
type ICMPError struct {
	Type, Code uint8
	V6         bool
}

// Error describes the message in the terms of RFC 792.
func (u ICMPError) Error() string {
	name := "ICMP"
	if u.V6 {
		name = "ICMPv6"
	}
	return fmt.Sprintf("%s type %d code %d", name, u.Type, u.Code)
}

// Decode decodes a packet, beginning with its network header, of the EtherType proto.
// A packet that is truncated, fragmented before the end of the TCP header, or of
// another protocol gives KindNone. It trusts no length in the packet, and never
// panics.
func Decode(proto uint16, b []byte) Answer {
	// A tag that the network card did not remove: four bytes, of which the last two are
	// the next EtherType (IEEE 802.1Q, clause 9.3). Two may nest.
	for range 2 {
		if (proto != etherVLAN && proto != etherQinQ) || len(b) < 4 {
			break
		}
		proto, b = binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	switch proto {
	case etherIPv4:
		return decode4(b)
	case etherIPv6:
		return decode6(b)
	}
	return Answer{}
}

// header4 removes an IPv4 header from b.
func header4(b []byte) (src, dst netip.Addr, proto uint8, rest []byte, ok bool) {
	if len(b) < ipv4Len || b[0]>>4 != 4 {
		return
	}
	n := int(b[0]&15) * 4
	if n < ipv4Len || n > len(b) {
		return
	}
	// Later fragments have no transport header (RFC 791, Section 3.2).
	if binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
		return
	}
	rest = b[n:]
	// What follows the end of the datagram is padding of the frame.
	if total := int(binary.BigEndian.Uint16(b[2:])); total >= n && total < len(b) {
		rest = b[n:total]
	}
	return netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20])), b[9], rest, true
}

func decode4(b []byte) Answer {
	src, dst, proto, rest, ok := header4(b)
	if !ok {
		return Answer{}
	}
	switch proto {
	case protoTCP:
		return decodeTCP(src, dst, b[8], rest)
	case protoICMP:
		// Destination unreachable and time exceeded quote the packet that caused them,
		// from the ninth byte (RFC 792).
		if len(rest) < 8 || rest[0] != 3 && rest[0] != 11 {
			return Answer{}
		}
		qsrc, qdst, qproto, quoted, ok := header4(rest[8:])
		return decodeQuoted(src, ok, qsrc, qdst, qproto, quoted, ICMPError{Type: rest[0], Code: rest[1]})
	}
	return Answer{}
}

// header6 removes an IPv6 header and its extension headers from b.
func header6(b []byte) (src, dst netip.Addr, proto uint8, rest []byte, ok bool) {
	if len(b) < ipv6Len || b[0]>>4 != 6 {
		return
	}
	src, dst = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	proto, rest = b[6], b[ipv6Len:]
	if n := int(binary.BigEndian.Uint16(b[4:])); n > 0 && n < len(rest) {
		rest = rest[:n]
	}
	// Each extension header has at least eight bytes (RFC 8200, Section 4); no answer
	// to a SYN has more than a few.
	for range 8 {
		switch proto {
		case protoHopByHop, protoRouting, protoDestOpts:
			if len(rest) < 8 {
				return
			}
			n := (int(rest[1]) + 1) * 8
			if n > len(rest) {
				return
			}
			proto, rest = rest[0], rest[n:]
		case protoFragment:
			// Later fragments have no transport header (Section 4.5).
			if len(rest) < 8 || binary.BigEndian.Uint16(rest[2:])&^7 != 0 {
				return
			}
			proto, rest = rest[0], rest[8:]
		default:
			return src, dst, proto, rest, true
		}
	}
	return
}

func decode6(b []byte) Answer {
	src, dst, proto, rest, ok := header6(b)
	if !ok {
		return Answer{}
	}
	switch proto {
	case protoTCP:
		return decodeTCP(src, dst, b[7], rest)
	case protoICMPv6:
		// Destination unreachable and time exceeded (RFC 4443, Sections 3.1
		// and 3.3).
		if len(rest) < 8 || rest[0] != 1 && rest[0] != 3 {
			return Answer{}
		}
		qsrc, qdst, qproto, quoted, ok := header6(rest[8:])
		return decodeQuoted(src, ok, qsrc, qdst, qproto, quoted, ICMPError{Type: rest[0], Code: rest[1], V6: true})
	}
	return Answer{}
}

// decodeTCP decodes the answer to a SYN (RFC 9293, Section 3.1).
func decodeTCP(src, dst netip.Addr, ttl uint8, b []byte) Answer {
	if len(b) < 20 || b[12]>>4 < 5 {
		return Answer{}
	}
	const fin, syn, rst, ack = 1, 2, 4, 16
	a := Answer{
		Remote: src, Local: dst, TTL: ttl,
		Port: binary.BigEndian.Uint16(b), LocalPort: binary.BigEndian.Uint16(b[2:]),
		Ack: binary.BigEndian.Uint32(b[8:]),
	}
	switch flags := b[13] & (fin | syn | rst | ack); {
	case flags == syn|ack && binary.BigEndian.Uint16(b[14:]) == 0:
		// No data can be sent to it: it is not a service, but a device in front
		// (Izhikevich et al., LZR, USENIX Security 2021, Section 3.2).
		a.Kind = KindZeroWindow
	case flags == syn|ack:
		a.Kind = KindSynAck
	case flags == rst|ack, flags == rst:
		a.Kind = KindReset
	default:
		return Answer{}
	}
	return a
}

// decodeQuoted decodes our SYN that an ICMP error from from quotes. RFC 792 guarantees
// only eight bytes of it: the ports and the sequence number.
func decodeQuoted(from netip.Addr, ok bool, src, dst netip.Addr, proto uint8, b []byte, u ICMPError) Answer {
	if !ok || proto != protoTCP || len(b) < 8 {
		return Answer{}
	}
	return Answer{
		Kind: KindICMP, Remote: dst, Local: src, From: from, ICMP: u,
		Port: binary.BigEndian.Uint16(b[2:]), LocalPort: binary.BigEndian.Uint16(b),
		Ack: binary.BigEndian.Uint32(b[4:]),
	}
}
