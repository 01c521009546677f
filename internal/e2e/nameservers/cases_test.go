//go:build linux

package nameservers

import (
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/domains/query"
)

// A broken is a domain, and what is wrong with it.
type broken struct {
	name, what string
	args       []string // further arguments
}

// fetch asks for the documents over HTTPS.
var fetch = []string{"--fetch"}

var cases = []broken{
	{"bind.test", "nothing; a filter service takes its mail (BIND)", nil},
	{"nsd.test", "one TLSA record that senders do not use (NSD)", nil},
	{"knot.test", "nothing (Knot DNS)", fetch},
	{"unsigned.test", "not signed: its TLSA record does not count", nil},
	{"mx-unsigned.broken.test", "its MX is in a zone that is not signed", nil},
	{"spf-loop.broken.test", "SPF: `include` leads back", nil},
	{"spf-self.broken.test", "SPF: `redirect` leads to itself", nil},
	{"spf-ten.broken.test", "nothing: SPF with ten lookups", nil},
	{"spf-eleven.broken.test", "SPF: eleven lookups", nil},
	{"spf-mx-eleven.broken.test", "SPF: `mx` with eleven hosts", nil},
	{"spf-void.broken.test", "SPF: three lookups without an answer", nil},
	{"spf-two.broken.test", "SPF: two records", nil},
	{"spf-syntax.broken.test", "SPF: an unknown mechanism", nil},
	{"spf-none.broken.test", "SPF: `include` of a domain without a record", nil},
	{"spf-macro.broken.test", "SPF: terms that depend on the message", nil},
	{"spf-split.broken.test", "nothing: SPF in two strings", nil},
	{"spf-servfail.broken.test", "SPF: `include` of a zone that cannot be loaded", nil},
	{"spf-altered.broken.test", "SPF: a host with a bogus signature", nil},
	{"large.broken.test", "nothing: an answer that needs TCP", nil},
	{"mx-chain.broken.test", "MX: seven aliases", nil},
	{"mx-long.broken.test", "MX: 29 aliases", nil},
	{"mx-circle.broken.test", "MX: an alias that leads back, beside a host", nil},
	{"mx-text.broken.test", "MX: a host without an address (NODATA)", nil},
	{"mx-missing.broken.test", "MX: a host that does not exist", nil},
	{"mx-null.broken.test", "nothing: a null MX", nil},
	{"mx-null-beside.broken.test", "MX: a null MX beside a host", nil},
	{"mx-implicit.broken.test", "nothing: no MX, but addresses", nil},
	{"nodata.broken.test", "neither MX nor address", nil},
	{"nothing.broken.test", "it does not exist", nil},
	{"alias.broken.test", "the domain is an alias of bind.test", nil},
	{"mx-sixty.broken.test", "MX: 60 hosts", nil},
	{"mx-altered.broken.test", "MX: a host with a bogus signature, beside another", nil},
	{"mx-expired.broken.test", "MX: a host with an expired signature", nil},
	{"mx-lame.broken.test", "MX: a host in a zone that its server does not serve", nil},
	{"mx-dead.broken.test", "MX: a host in a zone whose server is not there", nil},
	{"altered.test", "a record that was changed after it was signed", nil},
	{"expired.test", "signatures that have expired", nil},
	{"servfail.test", "a zone that cannot be loaded", nil},
	{"lame.test", "the server does not serve the zone", nil},
	{"dead.test", "the server is not there", nil},
	{"silent.test", "the server does not reply", nil},
	{"münchen.broken.test", "nothing: an internationalized name", nil},
	{"_under_score.broken.test", "nothing: names with underscores", nil},
	{"wild.broken.test", "nothing: a wildcard, which has all names", nil},
	{"srv.broken.test", "SRV: a host that does not exist, and one with a bogus signature", nil},
	{"sts-other.knot.test", "MTA-STS: the policy does not cover the MX", fetch},
	{"sts-redirect.knot.test", "MTA-STS: the policy is elsewhere", fetch},
	{"sts-name.knot.test", "MTA-STS: a certificate of another name", fetch},
	{"sts-html.knot.test", "MTA-STS: a policy in HTML", fetch},
}

// table is where the table of the cases is.
const table = "../../../docs/domain-zones.md"

// head is the beginning of the table.
const head = `# Broken zones, and what is listed

What ` + "`mxsweep domain`" + ` says of domains that BIND, Knot DNS and NSD serve and Unbound resolves and
validates. Exit code 4 means that the DNS did not say all, so that there may be further hosts. Made
by a test with these servers:

    MXSWEEP_E2E=1 go test -run '^TestZones$' ./internal/e2e/nameservers -update

| domain | what is wrong | mail | hosts and networks | reported | not answered | exit code |
| --- | --- | --- | --- | --- | --- | --- |
`

// TestZones: what is listed for each case is what the table says, also if the resolver does not tell
// why it rejects a signature.
func TestZones(t *testing.T) {
	t.Parallel()
	r := servers(t)
	for _, address := range []string{resolver, plainResolver} {
		got := head
		for i, s := range r.lookAll(t, address) {
			got += row(cases[i], s)
		}
		if *update && address == resolver {
			if err := os.WriteFile(table, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		compare(t, address, got)
	}
}

// compare compares the lines of the table with what it says.
func compare(t *testing.T, address, got string) {
	t.Helper()
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line != "\n" {
			want[line] = true
		}
	}
	for line := range strings.Lines(got) {
		if line != "\n" && !want[line] {
			t.Errorf("by %s, not in %s (-update writes it): %s", address, table, line)
		}
		delete(want, line)
	}
	for line := range want {
		t.Errorf("by %s, missing: %s", address, line)
	}
}

// TestSilentResolver: a resolver that does not reply leaves each question without an answer, and does
// not hold up the command for each of them.
func TestSilentResolver(t *testing.T) {
	t.Parallel()
	r := servers(t)
	s, err := r.look(silentAddress, "bind.test")
	if err != nil {
		t.Fatal(err)
	}
	if d := s.domain; s.exit != 4 || d.Mail != domains.MailUnknown || len(d.Hosts) != 0 || !strings.Contains(s.stderr, "incomplete") {
		t.Errorf("exit code %d, mail %q, %d hosts: %s", s.exit, d.Mail, len(d.Hosts), s.stderr)
	}
	for _, g := range s.domain.Gaps {
		if g.Cause != query.Timeout.String() {
			t.Errorf("%s %s: %s", g.Type, g.Name, g.Cause)
		}
	}
}

// TestTruncated: the answer for large.broken.test fits into no datagram, so that its host in SPF is
// only found over TCP.
func TestTruncated(t *testing.T) {
	servers(t)
	q := new(dns.Msg).SetQuestion("large.broken.test.", dns.TypeTXT)
	q.SetEdns0(1232, false)
	m, err := dns.Exchange(q, resolver+":53")
	if err != nil || !m.Truncated {
		t.Errorf("%v, %v", m, err)
	}
}
