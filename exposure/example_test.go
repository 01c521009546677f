package exposure_test

import (
	"fmt"
	"log"
	"net/netip"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// Judges one open port as seen from the internet, and asks the gate whether
// what it found fails the run.
func ExampleJudge() {
	rules, err := exposure.Builtin()
	if err != nil {
		log.Fatal(err)
	}
	judge := exposure.Judge{Rules: rules, Knowledge: exposure.NewPortSets([]uint16{10024}, nil)}
	found := judge.Findings(exposure.Port{
		Result: scan.Result{Target: netip.MustParseAddrPort("192.0.2.10:10024"), State: result.StateOpen},
		Service: &fingerprint.Service{
			Protocol: "smtp", Product: "amavisd", Role: "content-filter",
			Method: "probed", Confidence: 9,
		},
	})
	gate := exposure.Gate{} // fails on any:high
	for _, f := range found {
		fmt.Println(f.Target, f.Rule.ID, f.Severity, f.Title, gate.Fails(&f))
	}
	// Output: 192.0.2.10:10024 MXS1001 high Content-filter port exposed true
}

func ExampleParseFailOn() {
	rules, err := exposure.Builtin()
	if err != nil {
		log.Fatal(err)
	}
	_, err = exposure.ParseFailOn("any:hihg", rules)
	fmt.Println(err)
	// Output: parsing fail-on "any:hihg": unknown severity "hihg"
}
