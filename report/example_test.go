package report_test

import (
	"log"
	"net/netip"
	"os"

	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// Writes a run with one finding as the commands that annotate a pull request.
func ExampleWriter() {
	w, err := report.New("github", os.Stdout, format.Options{})
	if err != nil {
		log.Fatal(err)
	}
	run := report.Clean(result.Run{ID: "8f6a1c1e-4f0d-4b43-9d9c-0a6f6f2c7f11", Vantage: "internet"}, "")
	summary := result.Summary{Complete: true, Gate: result.GateFail, ExitCode: 1,
		Coverage: result.Coverage{Planned: 1, Answered: 1, Ratio: 1, HostsUp: 1}}
	finding := result.Finding{
		ID: "mxf-1", Rule: "MXS1001", Severity: result.SeverityHigh, Title: "Content filter exposed",
		IP: netip.MustParseAddr("192.0.2.10"), Port: 10024, Protocol: "tcp", Status: result.StatusOpen, Drift: result.DriftNew, Verdict: result.VerdictFail,
	}
	summary.Count(finding)
	for _, err := range []error{
		w.Start(result.Tool{Name: "mxsweep"}, run),
		w.Finding(finding),
		w.End(run, summary),
	} {
		if err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// ::error file=mxsweep.yaml,line=1,title=MXS1001 Content filter exposed::192.0.2.10:10024 (high, new)
	// ::notice title=mxsweep fail::1 of 1 finding matches the gate. 1 host up, 0 silent; 1 of 1 pair conclusive (100%25).
}
