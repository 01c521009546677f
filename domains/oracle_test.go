package domains

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
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

// randomRecord is an SPF record of a few terms over the names of randomZone.
func randomRecord(r *rand.Rand) string {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	host := func() string { return fmt.Sprintf("h%d.example.org", r.IntN(5)) }
	terms := []string{"v=spf1"}
	for range r.IntN(5) {
		q := pick("", "", "", "+", "-", "~", "?")
		switch r.IntN(8) {
		case 0:
			terms = append(terms, q+fmt.Sprintf("ip4:192.0.2.%d/%d", r.IntN(32), 26+r.IntN(7)))
		case 1:
			terms = append(terms, q+fmt.Sprintf("ip6:2001:db8::%x", r.IntN(16)))
		case 2:
			terms = append(terms, q+"a:"+host())
		case 3:
			terms = append(terms, q+"a:"+host()+pick("/28", "/24", "//126", "/30//124"))
		case 4:
			terms = append(terms, q+pick("mx", "a", "mx:example.org", "mx:"+host()))
		case 5, 6:
			terms = append(terms, q+fmt.Sprintf("include:r%d.example.org", r.IntN(5)))
		case 7:
			terms = append(terms, q+pick("exists:"+host(), "exists:none.example.org", "a:%{d}", "all", "include:bad.example.org"))
		}
	}
	switch r.IntN(4) {
	case 0:
		terms = append(terms, pick("-all", "~all", "?all", "+all"))
	case 1:
		terms = append(terms, fmt.Sprintf("redirect=r%d.example.org", r.IntN(5)))
	}
	return strings.Join(terms, " ")
}

// randomZone is a zone with SPF records that refer to each other.
func randomZone(r *rand.Rand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "@ TXT %q\n", randomRecord(r))
	for i := range 5 {
		fmt.Fprintf(&b, "r%d TXT %q\n", i, randomRecord(r))
		if r.IntN(4) > 0 {
			fmt.Fprintf(&b, "h%d A 192.0.2.%d\nh%d AAAA 2001:db8::%x\n", i, r.IntN(32), i, r.IntN(16))
		}
	}
	for i := range r.IntN(3) {
		fmt.Fprintf(&b, "@ MX 10 h%d\n", i)
	}
	b.WriteString("bad TXT \"v=spf1 nonsense\"\n")
	return b.String()
}

// TestOracle: an address that the walk found is one that an implementation of SPF lets pass, and
// where the walk found no fault, no other address is.
func TestOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	passed, whole := 0, 0
	for range 500 {
		text := randomZone(r)
		d := walkZone(t, &Walker{MaxQuestions: 10_000}, text)
		resolver := oracleResolver{newZone(t, text)}
		for i := range 48 {
			a := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
			if i >= 32 {
				a = netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 2: 0x0d, 3: 0xb8, 15: byte(i - 32)})
			}
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
	if passed < 300 || whole < 100 {
		t.Errorf("%d addresses pass, %d records without a fault: too few to tell", passed, whole)
	}
}
