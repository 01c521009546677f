package scope

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"go4.org/netipx"
)

// mustScope makes a scope of targets written as on the command line, those
// with "!" excluded.
func mustScope(t testing.TB, entries ...string) *Set {
	t.Helper()
	var b Bounds
	p := Parser{Resolver: testZone}
	for _, e := range entries {
		word, bang := strings.CutPrefix(e, "!")
		targets, err := p.Targets(t.Context(), []string{word})
		if err != nil {
			t.Fatal(err)
		}
		if bang {
			b.Excluded = append(b.Excluded, targets...)
		} else {
			b.Targets = append(b.Targets, targets...)
		}
	}
	s, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustSpace makes the space that a scope sweeps.
func mustSpace(t testing.TB, scope *Set, ports ...uint16) *Space {
	t.Helper()
	s, err := NewSpace(scope, ports)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pairsOf lists a space.
func pairsOf(s *Space) []string {
	var out []string
	for i := range s.Len() {
		out = append(out, s.At(i).String())
	}
	return out
}

func TestSpace(t *testing.T) {
	for _, c := range []struct {
		targets string
		want    string
	}{
		{"192.0.2.1", "192.0.2.1:25 192.0.2.1:143"},
		{"192.0.2.1 192.0.2.1 192.0.2.0/31", "192.0.2.0:25 192.0.2.0:143 192.0.2.1:25 192.0.2.1:143"},
		{"192.0.2.1:99", "192.0.2.1:99"},
		{"192.0.2.1 192.0.2.1:99", "192.0.2.1:25 192.0.2.1:99 192.0.2.1:143"},
		{"192.0.2.0/30:7 192.0.2.1-2:8 !192.0.2.2", "192.0.2.0:7 192.0.2.1:7 192.0.2.1:8 192.0.2.3:7"},
		{"192.0.2.1 !::ffff:192.0.2.1", ""},
		{"64:ff9b::c000:201 64:ff9b::c000:202 !192.0.2.1", "[64:ff9b::c000:202]:25 [64:ff9b::c000:202]:143"},
		{"mx1.example.net:1 !mx1.example.net", ""},
		{"255.255.255.254/31:1", "255.255.255.254:1"},
		{"0.0.0.0/0:1 !0.0.0.0-223.255.255.255 !240.0.0.0-255.255.255.253", "255.255.255.254:1"},
		{"[::fffe:ffff:fffe-::1:0:0:0]:1", "[::fffe:ffff:fffe]:1 [::fffe:ffff:ffff]:1 [::1:0:0:0]:1"},
		{"[::/0]:1 !::-fedf:ffff:ffff:ffff:ffff:ffff:ffff:ffff !fee0::-feff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "[feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1"},
		{"gone.example.net", ""},
		{"", ""},
	} {
		s := mustSpace(t, mustScope(t, strings.Fields(c.targets)...), 143, 25)
		if got := strings.Join(pairsOf(s), " "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.targets, got, c.want)
		}
	}
}

// model is the naive set of pairs.
type model map[netip.AddrPort]bool

// randomRange returns a prefix or range in 10.0.0.0/20 or 2001:db8::/116.
func randomRange(r *rand.Rand) netipx.IPRange {
	base := netip.MustParseAddr("10.0.0.0")
	if r.IntN(3) == 0 {
		base = netip.MustParseAddr("2001:db8::")
	}
	at := ipNumOf(base).plus(r.Uint64N(4096))
	if r.IntN(2) == 0 {
		p, _ := at.addr().Prefix(at.addr().BitLen() - r.IntN(8))
		return netipx.RangeOfPrefix(p)
	}
	return netipx.IPRangeFrom(at.addr(), at.plus(r.Uint64N(100)).addr())
}

// randomTargets returns n targets, some with ports of their own.
func randomTargets(r *rand.Rand, n int) []Target {
	var out []Target
	for range n {
		t := Target{Ranges: []netipx.IPRange{randomRange(r)}}
		for range r.IntN(2) {
			t.Ranges = append(t.Ranges, randomRange(r))
		}
		for range r.IntN(3) {
			t.Ports = t.Ports.Union(PortSetOf([]uint16{uint16(1 + r.IntN(6))}))
		}
		out = append(out, t)
	}
	return out
}

// pairs are the addresses of targets with their ports, one by one.
func (m model) pairs(targets []Target, ports []uint16, in bool) {
	for _, t := range targets {
		own := t.Ports.Ports()
		if own == nil {
			own = ports
		}
		for _, r := range t.Ranges {
			for a := r.From(); r.Contains(a); a = a.Next() {
				for _, p := range own {
					if in {
						m[netip.AddrPortFrom(a, p)] = true
					} else {
						delete(m, netip.AddrPortFrom(a, p))
					}
				}
			}
		}
	}
}

// TestSpaceHoldsEachPairOnce compares spaces of random prefixes, ranges and
// excludes with the naive set of their pairs: each is there exactly once, in
// the plain and in the shuffled order, and never an excluded one.
func TestSpaceHoldsEachPairOnce(t *testing.T) {
	ports := []uint16{5, 2, 9}
	all := []uint16{1, 2, 3, 4, 5, 6, 9}
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		b := Bounds{Targets: randomTargets(r, 1+r.IntN(12)), Excluded: randomTargets(r, r.IntN(8))}
		for i := range b.Excluded {
			b.Excluded[i].Ports = PortSet{}
		}
		want := model{}
		want.pairs(b.Targets, ports, true)
		want.pairs(b.Excluded, all, false)
		scope, err := New(b)
		if err != nil {
			t.Fatal(err)
		}
		s := mustSpace(t, scope, ports...)
		if s.Len() != uint64(len(want)) {
			t.Fatalf("seed %d: %d pairs, want %d", seed, s.Len(), len(want))
		}
		order := NewOrder(s.Len(), seed)
		for i := range s.Len() {
			n := order.At(i)
			pair := s.At(n)
			if !want[pair] {
				t.Fatalf("seed %d: %v is excluded, was never named, or comes twice", seed, pair)
			}
			delete(want, pair)
			if !scope.Allows(pair.Addr()) {
				t.Fatalf("seed %d: %v is swept and not allowed", seed, pair)
			}
			if k, ok := s.Index(pair); !ok || k != n {
				t.Fatalf("seed %d: Index(At(%d)) is %d, %v", seed, n, k, ok)
			}
		}
		for _, e := range b.Excluded {
			if a := e.Ranges[0].From(); scope.Allows(a) || scope.Allows(netip.AddrFrom16(a.As16())) {
				t.Fatalf("seed %d: %v is excluded and allowed", seed, a)
			}
		}
	}
}

func TestShards(t *testing.T) {
	for _, hosts := range []int{1, 2, 3, 7, 64, 200} {
		s := mustSpace(t, mustScope(t, fmt.Sprintf("10.0.0.0-10.0.0.%d", hosts-1), "[2001:db8::1]:7"), 25, 143, 10025)
		for _, n := range []uint64{1, 2, 3, 5, 16, 100, 1000} {
			var union []string
			sharded := map[netip.Addr]uint64{}
			for i := uint64(1); i <= n; i++ {
				part, err := s.Shard(i, n)
				if err != nil {
					t.Fatal(err)
				}
				const most = 3 // pairs of a host
				if even := s.Len() / n; part.Len()+most <= even || part.Len() > even+most {
					t.Errorf("%d of %d: %d of %d pairs", i, n, part.Len(), s.Len())
				}
				for k := range part.Len() {
					a := part.At(k).Addr()
					if in, ok := sharded[a]; ok && in != i {
						t.Errorf("%v is in shards %d and %d of %d", a, in, i, n)
					}
					sharded[a] = i
				}
				for k := range part.Len() {
					if got, ok := part.Index(part.At(k)); !ok || got != k {
						t.Fatalf("%d of %d: Index(At(%d)) is %d, %v", i, n, k, got, ok)
					}
				}
				union = append(union, pairsOf(part)...)
			}
			if !slices.Equal(union, pairsOf(s)) {
				t.Errorf("%d hosts: the union of %d shards is not the whole", hosts, n)
			}
		}
	}
	s := mustSpace(t, mustScope(t, "10.0.0.0/8"), 25)
	for _, c := range [][2]uint64{{0, 1}, {2, 1}, {0, 0}, {1, 0}} {
		if _, err := s.Shard(c[0], c[1]); err == nil {
			t.Errorf("shard %d of %d exists", c[0], c[1])
		}
	}
}

func TestIndexOfOtherPairs(t *testing.T) {
	s := mustSpace(t, mustScope(t, "10.0.0.0/30", "2001:db8::/126", "!10.0.0.2"), 25)
	part, _ := s.Shard(2, 2)
	for _, text := range []string{"10.0.0.2:25", "10.0.0.1:26", "10.0.0.4:25", "9.0.0.0:25", "[2001:db8::4]:25", "[::1]:25", "[ffff::]:25"} {
		if i, ok := s.Index(netip.MustParseAddrPort(text)); ok {
			t.Errorf("%s has number %d", text, i)
		}
	}
	if _, ok := part.Index(s.At(0)); ok {
		t.Error("a shard knows a pair of another")
	}
	if _, ok := s.Index(netip.AddrPort{}); ok {
		t.Error("the zero pair has a number")
	}
}

// TestWideSpace walks a part of a /8 with 20 ports: nothing is allocated on
// the way.
func TestWideSpace(t *testing.T) {
	ports := make([]uint16, 20)
	for i := range ports {
		ports[i] = uint16(10020 + i)
	}
	s := mustSpace(t, mustScope(t, "10.0.0.0/8", "!10.1.0.0/16"), ports...)
	if want := uint64(1<<24-1<<16) * 20; s.Len() != want {
		t.Fatalf("%d pairs, want %d", s.Len(), want)
	}
	order := NewOrder(s.Len(), 3)
	var i uint64
	if allocs := testing.AllocsPerRun(100, func() {
		for range 1000 {
			pair := s.At(order.At(i))
			if b := pair.Addr().As4(); b[0] != 10 || b[1] == 1 {
				t.Fatalf("%v is swept", pair)
			}
			i++
		}
	}); allocs != 0 {
		t.Errorf("%v allocations in 1000 steps", allocs)
	}
}

func TestTooWide(t *testing.T) {
	scope := mustScope(t, "2001:db8::/64")
	_, err := NewSpace(scope, []uint16{25, 143})
	if hint, ok := err.(interface{ ErrorHint() string }); !ok || hint.ErrorHint() == "" {
		t.Errorf("error %v", err)
	}
}

func BenchmarkSpaceAt(b *testing.B) {
	s := mustSpace(b, mustScope(b, "10.0.0.0/8", "!10.1.0.0/16", "!10.7.7.7"), 25, 143, 783, 10025)
	order := NewOrder(s.Len(), 1)
	var i uint64
	for b.Loop() {
		s.At(order.At(i % s.Len()))
		i++
	}
}
