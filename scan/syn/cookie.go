package syn

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"time"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// A cookie makes the sequence number of each SYN a keyed hash of its flow, so
// that an answer proves by its acknowledgement that its sender saw our SYN,
// and nothing has to be remembered of what was sent.
type cookie struct{ key sipKey }

// newCookie returns a cookie with a fresh secret.
func newCookie() cookie {
	var b [16]byte
	// Read never fails (package crypto/rand).
	rand.Read(b[:])
	return cookie{sipKey{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}}
}

// sequence4 is the sequence number of a SYN from src:sport to dst:dport.
func (c cookie) sequence4(src, dst uint32, sport, dport uint16) uint32 {
	const length = 12 << 56
	return uint32(c.key.sum2(uint64(src)|uint64(dst)<<32, length|uint64(sport)|uint64(dport)<<16))
}

// sequence6 is sequence4 for IPv6.
func (c cookie) sequence6(src, dst *[16]byte, sport, dport uint16) uint32 {
	var m [36]byte
	copy(m[:], src[:])
	copy(m[16:], dst[:])
	binary.LittleEndian.PutUint16(m[32:], sport)
	binary.LittleEndian.PutUint16(m[34:], dport)
	return uint32(c.key.sum(m[:]))
}

// sequence is the sequence number of a SYN from src:sport to dst.
func (c cookie) sequence(src netip.Addr, sport uint16, dst netip.AddrPort) uint32 {
	if src.Is4() {
		return c.sequence4(be4(src), be4(dst.Addr()), sport, dst.Port())
	}
	s, d := src.As16(), dst.Addr().As16()
	return c.sequence6(&s, &d, sport, dst.Port())
}

// be4 is an IPv4 address as a number.
func be4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// acknowledges reports whether ack acknowledges our SYN with the sequence
// number seq, which only a host that saw the SYN can do. A SYN-ACK
// acknowledges seq+1 (RFC 9293, Section 3.10.7.3), and so does the RST of a
// closed port (Section 3.5.2); some stacks put seq itself into the RST.
func acknowledges(seq, ack uint32, rst bool) bool {
	return ack == seq+1 || rst && ack == seq
}

// window is how long a source port says when its SYN left: the ports are the
// hands of a clock that goes round once in a window of nanoseconds. An answer
// that takes longer is still believed, but its round-trip time is read short.
const window = 1 << 32

// A portClock picks source ports by the time at which a SYN leaves, so that
// an answer tells when it was asked for, and thereby how long it took and in
// which pass it was asked. Ports of different times also make repeated
// probes different flows, for the target and for every box on the way.
type portClock struct {
	base uint16 // the first port
	bits uint   // there are 1<<bits ports, each standing for 1<<(32-bits) ns
}

// tick is how long one source port is used.
func (c portClock) tick() time.Duration { return window >> c.bits }

// port is the source port of a SYN that leaves at t, in nanoseconds.
func (c portClock) port(t int64) uint16 {
	return c.base + uint16(uint32(t)>>(32-c.bits))
}

// owns reports whether port is one of ours.
func (c portClock) owns(port uint16) bool {
	return uint32(port-c.base) < 1<<c.bits && port >= c.base
}

// sent is when the SYN left that was sent from port and answered at t: the
// beginning of the latest tick of that port which is not after t.
func (c portClock) sent(port uint16, t int64) int64 {
	hand := uint32(port-c.base) << (32 - c.bits)
	return t - int64(uint32(t)-hand)
}

// last is the last port of the clock.
func (c portClock) last() uint16 { return c.base + uint16(1<<c.bits-1) }

// The number of source ports, as powers of two: enough that a tick tells
// passes apart, and no more than tell milliseconds.
const (
	minPortBits = 6
	maxPortBits = 12
)

// clockIn is the clock with the most ports, up to 1<<maxPortBits, at the
// upper end of the range from lo to hi; ok is false if it has less than
// 1<<minPortBits.
func clockIn(lo, hi uint16) (c portClock, ok bool) {
	for n := uint(maxPortBits); n >= minPortBits; n-- {
		if hi >= lo && int(hi)-int(lo)+1 >= 1<<n {
			return portClock{base: uint16(int(hi) - 1<<n + 1), bits: n}, true
		}
	}
	return portClock{}, false
}

// clockOutside is the clock with the most ports among those which the kernel
// does not use for connections of its own, ephemeral from lo to hi: of two
// equally good ones the upper, which no services are listening on.
func clockOutside(lo, hi uint16) (portClock, bool) {
	below, okBelow := clockIn(1024, max(lo, 1)-1)
	above, okAbove := portClock{}, false
	if hi < 65535 {
		above, okAbove = clockIn(hi+1, 65535)
	}
	if okAbove && (!okBelow || above.bits >= below.bits) {
		return above, true
	}
	return below, okBelow
}

// newClock is the clock of source ports outside the kernel's own range from low to
// high, so that nothing gets between it and the SYNs.
func newClock(low, high uint16) (portClock, error) {
	clock, ok := clockOutside(low, high)
	if !ok {
		return clock, fault.Hintf("narrow net.ipv4.ip_local_port_range", "looking for ports to send from: %w", fmt.Errorf("the kernel uses all from %d to %d for connections of its own", low, high))
	}
	return clock, nil
}

// A sipKey is the secret of a keyed hash. The zero key is valid and no
// secret.
type sipKey struct{ k0, k1 uint64 }

// The four words that SipHash's state begins with ("somepseudorandomlygenerat
// edbytes", SipHash paper, Section 2.1).
const (
	sip0 = 0x736f6d6570736575
	sip1 = 0x646f72616e646f6d
	sip2 = 0x6c7967656e657261
	sip3 = 0x7465646279746573
)

// sipRound is SipRound of the paper's Section 2.3.
func sipRound(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v2 += v3
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 = bits.RotateLeft64(v0, 32) + v3
	v2 += v1
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}

// sum2 is SipHash-2-4 of a message of which a and b are all words, the last
// one with the length in its top byte.
func (k sipKey) sum2(a, b uint64) uint64 {
	v0, v1, v2, v3 := k.k0^sip0, k.k1^sip1, k.k0^sip2, k.k1^sip3
	v3 ^= a
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= a
	v3 ^= b
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= b
	v2 ^= 0xff
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	return v0 ^ v1 ^ v2 ^ v3
}

// sum is SipHash-2-4 of a message of any length.
func (k sipKey) sum(p []byte) uint64 {
	v0, v1, v2, v3 := k.k0^sip0, k.k1^sip1, k.k0^sip2, k.k1^sip3
	last := uint64(len(p)) << 56
	for ; len(p) >= 8; p = p[8:] {
		m := binary.LittleEndian.Uint64(p)
		v3 ^= m
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
		v0 ^= m
	}
	for i, b := range p {
		last |= uint64(b) << (8 * i)
	}
	v3 ^= last
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= last
	v2 ^= 0xff
	for range 4 {
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	}
	return v0 ^ v1 ^ v2 ^ v3
}
