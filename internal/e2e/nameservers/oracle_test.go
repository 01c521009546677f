//go:build linux

package nameservers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"

	"blitiri.com.ar/go/spf"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/domains/query"
	"github.com/mxsweep/mxsweep/domains/zonetest"
)

// randomDomains is how many domains random.test has.
const randomDomains = 60

// randomDomain is the name of one of them.
func randomDomain(i int) string { return fmt.Sprintf("d%d.random.%s", i, parent) }

// randomRecords are domains with SPF records that refer to each other.
func randomRecords() string {
	r := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for i := range randomDomains {
		name := randomDomain(i)
		fmt.Fprintf(&b, "$ORIGIN %s.\n%s", name, zonetest.RandomSPF(r, name))
	}
	return b.String()
}

// TestOracle: over real DNS, an address that the walk found is one that an implementation of SPF lets
// pass, and where the walk found no fault, no other address is.
func TestOracle(t *testing.T) {
	t.Parallel()
	servers(t)
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, resolver+":53")
	}
	oracle := &net.Resolver{PreferGo: true, Dial: dial}
	w := &domains.Walker{Asker: query.NewCache(query.Named(netip.MustParseAddrPort(resolver+":53")), 8)}
	passed := 0
	for i := range randomDomains {
		name := randomDomain(i)
		d, err := w.Walk(t.Context(), name)
		if err != nil || !d.Complete() {
			t.Fatalf("%s: %v, %v", name, err, d.Gaps)
		}
		for _, a := range zonetest.Senders() {
			result, err := spf.CheckHostWithSender(a.AsSlice(), name, "x@"+name, spf.WithResolver(oracle), spf.WithContext(t.Context()))
			found := d.SPF.Passes(a)
			if found && result != spf.Pass || !found && result == spf.Pass && d.SPF.Fault == "" {
				t.Fatalf("%s, %v: found %t (fault %q), the oracle says %s (%v)", name, a, found, d.SPF.Fault, result, err)
			}
			if found {
				passed++
			}
		}
	}
	t.Logf("%d domains, %d addresses, %d of them pass", randomDomains, randomDomains*len(zonetest.Senders()), passed)
	if passed < randomDomains {
		t.Errorf("%d addresses pass: too few to tell", passed)
	}
}
