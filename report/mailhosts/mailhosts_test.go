package mailhosts

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/domains"
)

// hostile is a report with bytes of a DNS server in every text.
func hostile() *Report {
	evil := "a\"b\\\x1b[31m\r\n\u202e"
	path := domains.Way{Kind: domains.KindMX, Text: evil, Owner: evil, Type: "MX"}
	return New("mxsweep", "test", evil, []*domains.Domain{{Name: evil, Mail: domains.MailMX,
		Hosts: []*domains.Host{
			{Name: evil, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, Paths: []domains.Way{path}, Ports: []int{25, 465}, Class: domains.Own},
			{Name: evil, Paths: []domains.Way{path}, Class: domains.ThirdParty},
			{Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.2")}, Paths: []domains.Way{path}, Class: domains.Provider}},
		Networks: []*domains.Network{{Prefix: netip.MustParsePrefix("192.0.2.0/24"), Paths: []domains.Way{path}, Class: domains.Provider}},
		SPF:      &domains.SPF{Text: evil, Open: []string{evil}}, MTASTS: &domains.MTASTS{Record: evil, State: evil},
		TLSRPT: evil, DMARC: evil, Faults: []domains.Fault{{ID: "x", Text: evil, Owner: evil}},
		Gaps: []domains.Gap{{Name: evil, Type: "MX", Cause: "SERVFAIL", Detail: evil, For: "SPF"}}}})
}

// TestHostileTexts: no format passes on a control character, and each stays what it is.
func TestHostileTexts(t *testing.T) {
	for _, format := range Formats() {
		var b bytes.Buffer
		if err := hostile().Write(&b, format, 80); err != nil {
			t.Fatal(err)
		}
		out := b.String()
		if i := strings.IndexAny(out, "\x1b\r\u202e"); i >= 0 {
			t.Errorf("%s: %q", format, out[max(0, i-20):i+1])
		}
		switch format {
		case "json":
			if !json.Valid(b.Bytes()) {
				t.Errorf("json: %s", out)
			}
		case "scope":
			for line := range strings.Lines(out) {
				if line != "\n" && line[0] != '#' && !strings.HasPrefix(line, "192.0.2.1 ") && !strings.HasPrefix(line, "2001:db8::1 ") {
					t.Errorf("scope: %q is a target", line)
				}
			}
		case "dot":
			if quotes := strings.Count(strings.NewReplacer(`\\`, "", `\"`, "").Replace(out), `"`); quotes%2 != 0 {
				t.Errorf("dot: %d quotes", quotes)
			}
		}
	}
}

// TestIncomplete: each format for people says what the DNS did not answer.
func TestIncomplete(t *testing.T) {
	for format, want := range map[string]string{"text": "incomplete: no answer for MX", "scope": "# incomplete: no answer for MX", "json": `"complete": false`, "dot": "incomplete"} {
		var b bytes.Buffer
		if err := hostile().Write(&b, format, 0); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: %v, %q is missing in %s", format, err, want, b.String())
		}
	}
	if err := hostile().Write(&bytes.Buffer{}, "yaml", 0); err == nil {
		t.Error("an unknown format is written")
	}
}
