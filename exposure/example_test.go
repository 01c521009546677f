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

// Judges one open port as seen from the internet.
func ExampleJudge() {
	rules, err := exposure.Builtin()
	if err != nil {
		log.Fatal(err)
	}
	judge := exposure.Judge{Rules: rules, Knowledge: exposure.NewPortSets([]uint16{10024}, nil)}
	found := judge.Findings(exposure.Subject{
		Result: scan.Result{Target: netip.MustParseAddrPort("192.0.2.10:10024"), State: result.StateOpen},
		Service: &fingerprint.Identification{
			Service: result.Service{
				Name:       "smtp",
				Product:    "amavisd",
				Role:       "content-filter",
				Method:     "probed",
				Confidence: 9,
			},
		},
	})
	for _, f := range found {
		fmt.Println(f.Target, f.Rule.ID, f.Severity, f.Title)
	}
	// Output: 192.0.2.10:10024 MXS1001 high Content-filter port exposed
}
