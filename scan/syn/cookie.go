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

// A cookie makes the sequence number of each SYN a keyed hash of its flow, so that the
// acknowledgement in an answer proves that its sender saw our SYN, and no sent probe
// has to be stored.
type cookie struct{ key sipKey }

// newCookie returns a cookie with a fresh secret.
func newCookie() cookie {
	var b [16]byte
	// Read never fails (package crypto/rand).
	rand.Read(b[:])
	return cookie{sipKey{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}}
}

// sequence4 returns the sequence number of a SYN from src:sport to dst:dport.
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

// sequence returns the sequence number of a SYN from src:sport to dst.
func (c cookie) sequence(src netip.Addr, sport uint16, dst netip.AddrPort) uint32 {
	if src.Is4() {
		return c.sequence4(be4(src), be4(dst.Addr()), sport, dst.Port())
	}
	s, d := src.As16(), dst.Addr().As16()
	return c.sequence6(&s, &d, sport, dst.Port())
}

// be4 returns an IPv4 address as a number.
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

// window is the time after which source ports repeat. An answer that takes longer is
// still accepted, but its round-trip time is measured too short.
const window = 1 << 32

// A portClock chooses source ports by the time at which a SYN is sent, so that an
// answer shows when its SYN was sent, and thereby how long it took and in which pass
// it was. With different ports, repeated probes are different flows for the target and
// for every device on the path.
type portClock struct {
	base uint16 // the first port
	bits uint   // there are 1<<bits ports, each for 1<<(32-bits) ns
}

// tick returns how long one source port is used.
func (c portClock) tick() time.Duration { return window >> c.bits }

// port returns the source port of a SYN that is sent at t, in nanoseconds.
func (c portClock) port(t int64) uint16 {
	return c.base + uint16(uint32(t)>>(32-c.bits))
}

// owns reports whether port is one of ours.
func (c portClock) owns(port uint16) bool {
	return uint32(port-c.base) < 1<<c.bits && port >= c.base
}

// sent returns when the SYN was sent from port that is answered at t: the beginning of
// the latest tick of that port that is not after t.
func (c portClock) sent(port uint16, t int64) int64 {
	hand := uint32(port-c.base) << (32 - c.bits)
	return t - int64(uint32(t)-hand)
}

// last returns the last port of the clock.
func (c portClock) last() uint16 { return c.base + uint16(1<<c.bits-1) }

// The number of source ports, as powers of two: enough that a tick distinguishes
// passes, and not more than needed to distinguish milliseconds.
const (
	minPortBits = 6
	maxPortBits = 12
)

// clockIn returns the clock with the most ports, up to 1<<maxPortBits, at the upper
// end of the range from lo to hi; ok is false if it has less than 1<<minPortBits.
func clockIn(lo, hi uint16) (c portClock, ok bool) {
	for n := uint(maxPortBits); n >= minPortBits; n-- {
		if hi >= lo && int(hi)-int(lo)+1 >= 1<<n {
			return portClock{base: uint16(int(hi) - 1<<n + 1), bits: n}, true
		}
	}
	return portClock{}, false
}

// clockOutside returns the clock with the most ports outside of the range lo to hi
// that the kernel uses for its own connections: of two equal ones the upper, where no
// services listen.
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

// newClock returns a clock of source ports outside of the kernel's own range from low
// to high, so that no connection of this machine interferes.
func newClock(low, high uint16) (portClock, error) {
	clock, ok := clockOutside(low, high)
	if !ok {
		return clock, fault.Hintf("narrow net.ipv4.ip_local_port_range", "looking for ports to send from: %w", fmt.Errorf("the kernel uses all from %d to %d for connections of its own", low, high))
	}
	return clock, nil
}

// A sipKey is the secret of a keyed hash. The zero key is valid, but not secret.
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
