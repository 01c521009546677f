package gate

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

func scanResult(addr netip.Addr, port uint16, state result.State) scan.Result {
	return scan.Result{Target: netip.AddrPortFrom(addr, port), State: state}
}

// TestCoverageTakenBack checks that a pair that was closed and then open is
// counted once.
func TestCoverageTakenBack(t *testing.T) {
	c := NewCoverageCounter(2, 1)
	addr := netip.MustParseAddr("192.0.2.1")
	c.Add(scanResult(addr, 1, result.StateClosed))
	c.Add(scanResult(addr, 2, result.StateClosed))
	again := scanResult(addr, 1, result.StateOpen)
	again.WasClosed = true
	c.Add(again)
	if got := c.Coverage(); got.Open != 1 || got.Closed != 1 || got.Conclusive() != 2 {
		t.Errorf("got %+v", got)
	}
	c.Unassessed()
	if got := c.Coverage(); got.Unknown() != 1 {
		t.Errorf("without a dialogue: %+v", got)
	}
}

func TestCoverageCounter(t *testing.T) {
	c := NewCoverageCounter(24, 6)
	add := func(addr string, port uint16, state result.State) {
		c.Add(scanResult(netip.MustParseAddr(addr), port, state))
	}
	add("192.0.2.1", 1, result.StateFiltered) // before the host is known to be up
	add("192.0.2.1", 2, result.StateOpen)
	add("192.0.2.1", 3, result.StateFiltered)
	add("192.0.2.1", 4, result.StateUnknown)
	for port := uint16(1); port <= 4; port++ {
		add("192.0.2.2", port, result.StateFiltered)
		add("192.0.2.3", port, result.StateClosed)
		add("192.0.2.4", port, result.StateFiltered)
		add("192.0.2.5", port, result.StateFiltered)
	}
	// An ICMP error from the target itself shows that it is up; one from a router
	// does not.
	self, router := netip.MustParseAddr("192.0.2.6"), netip.MustParseAddr("192.0.2.254")
	for port := uint16(1); port <= 3; port++ {
		r := scanResult(self, port, result.StateFiltered)
		r.Reason, r.From = result.ReasonAdminProhibited, router
		c.Add(r)
	}
	if c.Up(self) {
		t.Error("a router's word made a host up")
	}
	r := scanResult(self, 4, result.StateFiltered)
	r.From = self
	c.Add(r)
	want := PairCounts{Planned: 24, Open: 1, Closed: 4, Filtered: 6, HostsUp: 3, HostsSilent: 3}
	if got := c.Coverage(); got != want || got.Unknown() != 13 {
		t.Errorf("got %+v, %d unknown, want %+v", got, got.Unknown(), want)
	}
	if !c.Up(netip.MustParseAddr("::ffff:192.0.2.1")) || c.Up(netip.MustParseAddr("192.0.2.2")) {
		t.Error("the wrong hosts are up")
	}
	c.SetVacant(netip.MustParseAddr("192.0.2.4"))
	c.SetVacant(netip.MustParseAddr("192.0.2.4")) // once only
	c.SetVacant(netip.MustParseAddr("192.0.2.3")) // is up
	c.SetUp(netip.MustParseAddr("192.0.2.5"))     // a reference port answered
	c.Unassessed()
	want = PairCounts{Planned: 20, Closed: 4, Filtered: 10, HostsUp: 4, HostsSilent: 1, HostsVacant: 1, VacantPairs: 4}
	if got := c.Coverage(); got != want || got.Conclusive() != 14 || got.Ratio() != 0.7 {
		t.Errorf("got %+v, ratio %v, want %+v", got, got.Ratio(), want)
	}
	c.Accept(5)
	if got := c.Coverage(); got.Planned != 15 || got.Accepted != 5 || got.Unknown() != 1 {
		t.Errorf("with pairs that are accepted: %+v", got)
	}
}

