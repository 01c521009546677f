package report

import (
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// TestInconclusivePortIsReported checks that an open port that could not be
// assessed is recognizable in every format that shows services.
func TestInconclusivePortIsReported(t *testing.T) {
	run := func() *view.Collector {
		c := hugeRun(1, 1)
		c.Findings = nil
		c.Ports[0].Banner = nil
		c.Ports[0].Service = &result.Service{Name: "smtp", Role: "unknown",
			Inconclusive: result.InconclusiveRefused, Refusal: "421 4.3.2 try again later"}
		blocked := hugePort(c.Ports[0].IP, 10099, 0)
		blocked.State, blocked.Reason, blocked.Service, blocked.Banner = result.StateUnknown, "blocked", nil, nil
		c.Ports = append(c.Ports, blocked)
		return c
	}
	words := `inconclusive: it temporarily refused service ("421 4.3.2 try again later")`
	for form, want := range map[string][]string{
		"text": {words, "1 port of 10.0.0.0 could not be assessed: open, but it temporarily refused service",
			"1 port of 10.0.0.0 could not be assessed: the host stopped answering during the scan"},
		"markdown":   {words, "could not be assessed: the host stopped answering"},
		"html":       {"inconclusive: it temporarily refused service", "could not be assessed: the host stopped answering"},
		"junit":      {`<error type="refused-for-now" message="inconclusive: it temporarily refused service`},
		"csv":        {"refused-for-now,421 4.3.2 try again later", ",unknown,", "blocked"},
		"nmap-xml":   {"inconclusive: it temporarily refused service"},
		"json":       {`"inconclusive": "refused-for-now"`, `"refusal": "421 4.3.2 try again later"`, `"reason": "blocked"`},
		"prometheus": {`state="unknown"} 1`},
	} {
		doc := strings.Join(strings.Fields(string(write(t, form, format.Options{}, run()))), " ")
		for _, text := range want {
			if !strings.Contains(doc, text) {
				t.Errorf("%s: %q is not told:\n%s", form, text, doc)
			}
		}
	}
}

// TestEveryCauseHasWords checks that every reason has words for people.
func TestEveryCauseHasWords(t *testing.T) {
	for _, i := range []result.Inconclusive{
		result.InconclusiveNoConnection, result.InconclusiveRefused, result.InconclusiveCutOff,
		result.InconclusiveUnfinished, result.InconclusiveUnacknowledged, result.InconclusiveSkipped,
		result.InconclusiveHostTimeout, result.InconclusiveNoReply, result.InconclusiveHandshake,
	} {
		if view.Cause(string(i)) == string(i) {
			t.Errorf("%s has no words", i)
		}
	}
	if got := view.Cause("of a later version"); got != "of a later version" {
		t.Errorf("an unknown cause is %q", got)
	}
}

// TestNoRouteIsReportedOnce checks that what a notice about a missing route says
// is not repeated port by port, but is without the notice.
func TestNoRouteIsReportedOnce(t *testing.T) {
	for _, noticed := range []bool{false, true} {
		c := hugeRun(1, 1)
		unrouted := hugePort(c.Ports[0].IP, 10099, 0)
		unrouted.State, unrouted.Reason, unrouted.Service, unrouted.Banner = result.StateUnknown, "net-unreach", nil, nil
		unrouted.Error = &result.PortError{Message: "connecting to 10.0.0.0:10099: network is unreachable"}
		c.Ports = append(c.Ports, unrouted)
		if noticed {
			c.Notices = append(c.Notices, result.Notice{Code: exposure.NoticeNoRoute, Level: "error", Message: "There is no IPv6 route."})
		}
		doc := string(write(t, "text", format.Options{}, c))
		if told := strings.Contains(doc, "could not be assessed"); told == noticed {
			t.Errorf("notice %t, told port by port %t:\n%s", noticed, told, doc)
		}
	}
}
