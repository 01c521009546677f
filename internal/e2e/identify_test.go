//go:build linux

package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/run"
)

// none stands for "no finding at all".
const none = ""

// A want is what a sweep must say of one open port.
type want struct {
	port     int
	product  string   // part of the product's name, lower case; "" if nothing can tell
	protocol string   // exactly, if the product can be told
	roles    []string // one of them, if the product can be told
	severity []string // of the heaviest finding: one of them; none for no finding
}

// check compares a sweep of a host with what it must say. Every open port
// must be among wants.
func check(t *testing.T, doc *document, ip string, wants []want) {
	t.Helper()
	known := map[int]bool{}
	for _, w := range wants {
		known[w.port] = true
		p := doc.port(ip, w.port)
		if p == nil || p.State != "open" {
			t.Errorf("port %d was not found open", w.port)
			continue
		}
		s := p.Service
		if w.product == "" && s.Confidence > 3 {
			t.Errorf("port %d: %+v is more than the port number tells", w.port, s)
		}
		if !strings.Contains(strings.ToLower(s.Product), w.product) || w.product == "" && s.Product != "" {
			t.Errorf("port %d: product %q (confidence %d), want %q", w.port, s.Product, s.Confidence, w.product)
		}
		if w.product != "" && s.Name != w.protocol {
			t.Errorf("port %d: protocol %q, want %q", w.port, s.Name, w.protocol)
		}
		if w.product != "" && !slices.Contains(w.roles, s.Role) {
			t.Errorf("port %d: role %q, want one of %q", w.port, s.Role, w.roles)
		}
		found := doc.findings(ip, w.port)
		if got := heaviest(found); !slices.Contains(w.severity, got) {
			t.Errorf("port %d: heaviest finding %q, want one of %q: %+v", w.port, got, w.severity, found)
		}
		for _, f := range found {
			if f.Remediation == "" || len(f.Evidence) == 0 {
				t.Errorf("port %d: %s says no remedy or no evidence: %+v", w.port, f.Rule, f)
			}
		}
	}
	for _, p := range doc.Ports {
		if p.IP == ip && p.State == "open" && !known[p.Port] {
			t.Errorf("port %d is reported open, and nothing listens there", p.Port)
		}
	}
}

// heaviest returns the severity of the heaviest finding, none without one.
func heaviest(findings []findingRecord) string {
	order := []string{none, "info", "low", "medium", "high", "critical"}
	top := 0
	for _, f := range findings {
		top = max(top, slices.Index(order, f.Severity))
	}
	return order[top]
}

func one(words ...string) []string { return words }

func TestExposedStack(t *testing.T) {
	hosts(t)
	doc, code := sweep(t, mailPorts(address4(11)))
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	check(t, doc, address4(11), []want{
		{25, "postfix", "smtp", one("mta"), one(none)},
		{587, "postfix", "smtp", one("mta", "submission"), one(none)},
		{8891, "opendkim", "milter", one("milter"), one("high")},
		{9998, "amavis", "am.pdp", one("admin", "content-filter"), one("high")},
		{10023, "postgrey", "postfix-policy", one("policy"), one("medium", "high")},
		{10024, "amavis", "smtp", one("content-filter"), one("high")},
		{10025, "postfix", "smtp", one("reinjection"), one("low", "medium")},
		{10026, "", "", nil, one("low")}, // its own access list refuses us
		{10028, "postfix", "smtp", one("reinjection", "mta"), one("medium", "high")},
		{10029, "postfix", "smtp", one("proxy", "mta", "reinjection"), one("medium", "high")},
	})
}

// TestClosedStack sweeps the stack as it should be: what is meant for the
// public gives no finding, and nothing else is seen.
func TestClosedStack(t *testing.T) {
	hosts(t)
	for _, ip := range []string{address4(12), address6(12)} {
		doc, code := sweep(t, mailPorts(ip))
		if code != 0 {
			t.Errorf("%s: exit code %d, want 0", ip, code)
		}
		if len(doc.Findings) > 0 {
			t.Errorf("%s: findings on a host without a fault: %+v", ip, doc.Findings)
		}
		check(t, doc, ip, []want{
			{25, "postfix", "smtp", one("mta"), one(none)},
			{587, "postfix", "smtp", one("mta", "submission"), one(none)},
		})
	}
}

func TestStore(t *testing.T) {
	hosts(t)
	doc, code := sweep(t, mailPorts(address4(13)))
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	check(t, doc, address4(13), []want{
		{24, "dovecot", "lmtp", one("lmtp"), one("high")},
		{143, "haproxy", "imap", one("imap", "imap-backend", "imap-proxy"), one("high", "critical")}, // plain text logins, Dovecot behind
		{993, "dovecot", "imap", one("imap", "imap-backend"), one(none)},
		{10143, "dovecot", "imap", one("imap", "imap-backend"), one("high", "critical")},
		{10144, "", "", nil, one("low")}, // trusts nobody but its balancer
		{12345, "dovecot", "dovecot-auth", one("auth"), one("critical")},
	})
}

