package gate

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// TestRefusingPortIsReportedOnce checks that a port that refuses the scanner
// permanently has a notice if, and only if, it has no finding.
func TestRefusingPortIsReportedOnce(t *testing.T) {
	port := func(at, banner string, inconclusive result.Inconclusive, observed ...string) exposure.Subject {
		return exposure.Subject{Result: scan.Result{Target: netip.MustParseAddrPort(at), State: result.StateOpen},
			Service: &fingerprint.Identification{Service: result.Service{Observations: observed, Inconclusive: inconclusive}, Banner: []byte(banner)}}
	}
	open := []exposure.Subject{
		port("192.0.2.1:25", "554 5.7.1 listed\r\n", "", exposure.ObservedRefused),
		port("192.0.2.1:587", "", "", exposure.ObservedRefused),
		port("192.0.2.1:10025", "554 no\r\n", "", exposure.ObservedRefused),                             // has a finding
		port("192.0.2.2:25", "220 mx.example.org ESMTP\r\n", ""),                                        // serves us
		port("192.0.2.3:25", "421 later\r\n", result.InconclusiveRefused, exposure.ObservedRefused),     // temporary
		{Result: scan.Result{Target: netip.MustParseAddrPort("192.0.2.4:25"), State: result.StateOpen}}, // not probed
	}
	findings := []exposure.Violation{{Target: open[2].Target}}
	var got []string
	for _, n := range TurnedAway(open, findings) {
		if n.Code != exposure.NoticeTurnedAway || n.Level != result.LevelWarning {
			t.Errorf("notice %s of level %s", n.Code, n.Level)
		}
		message, _, _ := strings.Cut(n.Message, ". ")
		got = append(got, message)
	}
	want := []string{
		`192.0.2.1 port 25 refuses this scanner permanently: it says "554 5.7.1 listed"`,
		`192.0.2.1 port 587 refuses this scanner permanently: it closes the connection without a reply`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
	var many []exposure.Subject
	for i := range uint16(maxTurnedAway + 5) {
		many = append(many, port(netip.AddrPortFrom(netip.MustParseAddr("192.0.2.9"), i+1).String(), "", "", exposure.ObservedRefused))
	}
	list := TurnedAway(many, nil)
	if len(list) != maxTurnedAway+1 || !strings.HasPrefix(list[maxTurnedAway].Message, "5 ports more refuse") {
		t.Errorf("%d notices: %+v", len(list), list[len(list)-1])
	}
}
