package domains

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/domains/query"
)

// summary is what a test compares: hosts with their addresses, ports and paths, networks, the state
// of mail, notices and gaps, one a line.
func summary(d *Domain) string {
	var b strings.Builder
	fmt.Fprintln(&b, "mail", d.Mail)
	for _, h := range d.Hosts {
		fmt.Fprintf(&b, "host %s %v %v %s\n", h.Name, h.Addresses, h.Ports, h.Class)
		for _, p := range h.Paths {
			fmt.Fprintf(&b, "  %s\n", p.Text)
		}
	}
	for _, n := range d.Networks {
		fmt.Fprintf(&b, "network %v %s\n", n.Prefix, n.Class)
		for _, p := range n.Paths {
			fmt.Fprintf(&b, "  %s\n", p.Text)
		}
	}
	if d.SPF != nil && (d.SPF.Fault != "" || d.SPF.Open != nil) {
		fmt.Fprintf(&b, "spf %s %q\n", d.SPF.Fault, d.SPF.Open)
	}
	for _, n := range d.Faults {
		fmt.Fprintf(&b, "notice %s: %s\n", n.ID, n.Text)
	}
	for _, g := range d.Gaps {
		fmt.Fprintf(&b, "gap %s %s %s: %s\n", g.Type, g.Name, g.Cause, g.For)
	}
	return b.String()
}