func TestFront(t *testing.T) {
	hosts(t)
	doc, code := sweep(t, mailPorts(address4(14)))
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	check(t, doc, address4(14), []want{
		{143, "nginx", "imap", one("imap-proxy"), one(none)},
		{993, "nginx", "imap", one("imap-proxy"), one(none)},
		{10025, "nginx", "smtp", one("proxy", "reinjection", "mta"), one("medium", "high")},
		{10110, "nginx", "pop3", one("pop3-proxy"), one("medium", "high", "critical")},
		{10143, "nginx", "imap", one("imap-proxy"), one("medium", "high", "critical")},
	})
}

func TestPolicyDaemons(t *testing.T) {
	hosts(t)
	doc, code := sweep(t, mailPorts(address4(15)))
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	policy := one("policy")
	check(t, doc, address4(15), []want{
		{2501, "", "", nil, one("low")}, // SQLgrey: silent to all that it does not write down
		{8552, "policyd-rate-limit", "postfix-policy", policy, one("medium", "high")},
		{10023, "postgrey", "postfix-policy", policy, one("medium", "high")},
		{10040, "postfwd", "postfix-policy", policy, one("high")},
		{12525, "policyd-weight", "postfix-policy", policy, one("medium", "high")},
	})
}

// TestSigner sweeps a DKIMproxy that repeats, byte for byte, what a Postfix
// on loopback says.
func TestSigner(t *testing.T) {
	hosts(t)
	doc, code := sweep(t, mailPorts(address4(18)))
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	check(t, doc, address4(18), []want{
		{25, "postfix", "smtp", one("mta"), one(none)},
		{587, "postfix", "smtp", one("mta", "submission"), one(none)},
		{10025, "dkimproxy", "smtp", one("signing-proxy"), one("critical")},
		{10027, "dkimproxy", "smtp", one("signing-proxy"), one("critical")},
		{10029, "", "", nil, one("low")}, // its own access list refuses us
		{10031, "cluebringer", "postfix-policy", one("policy"), one("high")},
	})
	if p := doc.port(address4(18), 10027); p != nil && !strings.Contains(p.Service.Behind.Product, "Postfix") {
		t.Errorf("behind DKIMproxy: %+v, want Postfix", p.Service.Behind)
	}
}

// TestSwappedPorts sweeps daemons that listen on each other's ports: names
// rest on behavior, not on numbers.
func TestSwappedPorts(t *testing.T) {
	hosts(t)
	doc, code := sweep(t, mailPorts(address4(17)))
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	check(t, doc, address4(17), []want{
		{8891, "postgrey", "postfix-policy", one("policy"), one("medium", "high")},
		{10023, "amavis", "smtp", one("content-filter"), one("high")},
		{10024, "opendkim", "milter", one("milter"), one("high")},
		{10025, "dovecot", "imap", one("imap", "imap-backend"), one("high", "critical")},
		{10031, "postfix", "smtp", one("mta", "reinjection"), one("low", "medium", "high")},
		{10143, "dovecot", "lmtp", one("lmtp"), one("high")},
	})
}

// TestBlindRunsAreIncomplete holds runs that could not see to "incomplete".
func TestBlindRunsAreIncomplete(t *testing.T) {
	hosts(t)
	for _, tt := range []struct{ name, ip string }{
		{"silent", address4(16)},
		{"silent-ipv6", address6(16)},
		{"unreachable", absent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, code := sweep(t, run.Options{Ports: []string{"25", "10024-10026"}, Targets: []string{tt.ip}})
			if code != 4 {
				t.Errorf("exit code %d, want 4", code)
			}
			if len(doc.Findings) > 0 {
				t.Errorf("findings: %+v", doc.Findings)
			}
			if len(doc.Notices) == 0 {
				t.Error("no notice says what was not seen")
			}
		})
	}
}

// TestWholeNetwork sweeps all hosts in one run: what a host is must not
// depend on its neighbours, and one fault fails the run. It is the command that
// sweeps here.
func TestWholeNetwork(t *testing.T) {
	hosts(t)
	doc, code := sweepByCommand(t, "-p", "internal,public", address4(11)+"-15")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, tt := range []struct {
		n, port int
		product string
	}{
		{11, 10024, "amavis"}, {12, 25, "postfix"}, {13, 10143, "dovecot"}, {14, 10110, "nginx"}, {15, 10023, "postgrey"},
	} {
		p := doc.port(address4(tt.n), tt.port)
		if p == nil || !strings.Contains(strings.ToLower(p.Service.Product), tt.product) {
			t.Errorf("%s:%d: %+v, want %q", address4(tt.n), tt.port, p, tt.product)
		}
	}
}
