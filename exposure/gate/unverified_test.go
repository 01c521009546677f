package gate

import (
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/exposure/policy"
)

// TestUnverifiedNeverPasses follows a finding over two runs in which the host was
// silent: neither passes, whatever fails a run.
func TestUnverifiedNeverPasses(t *testing.T) {
	rules := exposuretest.Rules(t)
	judge := &exposure.Judge{Rules: rules, Knowledge: exposuretest.Ports()}
	b := drift.NewBaseline(drift.Header{Vantage: "internet"}, nil, judge.Findings(exposuretest.OpenPort(10025, exposuretest.Service("smtp", "reinjection", "Postfix smtpd"))))
	onlyNew, err := policy.ParseFailOn("new:high", nil)
	if err != nil {
		t.Fatal(err)
	}
	for day := 1; day <= 2; day++ {
		list, _ := drift.Compare(b, drift.Conditions{}, rules).Finish(nil, nil, nil, time.Time{})
		if v := Decide(Criteria{}, RunFacts{Coverage: full}, list); v.Code != ExitFail {
			t.Fatalf("day %d: code %d", day, v.Code)
		}
		if v := Decide(Criteria{FailOn: onlyNew}, RunFacts{Coverage: full}, list); v.Code != ExitIncomplete {
			t.Fatalf("day %d: code %d for new findings alone", day, v.Code)
		}
		b = drift.NewBaseline(drift.Header{Vantage: "internet"}, b, list)
	}
}
