package syn

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// TestSipHash holds the hash to the vectors that its authors published
// (github.com/veorq/SipHash, vectors.h): key 00 01 ... 0f, messages of
// ascending bytes.
func TestSipHash(t *testing.T) {
	key := sipKey{0x0706050403020100, 0x0f0e0d0c0b0a0908}
	want := map[int]uint64{
		0: 0x726fdb47dd0e0e31, 1: 0x74f839c593dc67fd, 2: 0x0d6c8009d9a94f5a, 3: 0x85676696d7fb7e2d,
		4: 0xcf2794e0277187b7, 5: 0x18765564cd99a68d, 6: 0xcbc9466e58fee3ce, 7: 0xab0200f58b01d137,
		8: 0x93f5f5799a932462, 15: 0xa129ca6149be45e5,
	}
	for n, sum := range want {
		m := make([]byte, n)
		for i := range m {
			m[i] = byte(i)
		}
		if got := key.sum(m); got != sum {
			t.Errorf("%d bytes: %#x, want %#x", n, got, sum)
		}
	}
	// The short form is the long one.
	m := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	if a, b := key.sum(m), key.sum2(0x0706050403020100, 12<<56|0x0b0a0908); a != b {
		t.Errorf("sum2 = %#x, sum = %#x", b, a)
	}
}

func TestCookie(t *testing.T) {
	c := newCookie()
	src, dst := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddrPort("198.51.100.7:10025")
	seq := c.sequence(src, 61000, dst)
	for name, other := range map[string]uint32{
		"source": c.sequence(src.Next(), 61000, dst),
		"port":   c.sequence(src, 61001, dst),
		"target": c.sequence(src, 61000, netip.AddrPortFrom(dst.Addr().Next(), dst.Port())),
		"its":    c.sequence(src, 61000, netip.AddrPortFrom(dst.Addr(), dst.Port()+1)),
		"key":    newCookie().sequence(src, 61000, dst),
	} {
		if other == seq {
			t.Errorf("another %s has the same sequence number", name)
		}
	}
	for _, c := range []struct {
		ack  uint32
		rst  bool
		want bool
	}{{seq + 1, false, true}, {seq + 1, true, true}, {seq, true, true}, {seq, false, false}, {seq + 2, true, false}, {0, true, false}} {
		if acknowledges(seq, c.ack, c.rst) != c.want {
			t.Errorf("acknowledges(%d, %d, %t) = %t", seq, c.ack, c.rst, !c.want)
		}
	}
}

func TestPortClock(t *testing.T) {
	for _, c := range []struct{ low, high, base, last uint16 }{
		{32768, 60999, 61440, 65535}, // Linux's own choice
		{10240, 65000, 6144, 10239},  // little room above
		{1024, 60999, 61440, 65535},
		{1024, 65471, 65472, 65535}, // just enough
	} {
		clock, ok := clockOutside(c.low, c.high)
		if !ok || clock.base != c.base || clock.last() != c.last {
			t.Errorf("clockOutside(%d, %d) = %+v, %t", c.low, c.high, clock, ok)
		}
	}
	if clock, ok := clockOutside(1024, 65500); ok {
		t.Errorf("no room: %+v", clock)
	}
	clock, _ := clockIn(61000, 65535)
	random := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		sent := random.Int64()
		rtt := random.Int64N(int64(window) - int64(clock.tick()))
		port := clock.port(sent)
		if !clock.owns(port) {
			t.Fatalf("port %d is not one of %+v", port, clock)
		}
		got := clock.sent(port, sent+rtt)
		if d := sent - got; d < 0 || time.Duration(d) >= clock.tick() {
			t.Fatalf("sent at %d, said to be at %d: %v off", sent, got, time.Duration(d))
		}
	}
	if clock.owns(clock.base-1) || clock.owns(clock.last()+1) || clock.owns(0) {
		t.Error("owns ports of others")
	}
}

func BenchmarkCookie(b *testing.B) {
	c := newCookie()
	for i := 0; b.Loop(); i++ {
		sinkWord = c.sequence4(0x0a570001, uint32(i), 6000, 10025)
	}
}

// sinkWord keeps benchmarks from being optimized away.
var sinkWord uint32
