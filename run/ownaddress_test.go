package run

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

func TestOwnAddress(t *testing.T) {
	for _, tt := range []struct {
		flag, address     string
		vantage           string
		assumed, exposure bool
	}{
		{"", "192.0.2.1", "internet", true, true},
		{"", "192.0.2.2", "internet", false, true},
		{"internet", "192.0.2.1", "internet", true, true},
		{"lan", "192.0.2.1", "lan", true, true},
		{"host", "192.0.2.1", "host", false, false},
		{"", "127.0.0.1", "host", false, false},
		{"", "::1", "host", false, false},
		{"internet", "127.0.0.1", "internet", false, true},
	} {
		p := &Plan{opts: settings{Options: Options{Vantage: tt.flag}}}
		if err := errors.Join(p.readJudgement(nil), p.completeJudge()); err != nil {
			t.Fatal(err)
		}
		p.own = []netip.Addr{netip.MustParseAddr("192.0.2.1")}
		addr := netip.MustParseAddr(tt.address)
		port := exposure.Subject{
			Result:       scan.Result{Target: netip.AddrPortFrom(addr, 10027), State: result.StateOpen, Reason: result.ReasonSynAck, Time: time.Now()},
			Service:      &fingerprint.Identification{Service: result.Service{Name: "smtp", Role: "signing-proxy", Product: "DKIMproxy", Method: "probed", Confidence: 9}},
			Reachability: p.reachability(addr),
		}
		worst, text := result.SeverityInfo, ""
		for _, f := range p.judge.Findings(port) {
			worst = max(worst, f.Severity)
			text += strings.Join(f.Evidence, "\n")
			if w := f.Finding(); w.Vantage != tt.vantage || (w.Reachability == "assumed") != tt.assumed {
				t.Errorf("%+v: vantage %q, reachability %q", tt, w.Vantage, w.Reachability)
			}
		}
		if (worst >= result.SeverityHigh) != tt.exposure || strings.Contains(text, "is assumed") != tt.assumed {
			t.Errorf("%+v: worst is %s\n%s", tt, worst, text)
		}
		if n := len(ownPorts([]exposure.Subject{port, port})); n != map[bool]int{true: 1}[tt.assumed] {
			t.Errorf("%+v: %d notices", tt, n)
		}
	}
}
