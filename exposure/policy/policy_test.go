package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/jsonfault/faulttest"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

var testProfiles = map[string][]uint16{"internal": {783, 10024, 10025, 10143}}

func readPolicy(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/mxsweep.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func loadPolicy(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := Load("mxsweep.yaml", []byte(text), Context{Rules: exposuretest.Rules(t), Profiles: testProfiles})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLoadPolicy(t *testing.T) {
	p := loadPolicy(t, readPolicy(t))
	if len(p.Scope.Files) != 1 || p.Scope.Lines.Len() != 3 || p.Scope.Lines.anchor(2).Text != "!192.0.2.7" {
		t.Errorf("scope %+v", p.Scope)
	}
	if a := p.Scope.Lines.anchor(0); a != (result.Anchor{File: "mxsweep.yaml", Line: 7, EndColumn: 19, Text: "192.0.2.0/28"}) {
		t.Errorf("anchor %+v", a)
	}
	if p.Ports != "internal,!783" || len(p.Vantages) != 2 || p.Gate.FailOn != "new:high,any:critical" ||
		*p.Gate.MinCoverage != 0.9 || p.Gate.MinConfidence != 4 {
		t.Errorf("ports %q, vantages %v, gate %+v", p.Ports, p.Vantages, p.Gate)
	}
	if p.Canaries[0].Target() != "mx1.example.org:25" || len(p.Expect) != 1 || len(p.MustBeClosed) != 1 {
		t.Errorf("canaries %v, expect %v, must_be_closed %v", p.Canaries, p.Expect, p.MustBeClosed)
	}
	a := p.Accept[0]
	if a.ID != "AR-2026-014" || a.Owner != "mail-ops" || a.Anchor().Line != 32 || !a.Expires.Equal(time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("accept %+v", a)
	}
	if l := p.Limits; l.Rate != 500 || l.PerHost != 4 || *l.Retries != 1 || l.Timeout != 2*time.Second {
		t.Errorf("limits %+v", l)
	}
	if z := p.Authorization; z.String() != "CHG-4411, contact security@example.org, from 2026-11-20 06:00 UTC, until 2028-01-01 00:00 UTC" || !z.NotAfter.Equal(time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("authorization %+v", z)
	}
}

// policyErrors change the good policy; each error has line and column and a hint.
// If schema is set, the JSON schema rejects it too.
var policyErrors = []struct {
	name, old, new, want string
	schema               bool
}{
	{"unknown key", "canaries:", "canary:", `mxsweep.yaml:22:1: unknown key "canary" in the policy`, true},
	{"version", "version: 1", "version: 2", `mxsweep.yaml:2:10: version is "2", expected 1`, true},
	{"ports", `["internal", "!783"]`, `["internall"]`, `mxsweep.yaml:11:9: reading ports: "internall": no such port profile`, false},
	{"port 0", "port: 25,", "port: 0,", `mxsweep.yaml:23:37: port is "0", expected a whole number`, true},
	{"port 70000", "ports: 10143", "ports: 70000", `mxsweep.yaml:26:32: reading ports: "70000"`, true},
	{"prefix", "192.0.2.0/28", "192.0.2.0/99", `mxsweep.yaml:7:7: reading targets:`, false},
	{"whole world", "- 192.0.2.0/28", `- "*"`, `"*" is not allowed here`, false},
	{"more hosts than addresses", "- 192.0.2.0/28", "- {target: 192.0.2.0/28, hosts: 17}", `mxsweep.yaml:7:7: 17 hosts must be up among 16 addresses`, false},
	{"vantage class", "office: lan", "office: home", `mxsweep.yaml:15:11: unknown vantage point "home"`, true},
	{"vantage name", "office: lan", "host: lan", `vantage name "host" is already used`, true},
	{"fail_on", "new:high", "new:severe", `mxsweep.yaml:18:12: reading fail_on: "new:severe": unknown severity`, false},
	{"coverage", "0.9", "1.5", `"1.5", expected a number from 0 to 1`, true},
	{"confidence", "min_confidence: 4", "min_confidence: 11", `"11", expected a whole number from 0 to 10`, true},
	{"canary everywhere", "{target: mx1.example.org,", `{target: "*",`, `a canary must be a single host`, true},
	{"expect everything", "{target: 192.0.2.4, ports: 10143, protocol: imap, product: Dovecot}", `{target: "*", ports: "*"}`, `an expectation without hosts`, false},
	{"reason", "lab relay, gone by the end of January", "lab", `mxsweep.yaml:36:13: reason "lab" is too short`, true},
	{"no owner", "    owner: mail-ops\n", "", `an accepted risk lacks the key "owner"`, true},
	{"no rule", "rule: MXS1002", "rule: MXS1099", `mxsweep.yaml:33:11: no rule "MXS1099"`, false},
	{"date", "2027-01-31", "31.1.2027", `expires is "31.1.2027", expected a date`, true},
	{"accepted port", "    port: 10025", "    port: 99999", `mxsweep.yaml:35:11: reading ports: "99999"`, true},
	{"date that is none", "2027-01-31", "2027-02-31", `expected a date`, false},
	{"both wildcards, spelt out", "rule: MXS1002\n    target: 192.0.2.11", "rule: '*'\n    target: 0.0.0.0/0", `accepts everything`, false},
	{"both wildcards", "rule: MXS1002\n    target: 192.0.2.11", "rule: '*'\n    target: '*'", `accepts everything`, true},
	{"id twice", "accept:", "accept:\n  - {id: AR-2026-014, rule: '*', target: 192.0.2.1, port: '*', reason: because it is, owner: me, expires: 2027-01-01}", `id "AR-2026-014" is already used in line 32`, false},
	{"rate", "rate: 500", "rate: 0", `rate is "0"`, true},
	{"timeout", "timeout: 2s", "timeout: soon", `timeout is "soon"`, true},
	{"window", "not_after: 2027-12-31", "not_after: 2026-11-01", `ends before it begins`, false},
	{"list for text", "ticket: CHG-4411", "ticket: [x]", `ticket is a list, expected text`, true},
	{"text for list", "canaries:\n  - {target: mx1.example.org, port: 25, protocol: smtp}", "canaries: mx1", `canaries is text, expected a list`, true},
	{"note", "ticket: CHG-4411", "ticket: &t CHG\n  note: *t", `unknown key "note"`, true},
	{"alias as value", "product: Dovecot", "product: *d", `the alias *d refers to nothing`, true},
	{"alias", "contact: security@example.org\n  not_before: 2026-11-20T06:00:00Z", "contact: &c x\n  not_before: *c", `alias "c" is not allowed`, true},
	{"protocol of a canary", "port: 25, protocol: smtp", "port: 25, protocol: smpt", `mxsweep.yaml:23:51: unknown protocol "smpt"`, false},
	{"protocol of a service", "protocol: imap", "protocol: impa", `unknown protocol "impa"`, false},
	{"syntax", "gate:", "gate", `mxsweep.yaml:17:`, true},
}

func TestPolicyErrors(t *testing.T) {
	good := readPolicy(t)
	for _, tt := range policyErrors {
		if !strings.Contains(good, tt.old) {
			t.Fatalf("%s: nothing to change", tt.name)
		}
		_, err := Load("mxsweep.yaml", []byte(strings.Replace(good, tt.old, tt.new, 1)),
			Context{Rules: exposuretest.Rules(t), Profiles: testProfiles})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
			continue
		}
		var e *userfile.Error
		if !errors.As(err, &e) || e.Line == 0 || e.Column == 0 || e.ErrorHint() == "" || e.Excerpt() == "" {
			t.Errorf("%s: no place, excerpt or hint in %+v", tt.name, e)
		}
	}
}

// TestPolicySecondDocument checks that content that would be ignored is an error.
func TestPolicySecondDocument(t *testing.T) {
	_, err := Load("p.yaml", []byte("version: 1\n---\nscope: {exclude: [192.0.2.7]}\n"), Context{Profiles: testProfiles})
	if err == nil || !strings.Contains(err.Error(), "p.yaml:2:1: a second document in the file") {
		t.Errorf("error %v", err)
	}
}

func TestPolicyReportsAllErrors(t *testing.T) {
	text := strings.NewReplacer("version: 1", "version: 3", "port: 25", "port: x", "rate: 500", "rate: -1").Replace(readPolicy(t))
	_, err := Load("p.yaml", []byte(text), Context{Profiles: testProfiles})
	if n := strings.Count(err.Error(), "p.yaml:"); n != 3 {
		t.Errorf("got %d errors, want 3:\n%v", n, err)
	}
}

// TestPolicyTellsOnce checks that a consequence of an error is not reported as
// another one.
func TestPolicyTellsOnce(t *testing.T) {
	for name, text := range map[string]string{
		"port of an acceptance": "accept: [{id: a, rule: MXS1001, target: 10.0.0.1, port: 99999, reason: moved next week, owner: me, expires: 2027-01-31}]",
		"reason":                "accept: [{id: a, rule: MXS1001, target: 10.0.0.1, port: 25, reason: [x], owner: me, expires: 2027-01-31}]",
		"rule":                  "accept: [{id: a, rule: {}, target: 10.0.0.1, port: 25, reason: moved next week, owner: me, expires: 2027-01-31}]",
		"owner":                 "accept: [{id: a, rule: MXS1001, target: 10.0.0.1, port: 25, reason: moved next week, owner: , expires: 2027-01-31}]",
		"not a mapping":         "accept: [AR-1]",
		"ports":                 "expect: [{target: 10.0.0.1, ports: [[25]]}]",
		"target":                "must_be_closed: [{target: [10.0.0.1], ports: 25}]",
		"scope":                 "scope: {targets: [[10.0.0.1]]}",
		"files":                 "scope: {files: [[a.txt]]}",
		"vantage point":         "vantages: {office: [lan]}",
		"authorization":         "authorization: {ticket: [x]}",
		"fail_on":               "gate: {fail_on: [[any:high]]}",
		"canary":                "canaries: [mx1]",
	} {
		_, err := Load("p.yaml", []byte("version: 1\n"+text+"\n"), Context{Rules: exposuretest.Rules(t), Profiles: testProfiles})
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one error", name, err)
		}
	}
}

