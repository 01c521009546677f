package syn

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// TestWalk walks many sizes and meets every number exactly once, however the
// counts are shared out.
func TestWalk(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	sizes := []uint64{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 255, 256, 257, 1 << 16, 1<<16 + 1, 589824}
	for range 100 {
		sizes = append(sizes, 1+random.Uint64N(5000))
	}
	for _, n := range sizes {
		w := newWalk(n, random.Uint64())
		seen := make([]bool, n)
		met := uint64(0)
		for from := uint64(0); from < w.length(); {
			to := min(from+1+random.Uint64N(chunk), w.length())
			var numbers [chunk]uint64
			for _, i := range numbers[:w.fill(numbers[:], from, to)] {
				if i >= n || seen[i] {
					t.Fatalf("%d of %d: again or too large", i, n)
				}
				seen[i] = true
				met++
			}
			from = to
		}
		if met != n || w.length() >= 2*n+4 {
			t.Errorf("met %d of %d in %d counts", met, n, w.length())
		}
	}
}

func TestWalkSeed(t *testing.T) {
	order := func(seed uint64) []uint64 {
		w := newWalk(1000, seed)
		out := make([]uint64, w.length())
		return out[:w.fill(out, 0, w.length())]
	}
	if !slices.Equal(order(7), order(7)) {
		t.Error("the same seed gives another order")
	}
	if slices.Equal(order(7), order(8)) {
		t.Error("another seed gives the same order")
	}
	// Neighbours are not asked one after the other.
	close, last := 0, uint64(0)
	for _, i := range order(9) {
		if d := int64(i - last); -3 < d && d < 3 {
			close++
		}
		last = i
	}
	if close > 30 {
		t.Errorf("%d of 1000 steps go to a neighbour", close)
	}
}

// viewOf makes a view of a Space, cut at the given prefixes, without asking
// the kernel.
func viewOf(space *scope.Space, prefixes ...netip.Prefix) *view {
	v := newViewer(space)
	for r, ports := range space.Ranges() {
		for _, part := range cut(r, startsOf(prefixes)) {
			_ = v.add(part, ports, func() (*hop, error) { return &hop{}, nil })
		}
	}
	return &v.view
}

// TestView compares a view with its Space, shard by shard.
func TestView(t *testing.T) {
	_, space := spaceOf(t, []uint16{25, 143, 10025}, "192.0.2.0/26", "192.0.2.128-192.0.2.130", "198.51.100.7-198.51.100.99",
		"2001:db8::fffe-2001:db8::1:20", "2001:db8:1::-2001:db8:1::1")
	_, one := spaceOf(t, []uint16{25}, "192.0.2.0/26")
	prefixes := []netip.Prefix{netip.MustParsePrefix("192.0.2.16/28"), netip.MustParsePrefix("0.0.0.0/0"),
		netip.MustParsePrefix("198.51.100.32/32"), netip.MustParsePrefix("2001:db8::1:0/124"), netip.MustParsePrefix("::/0")}
	for _, whole := range []*scope.Space{space, one} {
		for _, n := range []uint64{1, 2, 3, 7, 50} {
			for i := uint64(1); i <= n; i++ {
				shard, err := whole.Shard(i, n)
				if err != nil {
					t.Fatal(err)
				}
				v := viewOf(shard, prefixes...)
				for k := range shard.Len() {
					at := shard.At(k)
					if got := v.at(k); got != at {
						t.Fatalf("shard %d/%d: number %d is %v, want %v", i, n, k, got, at)
					}
					if got, p := v.index(at.Addr(), at.Port()); p == nil || got != k {
						t.Fatalf("shard %d/%d: %v has number %d, want %d", i, n, at, got, k)
					}
				}
				for k := range whole.Len() {
					at := whole.At(k)
					_, in := shard.Index(at)
					if _, p := v.index(at.Addr(), at.Port()); (p != nil) != in {
						t.Fatalf("shard %d/%d: %v in it: %t, want %t", i, n, at, p != nil, in)
					}
				}
			}
		}
	}
	v := viewOf(space)
	for _, s := range []string{"192.0.2.1:26", "192.0.2.64:25", "192.0.1.255:25", "[2001:db8::1:21]:25", "[::1]:25", "[2001:db8:1::2]:143"} {
		at := netip.MustParseAddrPort(s)
		if _, p := v.index(at.Addr(), at.Port()); p != nil {
			t.Errorf("%v is said to be in the space", at)
		}
	}
}

// TestViewNeighbours meets each address of a shard once.
func TestViewNeighbours(t *testing.T) {
	_, space := spaceOf(t, []uint16{25, 143, 10025}, "192.0.2.0/28", "192.0.2.128-192.0.2.130")
	for n := uint64(1); n < 12; n++ {
		for i := uint64(1); i <= n; i++ {
			shard, _ := space.Shard(i, n)
			v := viewOf(shard)
			h := &hop{onLink: true}
			for k := range v.ranges {
				v.ranges[k].hop = h
			}
			want := map[netip.Addr]bool{}
			for k := range shard.Len() {
				want[shard.At(k).Addr()] = true
			}
			got := v.neighbours()[h]
			if len(got) != len(want) {
				t.Errorf("shard %d/%d: %d addresses, want %d", i, n, len(got), len(want))
			}
			for _, a := range got {
				if !want[a] {
					t.Errorf("shard %d/%d: %v is not in it", i, n, a)
				}
			}
		}
	}
}

func TestCut(t *testing.T) {
	r := netipx.MustParseIPRange("10.0.0.5-10.0.3.200")
	var got []string
	for _, part := range cut(r, startsOf([]netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("10.0.1.0/24"), netip.MustParsePrefix("10.0.1.128/25"),
		netip.MustParsePrefix("10.0.0.0/30"), netip.MustParsePrefix("10.0.3.200/32"), netip.MustParsePrefix("::/0"),
	})) {
		got = append(got, part.String())
	}
	want := []string{"10.0.0.5-10.0.0.255", "10.0.1.0-10.0.1.127", "10.0.1.128-10.0.1.255", "10.0.2.0-10.0.3.199", "10.0.3.200-10.0.3.200"}
	if !slices.Equal(got, want) {
		t.Errorf("cut:\n got %v\nwant %v", got, want)
	}
}

func TestPlan(t *testing.T) {
	_, space := spaceOf(t, []uint16{25, 26}, "192.0.2.0/25", "2001:db8::-2001:db8::f")
	got := Plan(space, Config{Rate: 1000})
	pairs4, pairs6 := uint64(128*2), uint64(16*2)
	if want := (Estimate{Packets: 3 * (pairs4 + pairs6), Bytes: 3 * (pairs4*64 + pairs6*82), Duration: 864e6}); got != want {
		t.Errorf("Plan() = %+v, want %+v", got, want)
	}
	if got := Plan(space, Config{Retries: -1}); got.Packets != pairs4+pairs6 || got.Duration != 0 {
		t.Errorf("Plan() without retries = %+v", got)
	}
}

func BenchmarkWalk(b *testing.B) {
	w := newWalk(65536*9, 1)
	var numbers [chunk]uint64
	from := uint64(0)
	for i := 0; i < b.N; {
		i += w.fill(numbers[:], from, from+chunk)
		from = (from + chunk) % w.length()
	}
}

func BenchmarkView(b *testing.B) {
	_, space := spaceOf(b, ninePorts, "10.96.0.0/16")
	v := viewOf(space)
	for i := uint64(0); b.Loop(); i++ {
		p := v.find(i % v.count)
		host, port := p.split(i % v.count)
		sinkWord += uint32(host) + uint32(port)
	}
}
