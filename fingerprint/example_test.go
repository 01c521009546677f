package fingerprint_test

import (
	"context"
	"fmt"
	"log"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// Finds out what answers on an open port; here a network in memory holds an
// amavisd that is played.
func ExampleIdentifier() {
	var network mailtest.Network
	server := network.Listen(&mailtest.Amavis{})
	defer server.Close()

	known, err := signatures.Default()
	if err != nil {
		log.Fatal(err)
	}
	identifier := &fingerprint.Identifier{Signatures: known, Dial: network.Dial}
	service, err := identifier.Identify(context.Background(), scan.Result{
		Target: server.Addr(),
		State:  result.StateOpen,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, %s, %s, confidence %d of 10\n", service.Product, service.Name, service.Role, service.Confidence)
	// Output: amavisd-new, smtp, content-filter, confidence 9 of 10
}