// TestPolicyPorts checks that every wrong port is reported at its position.
func TestPolicyPorts(t *testing.T) {
	for list, want := range map[string]string{
		"ports: [25, 70000, intrenal]":                        "p.yaml:2:13 p.yaml:2:20",
		"ports:\n  - 25\n  - 70000\n  - intrenal":             "p.yaml:4:5 p.yaml:5:5",
		"ports: '25,70000, intrenal,30-20'":                   "p.yaml:2:12 p.yaml:2:19 p.yaml:2:28",
		"ports: 700000,70000":                                 "p.yaml:2:8 p.yaml:2:15",
		"ports: [' 25, 70000', \"internal,,!0\"]":             "p.yaml:2:15 p.yaml:2:33 p.yaml:2:35",
		"ports: [70000, [25], 0]":                             "p.yaml:2:9 p.yaml:2:16 p.yaml:2:22",
		"ports: ['!25']":                                      "p.yaml:2:8",
		"expect: [{target: 10.0.0.1, ports: [25, 0, 70000]}]": "p.yaml:2:41 p.yaml:2:44",
		"must_be_closed: [{target: 10.0.0.1, ports: [x, 0]}]": "p.yaml:2:45 p.yaml:2:48",
	} {
		_, err := Load("p.yaml", []byte("version: 1\n"+list+"\n"), Context{Profiles: testProfiles})
		var got []string
		for _, one := range fault.Parts(err) {
			place, _, _ := strings.Cut(one.Error(), ": ")
			got = append(got, place)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: errors at %s, want %s\n%v", list, got, want, err)
		}
	}
}