// TestCoverageCounterLocalFailure checks that an address is not vacant if this
// machine could not probe all its ports.
func TestCoverageCounterLocalFailure(t *testing.T) {
	c := NewCoverageCounter(4, 2)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	c.Add(scanResult(a, 1, result.StateFiltered))
	c.Add(scanResult(a, 2, result.StateUnknown))
	c.Add(scanResult(b, 1, result.StateFiltered))
	c.Add(scanResult(b, 2, result.StateFiltered))
	if got := slices.Collect(c.Silent()); len(got) != 1 || got[0] != netipx.IPRangeFrom(b, b) {
		t.Errorf("silent: %v", got)
	}
	if got := slices.Collect(c.Doubtful()); len(got) != 1 || got[0] != netipx.IPRangeFrom(a, a) {
		t.Errorf("doubtful: %v", got)
	}
	c.SetVacant(a)
	if c.Coverage().HostsVacant != 0 {
		t.Error("vacant without having been asked")
	}
	c.Forget(b)
	c.SetUp(b)
	if got := c.Coverage(); got.Filtered != 0 || got.Unknown() != 4 {
		t.Errorf("forgotten pairs count: %+v", got)
	}
}

// TestCoverageCounterAgainstAMap compares the pages with a map, for IPv4 and
// IPv6, in any order, with more silent ports than a page counts.
func TestCoverageCounterAgainstAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	addrs := []netip.Addr{}
	for _, a := range []string{"192.0.2.0", "192.0.2.1", "192.0.2.63", "192.0.2.64", "192.0.2.255", "192.0.3.0", "10.0.0.7", "2001:db8::", "2001:db8::ff", "2001:db8::100", "::"} {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	for range 50 {
		c := NewCoverageCounter(1<<20, uint64(len(addrs)))
		up, silent, closed := map[netip.Addr]bool{}, map[netip.Addr]uint64{}, uint64(0)
		for range r.IntN(4000) {
			a := addrs[r.IntN(len(addrs))]
			state := result.StateFiltered
			if r.IntN(1000) == 0 {
				state = result.StateClosed
				up[a] = true
				closed++
			} else {
				silent[a]++
			}
			c.Add(scanResult(a, 1, state))
		}
		want := PairCounts{Planned: 1 << 20, Closed: closed, HostsUp: uint64(len(up)), HostsSilent: uint64(len(addrs) - len(up))}
		for a := range up {
			want.Filtered += silent[a]
		}
		if got := c.Coverage(); got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		var vacant []netip.Addr
		for run := range c.Silent() {
			for a := run.From(); ; a = a.Next() {
				vacant = append(vacant, a)
				if a == run.To() {
					break
				}
			}
		}
		var silentOnly []netip.Addr
		for _, a := range addrs {
			if c.Up(a) != up[a] {
				t.Fatalf("%s is up: %v, want %v", a, c.Up(a), up[a])
			}
			if !up[a] && silent[a] > 0 {
				silentOnly = append(silentOnly, a)
			}
		}
		if !slices.Equal(vacant, silentOnly) {
			t.Fatalf("silent: %v, want %v", vacant, silentOnly)
		}
		for range 20 {
			from, to := addrs[r.IntN(len(addrs))], addrs[r.IntN(len(addrs))]
			rng := netipx.IPRangeFrom(from, to)
			if !rng.IsValid() {
				continue
			}
			n := uint64(0)
			for a := range up {
				if rng.Contains(a) {
					n++
				}
			}
			if got := c.upIn(rng); got != n {
				t.Fatalf("%d up in %v, want %d", got, rng, n)
			}
		}
	}
}

func BenchmarkCoverageCounter(b *testing.B) {
	c := NewCoverageCounter(1<<40, 1<<24)
	for i := range b.N {
		n := uint32(i) * 2654435761 // spread as a permutation would
		a := [4]byte{10, byte(n >> 24), byte(n >> 16), byte(n >> 8)}
		c.Add(scanResult(netip.AddrFrom4(a), 25, result.StateFiltered))
	}
}

// TestCoverageByZone checks that a link-local address is another host on each
// link, and that one of them proves nothing for the other.
func TestCoverageByZone(t *testing.T) {
	up, silent := netip.MustParseAddrPort("[fe80::1%a]:25"), netip.MustParseAddrPort("[fe80::1%b]:25")
	c := NewCoverageCounter(2, 2)
	c.Add(scan.Result{Target: up, State: result.StateClosed})
	c.Add(scan.Result{Target: silent, State: result.StateFiltered})
	if got := c.Coverage(); got.Conclusive() != 1 || got.HostsUp != 1 || got.HostsSilent != 1 || !c.Up(up.Addr()) || c.Up(silent.Addr()) {
		t.Errorf("got %+v", got)
	}
	for r := range c.Silent() {
		t.Errorf("%v is said to be silent in a range", r)
	}
}
