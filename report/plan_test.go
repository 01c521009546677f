package report

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/report/fixplan"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// found returns a live finding.
func found(host, ip string, port uint16, rule string, severity result.Severity, fixes ...string) result.Finding {
	return result.Finding{ID: fmt.Sprintf("%s-%s-%d", rule, ip, port), Rule: rule, Title: "T", Severity: severity, Host: host, IP: netip.MustParseAddr(ip),
		Port: port, Protocol: "tcp", Status: result.StatusOpen, Drift: result.DriftNone, Fixes: fixes, Remediation: "do " + rule}
}

func TestPlan(t *testing.T) {
	const host = "mail.example.org"
	accepted := found(host, "192.0.2.1", 783, "MXS1206", result.SeverityMedium, "spamd-bind")
	accepted.Status = result.StatusAccepted
	gone := found(host, "192.0.2.1", 784, "MXS1206", result.SeverityMedium, "spamd-bind")
	gone.Drift, gone.Status = result.DriftFixed, result.StatusFixed
	p := fixplan.New([]result.Finding{
		// One bind closes all other findings of the port.
		found(host, "192.0.2.1", 10025, "MXS1402", result.SeverityMedium, "postfix-local-xforward"),
		found(host, "192.0.2.1", 10025, "MXS1002", result.SeverityHigh, "postfix-bind"),
		// One setting of amavisd binds all of its ports.
		found(host, "192.0.2.1", 10024, "MXS1001", result.SeverityHigh, "amavis-bind"),
		found(host, "192.0.2.1", 10026, "MXS1001", result.SeverityHigh, "amavis-bind"),
		found(host, "192.0.2.1", 9998, "MXS1207", result.SeverityHigh, "amavis-bind"),
		// Another port of Postfix is another edit, and so is another host.
		found(host, "192.0.2.1", 10028, "MXS1002", result.SeverityHigh, "postfix-bind"),
		found("", "192.0.2.9", 10028, "MXS1002", result.SeverityHigh, "postfix-bind"),
		// A public port stays open: its edit closes one finding.
		found("", "192.0.2.9", 25, "MXS1401", result.SeverityCritical, "postfix-no-xclient"),
		// Without a known fix, the text of the finding.
		found("", "192.0.2.10", 4711, "MXS1905", result.SeverityMedium),
		found("", "192.0.2.10", 4711, "MXS1903", result.SeverityInfo),
		accepted, gone,
	})
	var got []string
	for _, h := range p.Hosts {
		for _, e := range h.Edits {
			got = append(got, fmt.Sprintf("%s %s %d: %s", h.Host, e.Severity, len(e.Closes), strings.Join(e.Fixes, "+")))
		}
	}
	want := []string{
		"192.0.2.9 critical 1: postfix-no-xclient",
		"192.0.2.9 high 1: postfix-bind",
		host + " high 3: amavis-bind",
		host + " high 2: postfix-bind",
		host + " high 1: postfix-bind",
		"192.0.2.10 medium 1: ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || p.Headline() != "6 edits close 9 findings" {
		t.Errorf("%s:\n%s\nwant\n%s", p.Headline(), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for name, text := range map[string]string{"text": p.Text(80), "markdown": p.Markdown()} {
		for _, part := range []string{"10028 inet", "postfix reload", "mxsweep scan 192.0.2.9:25", "do MXS1905", "MXS1207 on 9998"} {
			if !strings.Contains(strings.Join(strings.Fields(text), " "), part) {
				t.Errorf("the %s lacks %q:\n%s", name, part, text)
			}
		}
	}
	for line := range strings.Lines(p.Text(60)) {
		if n := words.Width(strings.TrimRight(line, "\n")); n > 60 && strings.Contains(strings.TrimSpace(line), " ") && !strings.Contains(line, "https://") && !fix.IsCode(strings.TrimLeft(line, " ")) {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

// TestPlanOfFiles: findings of files that one edit closes are one edit of the plan, whichever rules
// and listeners they are about.
func TestPlanOfFiles(t *testing.T) {
	bind := result.Replacement{Fix: "dovecot23-bind", StartLine: 4, StartColumn: 5, EndLine: 4, EndColumn: 16, Old: "address = *", Text: "address = 127.0.0.1"}
	other := bind
	other.StartLine, other.EndLine = 9, 9
	of := func(file, name, rule string, port uint16, e *result.Replacement, fixes ...string) result.Finding {
		f := found(file, "0.0.0.0", port, rule, result.SeverityHigh, fixes...)
		f.ID += file + name
		f.Listener = &result.Configured{Name: name, Edit: e}
		f.Remediation = "do " + file
		return f
	}
	same := bind
	p := fixplan.New([]result.Finding{
		of("a/dovecot.conf", "service lmtp x", "MXS1101", 24, &bind, "dovecot23-bind"),
		of("a/dovecot.conf", "service lmtp x", "MXS1903", 24, &bind, "dovecot23-bind"),       // another rule
		of("a/dovecot.conf", "service lmtp y", "MXS1101", 25, &same, "dovecot23-bind"),       // another listener, the same edit
		of("a/dovecot.conf", "service lmtp z", "MXS1101", 26, &other, "dovecot23-bind"),      // another edit
		of("b/dovecot.conf", "service lmtp x", "MXS1101", 24, &bind, "dovecot23-bind"),       // another file
		of("b/dovecot.conf", "mynetworks", "MXS1501", 24, nil),                               // a setting without an edit
		of("b/dovecot.conf", "service lmtp x mynetworks", "MXS1501", 24, nil, "no-such-fix"), // the same advice
	})
	var got []string
	for _, h := range p.Hosts {
		for _, e := range h.Edits {
			got = append(got, fmt.Sprintf("%s %s closes %d", h.Host, e.File, len(e.Closes)))
		}
	}
	want := []string{"a/dovecot.conf a/dovecot.conf closes 3", "a/dovecot.conf a/dovecot.conf closes 1", "b/dovecot.conf b/dovecot.conf closes 2", "b/dovecot.conf b/dovecot.conf closes 1"}
	if !slices.Equal(got, want) || p.Edits != 4 || p.Findings != 7 {
		t.Errorf("%d edits of %d findings, got\n\t%s\nwant\n\t%s", p.Edits, p.Findings, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// TestPlanVerifiesEveryPort checks that an edit that closes findings on several
// ports is verified on all of them.
func TestPlanVerifiesEveryPort(t *testing.T) {
	p := fixplan.New([]result.Finding{
		found("", "192.0.2.1", 10024, "MXS1001", result.SeverityHigh, "amavis-bind"),
		found("", "192.0.2.1", 9998, "MXS1207", result.SeverityHigh, "amavis-bind"),
	})
	if p.Edits != 1 || !slices.Contains(p.Hosts[0].Edits[0].Lines, "Verify: mxsweep scan 192.0.2.1:9998 192.0.2.1:10024 --fail-on any:high") {
		t.Errorf("%+v", p)
	}
}

// TestPlanVerifiesFromTheVantage checks the vantage point of the verification: a
// scan from another one could pass with nothing fixed.
func TestPlanVerifiesFromTheVantage(t *testing.T) {
	tests := []struct {
		IP       string
		vantages []string
		want     []string
	}{
		{"192.0.2.1", []string{"internet"}, []string{"Verify: mxsweep scan 192.0.2.1:10024 --fail-on any:high"}},
		{"192.0.2.1", []string{""}, []string{"Verify: mxsweep scan 192.0.2.1:10024 --fail-on any:high"}},
		{"192.0.2.1", []string{"lan"}, []string{"Verify: mxsweep scan 192.0.2.1:10024 --fail-on any:high --vantage lan"}},
		{"127.0.0.1", []string{"host"}, []string{"Verify: mxsweep scan 127.0.0.1:10024 --fail-on any:high"}},
		{"127.0.0.1", []string{"internet"}, []string{"Verify: mxsweep scan 127.0.0.1:10024 --fail-on any:high --vantage internet"}},
		{"::1", []string{"internet"}, []string{"Verify: mxsweep scan [::1]:10024 --fail-on any:high --vantage internet"}},
		{"192.0.2.1", []string{"internet", "office-2"}, []string{
			"Verify: mxsweep scan 192.0.2.1:10024 --fail-on any:high", "Verify: mxsweep scan 192.0.2.1:10024 --fail-on any:high --vantage office-2"}},
		{"192.0.2.1", []string{"x; true"}, []string{"Verify: mxsweep scan 192.0.2.1:10024 --fail-on any:high"}},
	}
	for _, tt := range tests {
		var list []result.Finding
		for _, v := range tt.vantages {
			f := found("", tt.IP, 10024, "MXS1001", result.SeverityHigh, "amavis-bind")
			f.Vantage = v
			list = append(list, f)
		}
		p := fixplan.New(list)
		var got []string
		for _, line := range p.Hosts[0].Edits[0].Lines {
			if strings.HasPrefix(line, "Verify: ") {
				got = append(got, line)
			}
		}
		if p.Edits != 1 || !slices.Equal(got, tt.want) {
			t.Errorf("%s from %q:\n%q\nwant\n%q", tt.IP, tt.vantages, got, tt.want)
		}
	}
}

// TestPlanClosesEveryFinding checks that each live finding above severity info is
// closed by exactly one edit.
func TestPlanClosesEveryFinding(t *testing.T) {
	var list []result.Finding
	ids := []string{"postfix-bind", "amavis-bind", "dovecot23-bind dovecot24-bind", "postfix-tls-auth-only", "", "no-such-fix"}
	for host := range 3 {
		for port := range 7 {
			for i, id := range ids[:1+(host+port)%len(ids)] {
				list = append(list, found("", fmt.Sprintf("192.0.2.%d", host), uint16(10020+port),
					fmt.Sprintf("MXS10%02d", i), result.Severities()[(host+i)%4], strings.Fields(id)...))
			}
		}
	}
	p := fixplan.New(list)
	closed := map[string]int{}
	for _, h := range p.Hosts {
		for _, e := range h.Edits {
			for i, c := range e.Closes {
				if i == 0 && c.Severity != e.Severity {
					t.Errorf("%s: an edit of severity %s begins with %s %s", h.Host, e.Severity, c.Severity, c.Rule)
				}
				closed[c.ID]++
			}
		}
	}
	for _, f := range list {
		if closed[f.ID] != 1 {
			t.Errorf("%s is closed by %d edits", f.ID, closed[f.ID])
		}
	}
}