// TestPolicyFailOn checks that every wrong part of fail_on is reported at its
// position.
func TestPolicyFailOn(t *testing.T) {
	for list, want := range map[string]string{
		"[new:hig, 'any:low,ay:high', rule:MXS9999]": "p.yaml:2:18 p.yaml:2:36 p.yaml:2:46",
		"'new:hig,any:low,ay:high'":                  "p.yaml:2:17 p.yaml:2:34",
	} {
		_, err := Load("p.yaml", []byte("version: 1\ngate: {fail_on: "+strings.TrimSpace(list)+"}\n"), Context{Rules: exposuretest.Rules(t)})
		var got []string
		for line := range strings.SplitSeq(err.Error(), "\n") {
			place, _, _ := strings.Cut(line, ": ")
			got = append(got, place)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q:\n%v", list, got, want, err)
		}
	}
}

func TestPolicySchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	good := readPolicy(t)
	if err := schema.Validate(yamlValue(t, good)); err != nil {
		t.Errorf("the good policy: %v", err)
	}
	for _, tt := range policyErrors {
		v := yamlValue(t, strings.Replace(good, tt.old, tt.new, 1))
		if err := schema.Validate(v); v != nil && (err != nil) != tt.schema {
			t.Errorf("%s: the schema says %v", tt.name, err)
		}
	}
}

