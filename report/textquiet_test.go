package report

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// TestManyAlikeShareALine checks that a host that answers on every port has one
// line for all ports without a dialogue (one for each in a verbose report), and
// only its notice further down.
func TestManyAlikeShareALine(t *testing.T) {
	const ports = 118
	run := func() *view.Collector {
		c := hugeRun(1, 1)
		c.Findings, c.Ports = nil, nil
		addr := netip.MustParseAddr("10.0.0.7")
		for i := range ports {
			p := hugePort(addr, uint16(21000+i), 0)
			p.Banner = nil
			p.Service = &result.Service{Role: "unknown", Inconclusive: result.InconclusiveSkipped}
			if i == 50 {
				p.Service.Inconclusive = result.InconclusiveCutOff
			}
			c.Ports = append(c.Ports, p)
		}
		c.Notices = append(c.Notices, result.Notice{Code: exposure.NoticeWildcard, Level: "note", Target: addr.String(), Message: "10.0.0.7 responds on every port."})
		return c
	}
	brief := string(write(t, "text", format.Options{}, run()))
	words := strings.Join(strings.Fields(brief), " ")
	if want := "117 ports unknown service, inconclusive: no dialogue took place (21000-21049,21051-21117)"; !strings.Contains(words, want) {
		t.Errorf("%q is not told:\n%s", want, brief)
	}
	if !strings.Contains(words, "21050/tcp unknown service, inconclusive: the dialogue was cut off") || strings.Contains(words, "could not be assessed: open, but no dialogue took place") {
		t.Errorf("the port that differs is not told apart, or the others are told twice:\n%s", brief)
	}
	if n := strings.Count(brief, "\n"); n > 40 {
		t.Errorf("%d lines", n)
	}
	long := string(write(t, "text", format.Options{Verbose: true}, run()))
	for i := range ports {
		if at := fmt.Sprintf("%d/tcp", 21000+i); !strings.Contains(long, at) {
			t.Errorf("%s is not told in a verbose report", at)
		}
	}
}

// TestAcceptedPairsAreReported checks that pairs accepted as unknown are reported
// as planned.
func TestAcceptedPairsAreReported(t *testing.T) {
	accepted := uint64(118)
	v := view.View{Sum: result.Summary{Complete: true, Coverage: result.Coverage{HostsUp: 1, CoverageCounts: &result.CoverageCounts{Accepted: &accepted}}}}
	if got, want := v.Coverage(), "1 host up, 0 silent; 118 pairs accepted as unknown"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
