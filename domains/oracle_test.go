package domains

import (
	"context"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"

	"blitiri.com.ar/go/spf"
	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/domains/query"
	"github.com/mxsweep/mxsweep/domains/zonetest"
)

// An oracleResolver answers the questions of package spf, an implementation of RFC 7208 that checks one
// address, from a zone.
type oracleResolver struct{ *zonetest.Zone }

// failure is the error for an answer without records.
func failure(a *query.Answer) error {
	if a.Outcome.Absent() {
		return &net.DNSError{IsNotFound: true, Err: a.Outcome.String()}
	}
	return &net.DNSError{IsTemporary: true, Err: a.Outcome.String()}
}

func (r oracleResolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	a, _ := r.Ask(ctx, name, dns.TypeTXT)
	if a.Outcome != query.Found {
		return nil, failure(a)
	}
	return texts(a.Records, func(string) bool { return true }), nil
}

func (r oracleResolver) LookupMX(ctx context.Context, name string) (all []*net.MX, err error) {
	a, _ := r.Ask(ctx, name, dns.TypeMX)
	for _, mx := range mxRecords(a.Records) {
		all = append(all, &net.MX{Host: mx.Mx, Pref: mx.Preference})
	}
	if len(all) == 0 {
		err = failure(a)
	}
	return all, err
}

func (r oracleResolver) LookupIPAddr(ctx context.Context, name string) (all []net.IPAddr, err error) {
	for _, t := range [...]uint16{dns.TypeA, dns.TypeAAAA} {
		a, _ := r.Ask(ctx, name, t)
		for _, rr := range a.Records {
			addr, _ := addressOf(rr)
			all = append(all, net.IPAddr{IP: addr.AsSlice()})
		}
		err = failure(a)
	}
	if len(all) > 0 {
		err = nil
	}
	return all, err
}

func (r oracleResolver) LookupAddr(context.Context, string) ([]string, error) {
	return nil, &net.DNSError{IsNotFound: true}
}

// TestOracle: an address that the walk found is one that an implementation of SPF lets pass, and
// where the walk found no fault, no other address is. MXSWEEP_ORACLE_RUNS is how many zones are tried.
func TestOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	zones, err := strconv.Atoi(os.Getenv("MXSWEEP_ORACLE_RUNS"))
	if err != nil {
		zones = 500
	}
	passed, whole := 0, 0
	for range zones {
		text := zonetest.RandomSPF(r, "example.org")
		d := walkZone(t, &Walker{MaxQuestions: 10_000}, text)
		resolver := oracleResolver{newZone(t, text)}
		for _, a := range zonetest.Senders() {
			result, err := spf.CheckHostWithSender(a.AsSlice(), "example.org", "x@example.org", spf.WithResolver(resolver), spf.WithContext(t.Context()))
			found := d.SPF.Passes(a)
			if found && result != spf.Pass || !found && result == spf.Pass && d.SPF.Fault == "" {
				t.Fatalf("%v: found %t (fault %q), the oracle says %s (%v)\n%s", a, found, d.SPF.Fault, result, err, text)
			}
			if found {
				passed++
			}
		}
		if d.SPF.Fault == "" {
			whole++
		}
	}
	t.Logf("%d zones, %d of them without a fault; %d addresses, %d of them pass", zones, whole, zones*len(zonetest.Senders()), passed)
	if passed < zones*3/5 || whole < zones/5 {
		t.Errorf("%d addresses pass, %d records without a fault: too few to tell", passed, whole)
	}
}