// yamlValue reads YAML as an editor does for a JSON schema: dates are strings. It
// returns nil for invalid syntax.
func yamlValue(t *testing.T, text string) any {
	t.Helper()
	var n yaml.Node
	if yaml.Unmarshal([]byte(text), &n) != nil {
		return nil
	}
	var plain func(*yaml.Node)
	plain = func(n *yaml.Node) {
		if n.Tag == "!!timestamp" {
			n.Tag = "!!str"
		}
		for _, c := range n.Content {
			plain(c)
		}
	}
	plain(&n)
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestPolicyErrorMessages breaks every value of a policy: each error has its
// position and a hint, and no words from the program's source.
func TestPolicyErrorMessages(t *testing.T) {
	whole, err := json.Marshal(yamlValue(t, readPolicy(t)))
	if err != nil {
		t.Fatal(err)
	}
	known := Context{Rules: exposuretest.Rules(t), Profiles: testProfiles}
	for place, broken := range faulttest.Broken(t, whole) { // JSON is YAML
		_, err := Load("p.yaml", broken, known)
		joined, _ := err.(interface{ Unwrap() []error })
		if err != nil && joined == nil {
			t.Fatalf("%s: %T", place, err)
		}
		if err == nil {
			continue
		}
		for _, one := range joined.Unwrap() {
			var u *userfile.Error
			if !errors.As(one, &u) || u.File != "p.yaml" || u.Line != 1 || u.ErrorHint() == "" || faulttest.GoWords(one.Error()) != "" {
				t.Errorf("%s: %v (%T)", place, one, one)
			}
		}
	}
}

func TestApply(t *testing.T) {
	p := loadPolicy(t, readPolicy(t))
	before, after := time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC), time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	on := func(target string) func(*exposure.Violation) {
		return func(f *exposure.Violation) { f.Target = netip.MustParseAddrPort(target) }
	}
	imap := func(f *exposure.Violation) {
		on("192.0.2.4:10143")(f)
		f.Service, f.Product = "imap", "Dovecot 2.3"
	}
	for _, tt := range []struct {
		name   string
		rule   string
		change func(*exposure.Violation)
		now    time.Time
		want   result.Status
		line   int
	}{
		{"accepted to its last second", "MXS1002", on("192.0.2.11:10025"), before, result.StatusAccepted, 32},
		{"expired", "MXS1002", on("192.0.2.11:10025"), after, result.StatusOpen, 32},
		{"another port", "MXS1002", on("192.0.2.11:10026"), before, result.StatusOpen, 0},
		{"another rule", "MXS1003", on("192.0.2.11:10025"), before, result.StatusOpen, 0},
		{"another host", "MXS1002", on("192.0.2.12:10025"), before, result.StatusOpen, 0},
		{"expected", "MXS1101", imap, before, result.StatusExpected, 26},
		{"expected, but badly set up", "MXS1403", imap, before, result.StatusOpen, 0},
		{"something else there", "MXS1101", on("192.0.2.4:10143"), before, result.StatusOpen, 0},
	} {
		f := exposuretest.Finding(t, tt.rule, tt.change)
		p.Apply(&f, tt.now)
		line := 0
		if f.PolicyAnchor != nil {
			line = f.PolicyAnchor.Line
		}
		if f.Status != tt.want || line != tt.line || (f.Acceptance != nil) != (tt.want == result.StatusAccepted) {
			t.Errorf("%s: got %s, line %d, %v", tt.name, f.Status, line, f.Acceptance)
		}
	}
}

