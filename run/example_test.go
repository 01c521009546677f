package run_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/run"
)

// The simulated mail hosts of "mxsweep demo" represent hosts that you are
// authorized to scan.
func ExampleScan() {
	stack, err := mailtest.StartStack(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stack.Close()

	opts := run.Options{
		Vantage:  "internet", // as seen from the internet
		FailOn:   "any:critical",
		NoPolicy: true,
	}
	for _, service := range stack.Services {
		opts.Targets = append(opts.Targets, service.Addr().String())
	}
	outcome, err := run.Scan(context.Background(), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range outcome.Findings {
		if outcome.Gate.Fails(&f) {
			fmt.Println(f.Severity, f.Rule.ID, f.Product)
		}
	}
	fmt.Println(outcome.Decision.Gate, outcome.Decision.Failing)
	// Unordered output:
	// critical MXS1004 DKIMproxy
	// critical MXS1404 Dovecot
	// fail 2
}
