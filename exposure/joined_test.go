package exposure

import (
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// opened returns an open port with the line that opens it.
func opened(port uint16, role result.Role) Subject {
	p := openPort(port, svc("smtp", string(role), "Postfix smtpd"))
	p.Anchor = &result.Anchor{File: "postfix/master.cf", Line: 4, Column: 1, EndColumn: 6, Text: "10025 inet n - y - - smtpd"}
	p.Fix = "postfix-bind"
	p.OpenedBy = &result.Configured{
		Name: "10025 inet", Kind: "Postfix master.cf", Causes: []result.Widening{{Why: "inet_interfaces is not set; its default is all"}},
		Edit: &result.Replacement{Fix: "postfix-bind", StartLine: 4, StartColumn: 1, EndLine: 4, EndColumn: 6, Old: "10025", Text: "127.0.0.1:10025"},
	}
	return p
}

// A port that only a filter protects has one finding, of severity info, if a rule would
// object to the open port; a public port has none.
func TestBehindFilter(t *testing.T) {
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	list := j.BehindFilter(opened(10025, result.RoleReinjection), "bound to all addresses, and not reachable")
	if len(list) != 1 || list[0].Rule.ID != RuleBehindFilter || list[0].Severity != result.SeverityInfo {
		t.Fatalf("findings are %+v", list)
	}
	f := list[0]
	if got := strings.Join(f.Evidence, "\n"); !strings.HasPrefix(got, "bound to all") || !strings.Contains(got, "postfix/master.cf:4 opens it") || strings.Contains(got, "accepts connections") {
		t.Errorf("evidence is %q", got)
	}
	if f.OpenedBy == nil || f.OpenedBy.Edit == nil || f.ID != FindingID(RuleBehindFilter, f.Target.Addr().String(), 10025, "internet") {
		t.Errorf("the finding is %+v", f)
	}
	if list := j.BehindFilter(opened(25, result.RoleMTA), "x"); list != nil {
		t.Errorf("findings of a public port: %+v", list)
	}
}

// The line that opens a port gives the finding its place, its evidence and its edit, and
// changes neither its id nor its title.
func TestOpenedBy(t *testing.T) {
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	with := opened(10025, result.RoleReinjection)
	without := with
	without.OpenedBy, without.Anchor, without.Fix = nil, nil, ""
	a, b := j.Findings(with), j.Findings(without)
	if len(a) == 0 || len(a) != len(b) {
		t.Fatalf("%d findings with the line, %d without", len(a), len(b))
	}
	for i := range a {
		if a[i].ID != b[i].ID || a[i].GroupID != b[i].GroupID || a[i].Title != b[i].Title || a[i].Severity != b[i].Severity {
			t.Errorf("%s: %+v, without the line %+v", a[i].Rule.ID, a[i], b[i])
		}
	}
	f := a[0]
	if !strings.HasPrefix(f.Remediation, "postfix/master.cf:4: change `10025` to `127.0.0.1:10025`\n") || !strings.Contains(f.Remediation, "Verify: mxsweep scan") {
		t.Errorf("the fix is %q", f.Remediation)
	}
	if got := strings.Join(f.Evidence, "\n"); !strings.Contains(got, "opens it: 10025 inet n - y - - smtpd; inet_interfaces is not set; its default is all") {
		t.Errorf("evidence is %q", got)
	}
}