func TestForbiddenPort(t *testing.T) {
	p := loadPolicy(t, readPolicy(t))
	j := &exposure.Judge{Rules: exposuretest.Rules(t), Knowledge: exposuretest.Ports(), Policy: p}
	got := j.Findings(exposuretest.OpenPort(10030, exposuretest.Service("ssh", "not-mail", "OpenSSH")))
	if len(got) != 2 || got[0].Rule.ID != "MXS1801" || got[0].PolicyAnchor == nil || got[0].PolicyAnchor.Line != 29 {
		t.Errorf("got %+v", got)
	}
	if got := j.Findings(exposuretest.OpenPort(22, exposuretest.Service("ssh", "not-mail", "OpenSSH"))); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestPolicyNotices(t *testing.T) {
	p := loadPolicy(t, readPolicy(t))
	accepted := exposuretest.Finding(t, "MXS1002", func(f *exposure.Violation) { f.Target = netip.MustParseAddrPort("192.0.2.11:10025") })
	expected := exposuretest.Finding(t, "MXS1101", func(f *exposure.Violation) {
		f.Target, f.Service, f.Product = netip.MustParseAddrPort("192.0.2.4:10143"), "imap", "Dovecot"
	})
	for _, tt := range []struct {
		day      string
		findings []exposure.Violation
		want     string
	}{
		{"2026-11-20", []exposure.Violation{accepted, expected}, ""},
		{"2027-01-20", []exposure.Violation{accepted, expected}, exposure.NoticeAcceptanceSoon},
		{"2027-02-01", []exposure.Violation{accepted, expected}, exposure.NoticeAcceptanceExpired},
		{"2026-11-20", nil, exposure.NoticeAcceptanceUnused + " " + exposure.NoticeExpectedMissing},
	} {
		now, _ := time.Parse(time.DateOnly, tt.day)
		var codes []string
		for _, n := range p.Notices(tt.findings, nil, now) {
			codes = append(codes, n.Code)
			if n.Anchor == nil {
				t.Errorf("%s: no anchor in %+v", tt.day, n)
			}
		}
		if s := strings.Join(codes, " "); s != tt.want {
			t.Errorf("%s: got %q, want %q", tt.day, s, tt.want)
		}
	}
	if (*Policy)(nil).Notices(nil, nil, exposuretest.Time) != nil {
		t.Error("a nil policy has notices")
	}
}

func TestAuthorization(t *testing.T) {
	z := loadPolicy(t, readPolicy(t)).Authorization
	for moment, ok := range map[string]bool{
		"2026-11-20T05:59:59Z": false, "2026-11-20T06:00:00Z": true,
		"2027-12-31T23:59:59Z": true, "2028-01-01T00:00:00Z": false,
	} {
		now, _ := time.Parse(time.RFC3339, moment)
		err := z.Check(now)
		var refused *fault.Error
		var at *userfile.Error
		if (err == nil) != ok || err != nil && (!errors.As(err, &refused) || refused.Kind != fault.Refused || !errors.As(err, &at) || at.Hint == "" || at.Line == 0) {
			t.Errorf("%s: %v", moment, err)
		}
		if warning := z.Warning(now); (warning == "") != ok {
			t.Errorf("%s: the warning is %q", moment, warning)
		}
	}
	if (*Authorization)(nil).Check(exposuretest.Time) != nil || (*Authorization)(nil).Warning(exposuretest.Time) != "" {
		t.Error("no authorization bounds nothing")
	}
}

func FuzzLoadPolicy(f *testing.F) {
	f.Add([]byte(readPolicy(f)))
	f.Add([]byte("version: 1\naccept: [{id: x, rule: '*'}]"))
	f.Add([]byte("? [a]\n: &x {<<: *x}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Load("p.yaml", data, Context{Profiles: testProfiles})
		if (p == nil) == (err == nil) {
			t.Fatal("want either a policy or an error")
		}
		for i := range p.acceptances() {
			if a := p.Accept[i]; a.ID == "" || a.Owner == "" || len(a.Reason) < 10 || a.Expires.IsZero() || a.Rule == "*" && a.Hosts.Any() {
				t.Fatalf("accepted %+v", a)
			}
		}
	})
}

// acceptances returns the number of entries of accept in a policy, which may be
// nil.
func (p *Policy) acceptances() int {
	if p == nil {
		return 0
	}
	return len(p.Accept)
}
