package gate

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/result"
)

// TestCanaryWatch follows the canary mx1.example.org:25, which must speak smtp,
// over three probes.
func TestCanaryWatch(t *testing.T) {
	host, err := policy.ParseSelector("mx1.example.org")
	if err != nil {
		t.Fatal(err)
	}
	canary := policy.Canary{Selector: host, Port: 25, Protocol: "smtp"}
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		host      string
		states    string // o open, c closed, f filtered, - not among the results
		protocol  string // identified protocol; "" for none
		only      bool   // states only
		own       bool   // the canary is on the scanning machine
		want      bool
		complaint string
	}{
		"answers":         {"mx1.example.org", "ooo", "smtp", false, false, true, ""},
		"own":             {"mx1.example.org", "ooo", "smtp", false, true, true, ""},
		"another case":    {"MX1.example.org.", "ooo", "SMTP", false, false, true, ""},
		"another name":    {"mx2.example.org", "ooo", "smtp", false, false, false, "was not probed"},
		"protocol":        {"mx1.example.org", "ooo", "ssh", false, false, false, "is open, but ssh answers there, not smtp. If that is what should answer, write protocol: ssh in its entry"},
		"not heard":       {"mx1.example.org", "ooo", "", false, false, false, "is open, but smtp was not identified"},
		"states only":     {"mx1.example.org", "ooo", "", true, false, true, ""},
		"closed":          {"mx1.example.org", "ccc", "", false, false, false, "did not answer"},
		"gone at once":    {"mx1.example.org", "off", "smtp", false, false, false, "answered at 12:00:00 UTC and did not answer at 12:01:00 UTC"},
		"gone later":      {"mx1.example.org", "oof", "smtp", false, false, false, "answered at 12:01:00 UTC and did not answer at 12:02:00 UTC"},
		"came back":       {"mx1.example.org", "ofo", "smtp", false, false, false, "did not answer at 12:01:00 UTC but answered again at 12:02:00 UTC: ports probed before"},
		"came late":       {"mx1.example.org", "foo", "smtp", false, false, false, "did not answer at 12:00:00 UTC but answered again at 12:02:00 UTC"},
		"was never asked": {"mx1.example.org", "---", "", false, false, false, "The canary mx1.example.org:25 was not probed."},
	} {
		w := WatchCanaries([]policy.Canary{canary}, tt.only, func(a netip.Addr) bool { return tt.own })
		for i, s := range tt.states {
			port := exposuretest.OpenPort(25, nil)
			port.Host = tt.host
			port.State = map[rune]result.State{'o': result.StateOpen, 'c': result.StateClosed, 'f': result.StateFiltered}[s]
			var results []exposure.Subject
			if s != '-' {
				results = append(results, port)
			}
			w.AddStates(results, at.Add(time.Duration(i)*time.Minute))
		}
		if tt.protocol != "" {
			port := exposuretest.OpenPort(25, exposuretest.Service(tt.protocol, "mta", ""))
			port.Host = tt.host
			w.AddService(port)
		}
		c := w.Canaries()[0]
		if c.Answered != tt.want || w.ShowsNetwork() != (tt.want && !tt.own) || !tt.want && !strings.Contains(c.notice("").Message, tt.complaint) {
			t.Errorf("%s: answered %v, %q", name, c.Answered, c.notice("").Message)
		}
	}
}

// TestCanaryNotAsked checks that a canary of a run that ended before it was
// probed is not reported as silent, whatever ended the run.
func TestCanaryNotAsked(t *testing.T) {
	unheard := WatchedCanary{Canary: policy.Canary{Port: 25, Protocol: "smtp"}, asked: true, last: time.Unix(1, 0)}
	for name, tt := range map[string]struct {
		canary WatchedCanary
		facts  RunFacts
		want   string
	}{
		"signal":    {WatchedCanary{}, RunFacts{Signal: 2}, "was not probed: the run was stopped by SIGINT."},
		"time":      {WatchedCanary{}, RunFacts{TimeUp: time.Minute}, "was not probed: the run was stopped after 1m0s by --max-time."},
		"expired":   {WatchedCanary{}, RunFacts{Expired: time.Unix(0, 0)}, "was not probed: the authorization expired at 1970-01-01"},
		"aborted":   {WatchedCanary{}, RunFacts{Aborted: errors.New("no more files")}, "was not probed: the run was aborted."},
		"name":      {WatchedCanary{Reason: "its name did not resolve"}, RunFacts{Signal: 2}, "was not probed: its name did not resolve."},
		"not heard": {unheard, RunFacts{Signal: 15}, "smtp was not identified on it: the run was stopped by SIGTERM."},
		"silent":    {WatchedCanary{asked: true, lost: time.Unix(1, 0)}, RunFacts{Signal: 2}, "did not answer."},
	} {
		tt.facts.Canaries = []WatchedCanary{tt.canary}
		v := Decide(Criteria{}, tt.facts, nil)
		i := slices.IndexFunc(v.Notices, func(n result.Notice) bool { return n.Code == exposure.NoticeCanary })
		if i < 0 || !strings.Contains(v.Notices[i].Message, tt.want) || v.CanariesOK {
			t.Errorf("%s: %v, want %q", name, v.Notices, tt.want)
		}
	}
}
