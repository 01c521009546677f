package records

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/result"
)

// judged looks up a zone, fetches the policy if there is one, and compares both with an open port.
func judged(t *testing.T, zone, policy string, p exposure.Subject) (*Domains, []exposure.Violation) {
	t.Helper()
	d := look(t, zone)
	d.Fetch(t.Context(), policyFetcher(policy))
	d.Add(p.Result)
	return d, d.Judge(&exposure.Judge{Rules: exposuretest.Rules(t), Knowledge: exposuretest.Ports()}, &Sweep{Open: []exposure.Subject{p}, Now: exposuretest.Time})
}

// TestUnnamed: a certificate that a server may only present to clients which send no name makes no finding
// certain.
func TestUnnamed(t *testing.T) {
	expired := mail()
	expired.Service.TLS.NotAfter = result.NewTime(exposuretest.Time.AddDate(0, 0, -1))
	withSTS2 := strings.ReplaceAll(withSTS, "mx", "mx2")
	for name, c := range map[string]struct {
		zone, policy string
		open         exposure.Subject
		want         int
	}{
		"another key":               {tlsa(3, 1, 1, digest("old")), "", mail(), exposure.UnnamedConfidence},
		"another name":              {withSTS2, "mode: enforce\nmx: mx2.example.org\n", mail(), exposure.UnnamedConfidence},
		"another name, and expired": {withSTS2, "mode: enforce\nmx: mx2.example.org\n", expired, exposure.UnnamedConfidence},
		"expired":                   {withSTS, enforced, expired, 10},
	} {
		_, found := judged(t, c.zone, c.policy, c.open)
		if len(found) != 1 || found[0].Confidence != c.want {
			t.Errorf("%s: %d findings, want one with confidence %d: %+v", name, len(found), c.want, found)
		}
	}
}

// TestVerify: a finding of a baseline is only fixed if the run saw all on which it rests.
func TestVerify(t *testing.T) {
	silent, plain, untrusted := mail(), mail(), false
	silent.Service = nil
	plain.Service.TLS = nil
	good := tlsa(3, 1, 1, digest("leafkey"))
	for name, c := range map[string]struct {
		rule, zone, policy string
		open               exposure.Subject
		trusted            *bool // nil leaves it
		want               string
	}{
		"open again":                   {exposure.RuleMXClosed, oneMX, "", silent, nil, "fixed"},
		"an MX now":                    {exposure.RuleMailHostIsNoMX, oneMX, "", mail(), nil, "fixed"},
		"an MX now, not identified":    {exposure.RuleMailHostIsNoMX, oneMX, "", silent, nil, "the service of the port was not identified"},
		"TLSA of the key":              {exposure.RuleTLSAUnmet, good, "", mail(), nil, "fixed"},
		"TLSA, not identified":         {exposure.RuleTLSAUnmet, good, "", silent, nil, "the service of the port was not identified"},
		"TLSA, no handshake":           {exposure.RuleTLSAUnmet, good, "", plain, nil, "the run saw no certificate of the port"},
		"TLSA, a DNS server of others": {exposure.RuleTLSAUnmet, good, "", mail(), &untrusted, "the run compared no TLSA records"},
		"MTA-STS":                      {exposure.RuleMTASTSCertificate, withSTS, enforced, mail(), nil, "fixed"},
		"MTA-STS, no handshake":        {exposure.RuleMTASTSCertificate, withSTS, enforced, plain, nil, "the run saw no certificate of the port"},
		"MTA-STS, no policy":           {exposure.RuleMTASTSCertificate, withSTS, "", mail(), nil, notFetched},
	} {
		d, found := judged(t, c.zone, c.policy, c.open)
		if c.trusted != nil {
			d.trusted = *c.trusted
		}
		fixed, why := d.Verify(&drift.Entry{Rule: c.rule, IP: netip.MustParseAddr("192.0.2.10"), Port: smtpPort, Host: "mx.example.org"})
		if len(found) != 0 || fixed != (c.want == "fixed") || !fixed && why != c.want {
			t.Errorf("%s: fixed %t, %q, want %q; findings %v", name, fixed, why, c.want, found)
		}
	}
}

// TestManyFaults: faults beyond the limit of notices are counted.
func TestManyFaults(t *testing.T) {
	d := &Domains{}
	for i := range 60 {
		d.found = append(d.found, &domains.Domain{Name: fmt.Sprintf("d%d.example.org", i), Faults: []domains.Fault{{ID: "a", Text: "A"}, {ID: "b", Text: "B"}, {ID: domains.FaultSPFLookups}}})
	}
	list := d.Notices()
	if last := list[len(list)-1].Message; len(list) != maxNotices+1 || !strings.Contains(last, "20 further faults") {
		t.Errorf("%d notices, the last one %q", len(list), last)
	}
	if n := d.Nothing(); n == nil || !strings.Contains(n.Message, "d3.example.org and 56 more is in the scope") {
		t.Errorf("%+v", n)
	}
}
