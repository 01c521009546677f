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

func prefixLine(prefix string, hosts uint64) ScopeLine {
	return ScopeLine{Range: netipx.RangeOfPrefix(netip.MustParsePrefix(prefix)), Text: prefix, MinHosts: hosts}
}

func TestScopeLinesProve(t *testing.T) {
	pair := netip.MustParseAddrPort
	for name, tt := range map[string]struct {
		lines    []ScopeLine
		known    string // a pair that answers
		answered string // in the end
		canary   bool
		own      bool // the pair is of the scanning machine
		addr     string
		want     bool
	}{
		"a control of the line":        {[]ScopeLine{prefixLine("192.0.2.0/28", 1)}, "192.0.2.1:25", "192.0.2.1:25", false, false, "192.0.2.9", true},
		"it stays silent":              {[]ScopeLine{prefixLine("192.0.2.0/28", 1)}, "192.0.2.1:25", "", true, false, "192.0.2.9", false},
		"another line's":               {[]ScopeLine{prefixLine("192.0.2.0/28", 1), prefixLine("198.51.100.0/28", 1)}, "198.51.100.1:25", "198.51.100.1:25", false, false, "192.0.2.9", false},
		"another line's, may be empty": {[]ScopeLine{prefixLine("192.0.2.0/28", 0), prefixLine("198.51.100.0/28", 1)}, "198.51.100.1:25", "198.51.100.1:25", false, false, "192.0.2.9", true},
		"nothing up, a canary":         {[]ScopeLine{prefixLine("192.0.2.0/28", 1)}, "", "", true, false, "192.0.2.9", true},
		"nothing up, no canary":        {[]ScopeLine{prefixLine("192.0.2.0/28", 0)}, "", "", false, false, "192.0.2.9", false},
		"outside of all":               {[]ScopeLine{prefixLine("192.0.2.0/28", 1)}, "192.0.2.1:25", "192.0.2.1:25", true, false, "192.0.2.16", false},
		"the wider line's":             {[]ScopeLine{prefixLine("192.0.2.0/24", 1), prefixLine("192.0.2.0/28", 1)}, "192.0.2.200:25", "192.0.2.200:25", false, false, "192.0.2.9", true},
		"own":                          {[]ScopeLine{prefixLine("192.0.2.0/28", 1)}, "192.0.2.1:25", "192.0.2.1:25", false, true, "192.0.2.9", false},
		"own, a canary":                {[]ScopeLine{prefixLine("192.0.2.0/28", 1)}, "192.0.2.1:25", "", true, true, "192.0.2.9", true},
		"own, may be empty":            {[]ScopeLine{prefixLine("192.0.2.0/28", 0)}, "192.0.2.1:25", "192.0.2.1:25", false, true, "192.0.2.9", false},
		"loopback":                     {[]ScopeLine{prefixLine("127.0.0.0/30", 1)}, "127.0.0.1:25", "127.0.0.1:25", false, true, "127.0.0.2", true},
		"loopback for others":          {[]ScopeLine{prefixLine("127.0.0.0/30", 1), prefixLine("192.0.2.0/28", 0)}, "127.0.0.1:25", "127.0.0.1:25", false, true, "192.0.2.9", false},
		"IPv6":                         {[]ScopeLine{prefixLine("2001:db8::/120", 1)}, "[2001:db8::1]:25", "[2001:db8::1]:25", false, false, "2001:db8::9", true},
	} {
		s := NewScopeLines(tt.lines)
		if tt.known != "" {
			s.Answers(pair(tt.known), tt.own)
		}
		if tt.answered != "" && slices.Contains(s.Controls(), pair(tt.answered)) {
			s.Answered(pair(tt.answered))
		}
		if got := s.Proves(netip.MustParseAddr(tt.addr), tt.canary); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

func TestScopeLinesShort(t *testing.T) {
	c := NewCoverageCounter(1000, 1000)
	c.Add(scan.Result{Target: netip.MustParseAddrPort("192.0.2.3:25"), State: result.StateClosed})
	s := NewScopeLines([]ScopeLine{prefixLine("192.0.2.0/30", 1), prefixLine("192.0.2.0/28", 2), prefixLine("198.51.100.0/28", 1), prefixLine("203.0.113.0/28", 0), prefixLine("192.0.2.0/28", 1)})
	s.Count(c)
	short := s.Short()
	if len(short) != 2 || short[0].Text != "192.0.2.0/28" || short[0].Up != 1 || short[0].MinHosts != 2 || short[1].Text != "198.51.100.0/28" || short[1].Up != 0 {
		t.Errorf("got %+v", short)
	}
}

// TestScopeLinesHolding compares the index with a plain search, over ranges that
// overlap in any way.
func TestScopeLinesHolding(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	at := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, byte(n)}) }
	for range 500 {
		var lines []ScopeLine
		for range 1 + r.IntN(6) {
			from := r.IntN(256)
			lines = append(lines, ScopeLine{Range: netipx.IPRangeFrom(at(from), at(from+r.IntN(256-from)))})
		}
		s := NewScopeLines(lines)
		for n := range 256 {
			want := map[netipx.IPRange]bool{}
			for _, l := range lines {
				if l.Range.Contains(at(n)) {
					want[l.Range] = true
				}
			}
			got := 0
			for l := range s.holding(at(n)) {
				got++
				if !want[l.Range] {
					t.Fatalf("%v holds %v", l.Range, at(n))
				}
			}
			// Of overlapping ranges, one may hide the other; one that contains
			// the address is always found.
			if got == 0 && len(want) > 0 {
				t.Fatalf("no line of %v holds %v", want, at(n))
			}
		}
	}
}