// TestWalk: what follows from the records of a domain.
func TestWalk(t *testing.T) {
	for name, c := range map[string]struct{ zone, want string }{
		"MX and SPF": {`
			@ MX 20 mx2
			@ MX 10 mx1
			mx1 A 192.0.2.1
			mx1 AAAA 2001:db8::1
			mx2 A 192.0.2.2
			@ TXT "v=spf1 mx a:relay.example.org include:_spf.example.net ip4:198.51.100.0/24 -all"
			relay A 192.0.2.9
			_spf.example.net. TXT "v=spf1 ip4:203.0.113.7 a:out.example.net ~all"
			out.example.net. A 203.0.113.8
		`, `
mail mx
host mx1.example.org [192.0.2.1 2001:db8::1] [25] own
  mx 10 of example.org
  spf mx of example.org
host mx2.example.org [192.0.2.2] [25] own
  mx 20 of example.org
  spf mx of example.org
host relay.example.org [192.0.2.9] [] own
  spf a:relay.example.org of example.org
host  [203.0.113.7] [] third party
  spf include:_spf.example.net → ip4:203.0.113.7 of example.org
host out.example.net [203.0.113.8] [] third party
  spf include:_spf.example.net → a:out.example.net of example.org
network 198.51.100.0/24 provider
  spf ip4:198.51.100.0/24 of example.org
`},
		"no MX":                      {"@ A 192.0.2.1\n", "mail implicit\nhost example.org [192.0.2.1] [25] own\n  address of example.org, which has no MX\n  address of example.org\n"},
		"null MX":                    {"@ MX 0 .\n", "mail null\n"},
		"null MX beside another":     {"@ MX 0 .\n@ MX 10 mx\nmx A 192.0.2.1\n", "mail mx\nhost mx.example.org [192.0.2.1] [25] own\n  mx 10 of example.org\nnotice null-mx-not-alone: example.org has a null MX beside other MX records\n"},
		"no such domain":             {"other TXT x\n", "mail none\nnotice no-such-domain: example.org does not exist (NXDOMAIN)\n"},
		"neither MX nor address":     {"@ TXT x\n", "mail none\n"},
		"MX is an alias":             {"@ MX 10 mx\nmx CNAME real.example.net.\nreal.example.net. A 192.0.2.1\n", "mail mx\nhost mx.example.org [192.0.2.1] [25] provider\n  mx 10 of example.org\nnotice mx-is-alias: MX mx.example.org of example.org is an alias (CNAME) of real.example.net\n"},
		"MX without address":         {"@ MX 10 mx\nmx TXT x\n", "mail mx\nhost mx.example.org [] [25] own\n  mx 10 of example.org\nnotice mx-without-address: MX mx.example.org of example.org has no address (NODATA)\n"},
		"MX at a filter service":     {"@ MX 10 in.filter.example.\nin.filter.example. A 192.0.2.1\n", "mail mx\nhost in.filter.example [192.0.2.1] [25] provider\n  mx 10 of example.org\n"},
		"SERVFAIL is not no MX":      {"!example.org SERVFAIL\n", "mail unknown\ngap MX example.org SERVFAIL: the hosts that accept mail\ngap TXT example.org SERVFAIL: SPF\ngap A example.org SERVFAIL: the addresses of example.org\ngap AAAA example.org SERVFAIL: the addresses of example.org\n"},
		"one family fails":           {"@ MX 10 mx\n!mx.example.org timeout\n", "mail mx\nhost mx.example.org [] [25] own\n  mx 10 of example.org\ngap A mx.example.org timeout: the addresses of mx.example.org\ngap AAAA mx.example.org timeout: the addresses of mx.example.org\n"},
		"services":                   {"@ TXT x\n_imaps._tcp SRV 0 1 993 imap\n_submission._tcp SRV 0 0 0 .\nimap A 192.0.2.3\n", "mail none\nhost imap.example.org [192.0.2.3] [993] own\n  srv imaps of example.org, port 993\n"},
		"autodiscover of its own":    {"@ TXT x\nautodiscover CNAME a\na A 192.0.2.4\n", "mail none\nhost autodiscover.example.org [192.0.2.4] [] own\n  autodiscover of example.org\n"},
		"MTA-STS of another version": {"@ TXT x\n_mta-sts TXT \"v=STSv1\"\n_smtp._tls TXT \"v = TLSRPTv1; rua=x\"\n", "mail none\n"},
		"SPF with an MX that fails":  {"@ TXT \"v=spf1 mx:other.example.org -all\"\nother MX 10 bad\n!bad.example.org SERVFAIL\n", "mail none\nhost bad.example.org [] [] own\n  spf mx:other.example.org of example.org\nspf temperror []\ngap A bad.example.org SERVFAIL: the addresses of bad.example.org\ngap AAAA bad.example.org SERVFAIL: the addresses of bad.example.org\n"},
		"automatic":                  {"@ TXT x\nautodiscover CNAME autodiscover.example.net.\nautodiscover.example.net. A 192.0.2.4\n", "mail none\nhost autodiscover.example.org [192.0.2.4] [] provider\n  autodiscover of example.org\n"},
		"MTA-STS":                    {"@ TXT x\n_mta-sts TXT \"v=STSv1; id=1\"\nmta-sts A 192.0.2.5\n", "mail none\nhost mta-sts.example.org [192.0.2.5] [443] own\n  policy of mta-sts of example.org\n"},
		"MTA-STS without its host":   {"@ TXT x\n_mta-sts TXT \"v=STSv1; id=1\"\n", "mail none\nhost mta-sts.example.org [] [443] own\n  policy of mta-sts of example.org\nnotice mta-sts-without-host: MTA-STS of example.org needs the host mta-sts.example.org, which has no address (NXDOMAIN)\n"},
		"SPF that leads back":        {"@ TXT \"v=spf1 include:a.example.org -all\"\na TXT \"v=spf1 include:example.org -all\"\n", "mail none\nspf permerror []\nnotice spf-loop: SPF of example.org leads back to example.org\n"},
		"two SPF records":            {"@ TXT \"v=spf1 -all\"\n@ TXT \"v=spf1 +all\"\n", "mail none\nspf permerror []\nnotice spf-several: example.org has 2 SPF records, receivers use none of them\n"},
		"SPF with macros":            {"@ TXT \"v=spf1 exists:%{i}._spf.%{d} a:%{d2} include:%{i}.example.net ptr -all\"\n", "mail none\nhost example.org [] [] own\n  spf a:%{d2} of example.org\nspf  [\"exists:%{i}._spf.%{d}\" \"include:%{i}.example.net\" \"ptr\"]\n"},
		"SPF with void lookups":      {"@ TXT \"v=spf1 a:a.example.org a:b.example.org a:c.example.org -all\"\n", "mail none\nhost a.example.org [] [] own\n  spf a:a.example.org of example.org\nhost b.example.org [] [] own\n  spf a:b.example.org of example.org\nhost c.example.org [] [] own\n  spf a:c.example.org of example.org\nspf permerror []\nnotice spf-void-lookups: SPF of example.org has 3 DNS lookups without an answer, receivers stop after 2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := summary(walkZone(t, &Walker{}, c.zone))
			if want := strings.TrimPrefix(c.want, "\n"); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// TestElevenLookups: a record that needs more questions than receivers ask is walked to its end,
// and said to be at fault.
func TestElevenLookups(t *testing.T) {
	var text strings.Builder
	text.WriteString(`@ TXT "v=spf1`)
	for i := range 11 {
		fmt.Fprintf(&text, " a:h%d.example.org", i)
	}
	text.WriteString(" -all\"\n")
	for i := range 11 {
		fmt.Fprintf(&text, "h%d A 192.0.2.%d\n", i, i+1)
	}
	d := walkZone(t, &Walker{}, text.String())
	if len(d.Hosts) != 11 || d.SPF.Lookups != 11 || d.SPF.Fault != "permerror" {
		t.Errorf("%d hosts, %d lookups, fault %q", len(d.Hosts), d.SPF.Lookups, d.SPF.Fault)
	}
	if !slices.ContainsFunc(d.Faults, func(n Fault) bool { return n.ID == "spf-too-many-lookups" }) {
		t.Errorf("notices %v", d.Faults)
	}
	last := d.Hosts[10].Addresses[0]
	if d.SPF.Passes(last) || !d.SPF.Passes(d.Hosts[0].Addresses[0]) {
		t.Error("the first ten hosts pass, the eleventh does not")
	}
}

// TestSixtyMX: where the questions of a domain do not suffice, the list is said to be incomplete.
func TestSixtyMX(t *testing.T) {
	var text strings.Builder
	for i := range 60 {
		fmt.Fprintf(&text, "@ MX %d m%d\nm%d A 192.0.2.%d\n", i, i, i, i+1)
	}
	d := walkZone(t, &Walker{}, text.String())
	if d.Complete() || d.Questions != MaxQuestions || len(d.Hosts) != 60 {
		t.Errorf("complete %t, %d questions, %d hosts", d.Complete(), d.Questions, len(d.Hosts))
	}
	d = walkZone(t, &Walker{MaxQuestions: 1000}, text.String())
	if !d.Complete() {
		t.Errorf("gaps %v", d.Gaps)
	}
}

// TestDANE: TLSA records are looked up only where a trusted server authenticates all of the way.
func TestDANE(t *testing.T) {
	const text = "@ MX 10 mx\nmx A 192.0.2.1\n_25._tcp.mx TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	if d := walkZone(t, &Walker{Trusted: true}, text); len(d.Hosts[0].TLSA) != 1 || !d.Hosts[0].TLSA[0].Usable {
		t.Errorf("TLSA records %v", d.Hosts[0].TLSA)
	}
	if d := walkZone(t, &Walker{}, text); d.Hosts[0].TLSA != nil {
		t.Errorf("TLSA records %v of a server that is not trusted", d.Hosts[0].TLSA)
	}
	d := walkZone(t, &Walker{Trusted: true}, strings.Replace(text, "3 1 1", "1 1 1", 1))
	if len(d.Faults) != 1 || d.Faults[0].ID != "tlsa-unusable" {
		t.Errorf("notices %v", d.Faults)
	}
}

// TestStopped: a walk that is stopped returns the cause.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := &Walker{Asker: newZone(t, "@ A 192.0.2.1\n")}
	if _, err := w.Walk(ctx, "example.org"); err == nil {
		t.Error("no error")
	}
}

// An endingAsker ends the context after some questions.
type endingAsker struct {
	query.Asker
	left   int
	cancel func()
}

func (e *endingAsker) Ask(ctx context.Context, name string, qtype uint16) (*query.Answer, error) {
	if e.left--; e.left == 0 {
		e.cancel()
	}
	return e.Asker.Ask(context.WithoutCancel(ctx), name, qtype)
}

// TestManyIncludes: records that all include each other are walked through a limited number of times,
// and a walk through them can be stopped.
func TestManyIncludes(t *testing.T) {
	var text strings.Builder
	for i := range 9 {
		fmt.Fprintf(&text, "r%d TXT \"v=spf1", i)
		for j := range 9 {
			if i != j {
				fmt.Fprintf(&text, " include:r%d.example.org", j)
			}
		}
		fmt.Fprintf(&text, " ip4:192.0.2.%d -all\"\n", i)
	}
	text.WriteString("@ TXT \"v=spf1 include:r0.example.org -all\"\n")
	d := walkZone(t, &Walker{}, text.String())
	if d.SPF.Lookups > 10*maxRecords || d.Complete() || d.SPF.Fault != "permerror" {
		t.Errorf("%d lookups, complete %t, fault %q", d.SPF.Lookups, d.Complete(), d.SPF.Fault)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w := &Walker{Asker: &endingAsker{newZone(t, text.String()), 5, cancel}}
	if _, err := w.Walk(ctx, "example.org"); err == nil {
		t.Error("no error of a walk that was stopped")
	}
}

// TestScopeDecides: with a scope, a host is one's own if all its addresses are in it, whatever its
// name is.
func TestScopeDecides(t *testing.T) {
	scope := netip.MustParsePrefix("192.0.2.0/24")
	w := &Walker{Classify: func(p netip.Prefix) bool { return scope.Bits() <= p.Bits() && scope.Contains(p.Addr()) }}
	d := walkZone(t, w, "@ MX 10 mx.example.net.\n@ MX 20 both\n@ MX 30 out\nmx.example.net. A 192.0.2.1\nboth A 192.0.2.2\nboth A 198.51.100.1\nout A 198.51.100.2\n")
	for i, want := range []Class{Own, Provider, Provider} {
		if got := d.Hosts[i].Class; got != want {
			t.Errorf("%s is %q, want %q", d.Hosts[i].Name, got, want)
		}
	}
}

// TestDMARCAbove: the record of a name above counts only where the domain is known to have none.
func TestDMARCAbove(t *testing.T) {
	const above = "_dmarc TXT \"v=DMARC1; p=none\"\n"
	for zone, want := range map[string]string{
		"sub A 192.0.2.1\n":                       "v=DMARC1; p=none",
		"_dmarc.sub TXT \"v=DMARC1; p=reject\"\n": "v=DMARC1; p=reject",
		"_dmarc.sub TXT \"v=DMARC1; p=reject\"\n_dmarc.sub TXT \"v=DMARC1; p=quarantine\"\n": "",
		"!_dmarc.sub.example.org SERVFAIL\n":                                                 "",
	} {
		w := &Walker{Asker: newZone(t, zone+above)}
		d, err := w.Walk(t.Context(), "sub.example.org")
		if err != nil || d.DMARC != want {
			t.Errorf("%q: %q, %v, want %q", zone, d.DMARC, err, want)
		}
	}
}

// TestToASCII: which names are domain names.
func TestToASCII(t *testing.T) {
	for name, want := range map[string]string{
		"Example.ORG.": "example.org", "bücher.example": "xn--bcher-kva.example", "_spf.example.org": "_spf.example.org",
		"\x1b[31mexample.org": "", "example.org\x7f": "", "a\x00b.example": "", "a\tb.example": "",
		"": "", ".": "", "a b.example": "", "a..b": "", "example.org/x": "", "192.0.2.1": "", "2001:db8::1": "", "192.0.2.1:25": "",
	} {
		got, err := ToASCII(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}
