package records

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/domains/zonetest"
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// look looks up the domains of a zone; 192.0.2.0/24 and 2001:db8::/32 are in the scope.
func look(t *testing.T, zone string, names ...string) *Domains {
	t.Helper()
	z, err := zonetest.New(zone)
	if err != nil {
		t.Fatal(err)
	}
	z.Secure = true
	allowed, err := (&scope.Parser{}).Targets(t.Context(), []string{"192.0.2.0/24", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := scope.New(scope.Bounds{Allowed: allowed})
	if err != nil {
		t.Fatal(err)
	}
	if names == nil {
		names = []string{"example.org"}
	}
	return lookUp(t, Lookup{Names: names, Scope: set, Asker: z})
}

// lookUp looks up domains.
func lookUp(t *testing.T, l Lookup) *Domains {
	t.Helper()
	d, err := Look(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A policyFetcher offers the policy of a domain.
type policyFetcher string

func (p policyFetcher) Fetch(context.Context, string, string, []netip.Addr) (*domains.Document, error) {
	if p == "" {
		return nil, errors.New("no policy")
	}
	return &domains.Document{Type: "text/plain", Body: []byte("version: STSv1\nmax_age: 86400\n" + string(p))}, nil
}

// mail is an SMTP server with a certificate for mx.example.org.
func mail(observations ...string) exposure.Subject {
	p := exposuretest.OpenPort(25, exposuretest.Service("smtp", result.RoleMTA, "Postfix smtpd", observations...))
	p.Service.TLS = &result.TLS{Subject: "CN=mx.example.org", Issuer: "CN=CA", Names: []string{"mx.example.org"}, CertSHA256: digest("leaf"),
		NotBefore: result.NewTime(exposuretest.Time.AddDate(0, -1, 0)), NotAfter: result.NewTime(exposuretest.Time.AddDate(0, 2, 0)),
		Chain: []result.CertificateDigests{{CertSHA256: digest("leaf"), KeySHA256: digest("leafkey"), KeySHA512: strings.Repeat("ab", 64)}, {CertSHA256: digest("ca"), KeySHA256: digest("cakey")}}}
	return p
}

func digest(of string) string {
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:])
}

// at is the port at another address.
func at(p exposure.Subject, target string) exposure.Subject {
	p.Target = netip.MustParseAddrPort(target)
	return p
}

// tlsa is the zone of an MX with a TLSA record, as OpenPort has its address.
func tlsa(usage, selector, matching int, data string) string {
	return fmt.Sprintf("@ MX 10 mx\nmx A 192.0.2.10\n_25._tcp.mx TLSA %d %d %d %s\n", usage, selector, matching, data)
}

const (
	oneMX    = "@ MX 10 mx\nmx A 192.0.2.10\n"
	withSTS  = oneMX + "_mta-sts TXT \"v=STSv1; id=1\"\nmta-sts A 192.0.2.80\n"
	enforced = "mode: enforce\nmx: mx.example.org\n"
)

// judgements are zones and sweeps, with the rules that they break and a part of the evidence.
var judgements = map[string]struct {
	zone, policy string
	open         []exposure.Subject
	closed       map[string]result.State
	mute         bool   // no address sent a packet of its own, unless a port of it is open
	want         string // rules, sorted
	saw          string
}{
	"all is well":                {zone: withSTS, policy: enforced, open: []exposure.Subject{mail()}},
	"MX without address":         {zone: "@ MX 10 mx\nmx TXT x\n", want: "MXS1601 0.0.0.0:25 MX of example.org, mx.example.org", saw: "has no address (NODATA)"},
	"MX without answer":          {zone: "@ MX 10 mx\n!mx.example.org SERVFAIL\n"},
	"MX closed":                  {zone: oneMX, closed: map[string]result.State{"192.0.2.10:25": result.StateClosed}, want: "MXS1602 192.0.2.10:25", saw: "mx 10 of example.org leads to mx.example.org, where port 25/tcp of 192.0.2.10 is closed"},
	"MX silent, as all are":      {zone: oneMX, closed: map[string]result.State{"192.0.2.10:25": result.StateFiltered}},
	"MX silent, another answers": {zone: oneMX + "@ MX 20 mx2\nmx2 A 192.0.2.11\n", open: []exposure.Subject{at(mail(), "192.0.2.11:25")}, closed: map[string]result.State{"192.0.2.10:25": result.StateFiltered}, want: "MXS1602 192.0.2.10:25"},
	"MX unknown":                 {zone: oneMX, closed: map[string]result.State{"192.0.2.10:25": result.StateUnknown}},
	"SRV closed":                 {zone: "@ TXT x\n_imaps._tcp SRV 0 1 993 imap\nimap A 192.0.2.10\n", closed: map[string]result.State{"192.0.2.10:993": result.StateFiltered}, want: "MXS1603 192.0.2.10:993", saw: "srv imaps of example.org, port 993"},
	"SRV outside the scope":      {zone: "@ TXT x\n_imaps._tcp SRV 0 1 993 imap\nimap A 198.51.100.1\n", closed: map[string]result.State{"198.51.100.1:993": result.StateClosed}},
	"policy leaves out":          {zone: withSTS, policy: "mode: enforce\nmx: *.mx.example.org\n", open: []exposure.Subject{mail()}, want: "MXS1604 0.0.0.0:25 TXT of _mta-sts.example.org, mx.example.org", saw: "does not cover the MX mx.example.org"},
	"testing leaves out":         {zone: withSTS, policy: "mode: testing\nmx: other.example.org\n", open: []exposure.Subject{mail()}, want: "MXS1605 0.0.0.0:25 TXT of _mta-sts.example.org, mx.example.org"},
	"certificate of another": {zone: "@ MX 10 mx2\nmx2 A 192.0.2.10\n_mta-sts TXT \"v=STSv1; id=1\"\nmta-sts A 192.0.2.80\n", policy: "mode: enforce\nmx: mx2.example.org\n",
		open: []exposure.Subject{mail()}, want: "MXS1606 192.0.2.10:25", saw: "not for mx2.example.org"},
	"no STARTTLS":               {zone: withSTS, policy: enforced, open: []exposure.Subject{mail("starttls-absent")}, want: "MXS1606 192.0.2.10:25", saw: "does not offer STARTTLS"},
	"no STARTTLS in testing":    {zone: withSTS, policy: "mode: testing\nmx: mx.example.org\n", open: []exposure.Subject{mail("starttls-absent")}},
	"TLSA of the key":           {zone: tlsa(3, 1, 1, digest("leafkey")), open: []exposure.Subject{mail()}},
	"TLSA of the key, SHA-512":  {zone: tlsa(3, 1, 2, strings.Repeat("ab", 64)), open: []exposure.Subject{mail()}},
	"TLSA of the key itself":    {zone: tlsa(3, 1, 0, hex.EncodeToString([]byte("leafkey"))), open: []exposure.Subject{mail()}},
	"TLSA of the authority":     {zone: tlsa(2, 0, 1, digest("ca")), open: []exposure.Subject{mail()}},
	"TLSA-EE of the authority":  {zone: tlsa(3, 0, 1, digest("ca")), open: []exposure.Subject{mail()}, want: "MXS1607 192.0.2.10:25", saw: "no certificate that the MX presents meets"},
	"TLSA of an old key":        {zone: tlsa(3, 1, 1, digest("old")), open: []exposure.Subject{mail()}, want: "MXS1607 192.0.2.10:25", saw: "its key " + digest("leafkey")},
	"TLSA of a bare authority":  {zone: tlsa(2, 1, 0, hex.EncodeToString([]byte("another"))), open: []exposure.Subject{mail()}},
	"TLSA without STARTTLS":     {zone: tlsa(3, 1, 1, digest("leafkey")), open: []exposure.Subject{mail("starttls-absent")}, want: "MXS1607 192.0.2.10:25"},
	"TLSA that nobody uses":     {zone: tlsa(1, 1, 1, digest("old")), open: []exposure.Subject{mail()}},
	"SPF with eleven lookups":   {zone: "@ TXT \"v=spf1" + strings.Repeat(" exists:x.example.org", 11) + " -all\"\nx A 127.0.0.2\n", want: "MXS1608 0.0.0.0:25 TXT of example.org", saw: "needs 11 DNS lookups"},
	"old relay":                 {zone: "@ MX 10 mx.filter.example.\nmx.filter.example. A 198.51.100.1\n@ TXT \"v=spf1 a:relay.example.org -all\"\nrelay A 192.0.2.10\n", open: []exposure.Subject{mail()}, want: "MXS1609 192.0.2.10:25", saw: "spf a:relay.example.org of example.org leads to the host"},
	"relay that is the MX, too": {zone: oneMX + "@ TXT \"v=spf1 a:relay.example.org -all\"\nrelay A 192.0.2.10\n", open: []exposure.Subject{mail()}},
	"relay, MX not known":       {zone: "!example.org SERVFAIL\n_imaps._tcp SRV 0 1 993 imap\nimap A 192.0.2.10\n", open: []exposure.Subject{mail()}},
	"implicit MX":               {zone: "@ A 192.0.2.10\n", open: []exposure.Subject{mail()}},
	"no IPv6": {zone: oneMX + "mx AAAA 2001:db8::1\n", open: []exposure.Subject{mail()}, closed: map[string]result.State{"[2001:db8::1]:25": result.StateFiltered},
		want: "MXS1610 [2001:db8::1]:25", saw: "the same port of mx.example.org is open over IPv4"},
	"no IPv4": {zone: oneMX + "mx AAAA 2001:db8::1\n", open: []exposure.Subject{at(mail(), "[2001:db8::1]:25")}, closed: map[string]result.State{"192.0.2.10:25": result.StateClosed},
		want: "MXS1610 192.0.2.10:25", saw: "is open over IPv6"},
	"no packet over IPv6":        {zone: oneMX + "mx AAAA 2001:db8::1\n", open: []exposure.Subject{mail()}, closed: map[string]result.State{"[2001:db8::1]:25": result.StateFiltered}, mute: true},
	"no packet of the only host": {zone: "@ TXT x\n_imaps._tcp SRV 0 1 993 imap\nimap A 192.0.2.10\n", closed: map[string]result.State{"192.0.2.10:993": result.StateFiltered}, mute: true},
	"no packet, another answers": {zone: "@ TXT x\n_imaps._tcp SRV 0 1 993 imap\nimap A 192.0.2.10\n", open: []exposure.Subject{at(mail(), "192.0.2.11:143")}, closed: map[string]result.State{"192.0.2.10:993": result.StateFiltered}, mute: true,
		want: "MXS1603 192.0.2.10:993"},
	"one address of a family": {zone: oneMX + "mx A 192.0.2.11\n", open: []exposure.Subject{mail()}, closed: map[string]result.State{"192.0.2.11:25": result.StateClosed}, want: "MXS1602 192.0.2.11:25"},
}

// TestJudge: which rules records and a sweep break together, where, and why.
func TestJudge(t *testing.T) {
	broken := map[string]bool{}
	for name, c := range judgements {
		d := look(t, c.zone)
		d.Fetch(t.Context(), policyFetcher(c.policy))
		for _, p := range c.open {
			d.Add(p.Result)
		}
		for pair, state := range c.closed {
			d.Add(scan.Result{Target: netip.MustParseAddrPort(pair), State: state})
		}
		found := d.Judge(&exposure.Judge{Rules: exposuretest.Rules(t), Knowledge: exposuretest.Ports()}, &Sweep{Open: c.open, Now: exposuretest.Time,
			Up: func(a netip.Addr) bool {
				return !c.mute || slices.ContainsFunc(c.open, func(p exposure.Subject) bool { return p.Target.Addr() == a })
			},
			Subject: func(r scan.Result) exposure.Subject { return exposure.Subject{Result: r} }})
		var got []string
		evidence := ""
		for i := range found {
			f := &found[i]
			text := f.Rule.ID + " " + f.Target.String()
			if f.Listener != nil {
				text += " " + f.Listener.Name
			}
			got = append(got, text)
			broken[f.Rule.ID] = true
			evidence += strings.Join(f.Evidence, "\n")
			if !strings.HasSuffix(f.Remediation, "\nVerify: mxsweep domain example.org") || f.Confidence == 0 {
				t.Errorf("%s: the fix is %q, the confidence %d", name, f.Remediation, f.Confidence)
			}
		}
		slices.Sort(got)
		if text := strings.Join(got, "; "); text != c.want || !strings.Contains(evidence, c.saw) {
			t.Errorf("%s: %q, evidence %q; want %q with %q", name, text, evidence, c.want, c.saw)
		}
	}
	for _, r := range exposuretest.Rules(t).All() {
		if r.Kind == exposure.KindDomain && !broken[r.ID] {
			t.Errorf("add a row to judgements that breaks %s", r.ID)
		}
	}
}

// TestZone: with a zone file, a finding of a port names the line of the record that leads there.
func TestZone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "example.org.zone")
	if err := os.WriteFile(file, []byte("@ MX 5 other.example.net.\n@ MX 10 mx\nmx A 192.0.2.10\n_imaps._tcp SRV 0 1 993 mx\n@ TXT x\n@ TXT \"v=spf1 a:relay.example.org -all\"\nrelay A 192.0.2.11\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty, err := zonetest.New("other.example.net. A 198.51.100.1\n")
	if err != nil {
		t.Fatal(err)
	}
	d := lookUp(t, Lookup{Names: []string{"example.org"}, Scope: look(t, "@ TXT x\n").scope, Asker: empty, Zones: []string{file}})
	if d.trusted {
		t.Error("the records of a file are authenticated")
	}
	for pair, state := range map[string]result.State{"192.0.2.10:25": result.StateClosed, "192.0.2.10:993": result.StateClosed} {
		d.Add(scan.Result{Target: netip.MustParseAddrPort(pair), State: state})
	}
	found := d.Judge(&exposure.Judge{Rules: exposuretest.Rules(t)}, &Sweep{Open: []exposure.Subject{at(mail(), "192.0.2.11:25")}, Now: exposuretest.Time,
		Subject: func(r scan.Result) exposure.Subject { return exposure.Subject{Result: r} }})
	got := map[string]int{}
	for i := range found {
		if f := &found[i]; f.Anchor != nil && f.OpenedBy != nil && f.OpenedBy.Kind == result.KindRecords && f.Anchor.File == file {
			got[f.Rule.ID] = f.Anchor.Line
		}
	}
	if want := map[string]int{exposure.RuleMXClosed: 2, exposure.RuleServiceClosed: 4, exposure.RuleMailHostIsNoMX: 6}; !maps.Equal(got, want) {
		t.Errorf("lines %v, want %v", got, want)
	}
}

// TestTargets: the hosts in the scope are targets, with the ports that the records declare; the others
// are those for which to ask, and what the DNS does not answer is told.
func TestTargets(t *testing.T) {
	d := look(t, oneMX+"@ MX 20 mx.filter.example.\nmx.filter.example. A 198.51.100.1\n@ TXT \"v=spf1 ip4:192.0.2.77 -all\"\n_imaps._tcp SRV 0 1 993 mx\n!autoconfig.example.org SERVFAIL\n_dmarc TXT \"v=DMARC1; p=none\"\n_dmarc TXT \"v=DMARC1; p=none\"\n")
	var got []string
	for _, target := range d.Targets() {
		got = append(got, fmt.Sprint(target.Ranges[0].From(), target.Name, target.Ports))
	}
	if want := []string{"192.0.2.10mx.example.org", "192.0.2.10mx.example.org25,993", "192.0.2.77", "192.0.2.7725"}; !slices.Equal(got, want) {
		t.Errorf("targets %q, want %q", got, want)
	}
	if by := d.NamedBy(netip.MustParseAddr("192.0.2.10")); !slices.Equal(by, []string{"mx 10 of example.org", "srv imaps of example.org, port 993"}) {
		t.Errorf("named by %q", by)
	}
	var notices []string
	for _, n := range slices.Concat(d.Gaps(), d.Notices()) {
		notices = append(notices, n.Code+" "+n.Message)
	}
	for _, want := range []string{"MXS9081 The DNS did not answer all questions about example.org: A autoconfig.example.org (SERVFAIL)",
		"MXS9082 mx.filter.example (198.51.100.1) is not in the scope and was not scanned; it is named by mx 20 of example.org.",
		"MXS9083 _dmarc.example.org has 2 DMARC records"} {
		if !slices.ContainsFunc(notices, func(n string) bool { return strings.HasPrefix(n, want) }) {
			t.Errorf("%q is missing in %q", want, notices)
		}
	}
	if d.Complete() || d.Nothing() != nil {
		t.Errorf("complete %t, nothing %v", d.Complete(), d.Nothing())
	}
	if n := look(t, "@ MX 10 mx.filter.example.\nmx.filter.example. A 198.51.100.1\n").Nothing(); n == nil {
		t.Error("no notice that no host is in the scope")
	}
}

// TestNil: a run without domains asks nothing of them.
func TestNil(t *testing.T) {
	var d *Domains
	d.Add(scan.Result{})
	d.Forget(netip.AddrPort{})
	d.Fetch(t.Context(), policyFetcher(""))
	d.Describe(func(string, string) { t.Error("a line of a dry run") })
	if d.Targets() != nil || d.Judge(nil, nil) != nil || !d.Complete() || d.Gaps() != nil || d.Notices() != nil || d.Nothing() != nil || d.NamedBy(netip.Addr{}) != nil || d.Policy(nil) != nil {
		t.Error("a nil Domains has something")
	}
}

// TestExpected: a port that records declare is expected; a fault of its protection, and a port that they
// do not declare, are not.
func TestExpected(t *testing.T) {
	d := look(t, "@ TXT x\n_imap._tcp SRV 0 1 10143 imap\nimap A 192.0.2.10\n")
	j := &exposure.Judge{Rules: exposuretest.Rules(t), Knowledge: exposuretest.Ports(), Policy: d.Policy(nothingExpected{})}
	imap := func(port uint16) exposure.Subject {
		return exposuretest.OpenPort(port, exposuretest.Service("imap", result.RoleIMAP, "Dovecot imapd", "auth-offered-cleartext"))
	}
	for port, want := range map[uint16]map[exposure.RuleKind]result.Status{
		10143: {exposure.KindListener: result.StatusExpected, exposure.KindTrust: result.StatusOpen},
		10144: {exposure.KindListener: result.StatusOpen, exposure.KindTrust: result.StatusOpen},
	} {
		found := j.Findings(imap(port))
		if len(found) < 2 {
			t.Fatalf("findings of port %d: %v", port, found)
		}
		for _, f := range found {
			if s, ok := want[f.Rule.Kind]; ok && f.Status != s {
				t.Errorf("port %d, %s: %s, want %s", port, f.Rule.ID, f.Status, s)
			}
		}
	}
}

// nothingExpected is a policy that expects nothing.
type nothingExpected struct{ exposure.Policy }

func (nothingExpected) Apply(f *exposure.Violation, _ time.Time) { f.Status = result.StatusOpen }

func (nothingExpected) Forbids(netip.Addr, []string, uint16) (*result.Anchor, bool) {
	return nil, false
}
