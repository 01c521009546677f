package view

import (
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// TestSocketsCoverage: what is said of a machine counts its own ports, and names those of
// containers apart.
func TestSocketsCoverage(t *testing.T) {
	own := func(ip, through string) result.Port {
		return result.Port{IP: netip.MustParseAddr(ip), Port: 25, Protocol: "tcp", State: result.StateOpen, Socket: &result.Listening{Bound: "0.0.0.0:25", Through: through}}
	}
	accepted := uint64(1)
	for name, tt := range map[string]struct {
		ports []result.Port
		c     result.Coverage
		want  string
	}{
		"one":      {[]result.Port{own("0.0.0.0", "")}, result.Coverage{Planned: 1, Answered: 1, Ratio: 1, CoverageCounts: &result.CoverageCounts{Open: 1}}, "1 listening port, 1 of them judged (100%)"},
		"nothing":  {nil, result.Coverage{Planned: 1, Answered: 1, Ratio: 1, CoverageCounts: &result.CoverageCounts{Closed: 1}}, "nothing listens"},
		"accepted": {[]result.Port{own("0.0.0.0", "")}, result.Coverage{Planned: 1, Answered: 1, Ratio: 1, CoverageCounts: &result.CoverageCounts{Closed: 1, Accepted: &accepted}}, "1 accepted as unseen"},
		"containers": {
			[]result.Port{own("0.0.0.0", ""), own("172.17.0.2", result.SocketContainer), own("10.0.0.2", result.SocketNamespace)},
			result.Coverage{Planned: 2, Answered: 1, Ratio: 0.5, CoverageCounts: &result.CoverageCounts{Open: 1, Unknown: 1}},
			"2 listening ports, 1 of them judged (50%); 2 more in other network namespaces, which are not judged",
		},
	} {
		c := Collector{Run: result.Run{Vantage: exposure.NameSockets, Scope: result.Scope{Name: "mx"}}, Ports: tt.ports}
		v := New(&c, result.Summary{Complete: true, Coverage: tt.c}, Showing{})
		if got := v.Coverage(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
