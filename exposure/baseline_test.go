package exposure

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/jsonfault/faulttest"
	"github.com/mxsweep/mxsweep/result"
)

var testHeader = BaselineHeader{Created: testTime, Vantage: "internet", ScopeSHA256: strings.Repeat("5f", 32), Ports: "10024-10031"}

var testConditions = Conditions{ScopeSHA256: strings.Repeat("5f", 32), Ports: []uint16{10024, 10025, 10026, 10027, 10028, 10029, 10030, 10031}}

// judged gives what the judge finds on ports of one host.
func judged(t testing.TB, ports map[uint16]*fingerprint.Service) []Finding {
	t.Helper()
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	var list []Finding
	for port := uint16(1); port < 65535; port++ {
		if s, ok := ports[port]; ok {
			list = append(list, j.Findings(openPort(port, s))...)
		}
	}
	return list
}

func testBaseline(t testing.TB) *Baseline {
	t.Helper()
	return NewBaseline(testHeader, nil, judged(t, map[uint16]*fingerprint.Service{
		10024: svc("smtp", "content-filter", "amavisd-new"),
		10025: svc("smtp", "reinjection", "Postfix smtpd"),
		10027: svc("smtp", "signing-proxy", "DKIMproxy"),
		10031: svc("postfix-policy", "policy", "Cluebringer"),
	}))
}

func TestBaselineRoundTrip(t *testing.T) {
	first, err := testBaseline(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := ReadBaseline("b.jsonl", first)
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.Encode()
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("%v; got\n%swant\n%s", err, second, first)
	}
	if n := bytes.Count(first, []byte("\n")); n != 5 || len(b.SHA256) != 64 {
		t.Errorf("%d lines, hash %q", n, b.SHA256)
	}
	const line = `{"id":"46666913568f81a872c8d589d8b414aaf6625fce6bd27bd7358e1e52c185bd04","rule":"MXS1001","severity":"high",` +
		`"ip":"192.0.2.10","port":10024,"protocol":"tcp","vantage":"internet","service":"smtp","product":"amavisd-new","confidence":9,"method":"probed","first_seen":"2026-11-20T06:00:31Z"}`
	if got := strings.Split(string(first), "\n")[1]; got != line {
		t.Errorf("got  %s\nwant %s", got, line)
	}
}

// TestBaselineErrorWords breaks every value of a baseline: what is said of it names
// its place, has a hint, and no words that only the program's source knows.
func TestBaselineErrorWords(t *testing.T) {
	data, err := testBaseline(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	for n := range 2 {
		for place, broken := range faulttest.Broken(t, []byte(lines[n])) {
			other := slices.Clone(lines)
			other[n] = string(broken) + "\n"
			_, err := ReadBaseline("b.jsonl", []byte(strings.Join(other, "")))
			var u *UserError
			if err != nil && (!errors.As(err, &u) || u.File != "b.jsonl" || u.Line != n+1 || u.Hint() == "" || faulttest.GoWords(err.Error()) != "") {
				t.Errorf("%s: %v (%T)", place, err, err)
			}
		}
	}
}

func TestBaselineErrors(t *testing.T) {
	data, err := testBaseline(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	lines := strings.SplitAfter(good, "\n")
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "an empty baseline"},
		{"no header", lines[1], `b.jsonl:1:1: schema is ""`},
		{"other schema", strings.Replace(good, BaselineSchema, "mxsweep.report", 1), `schema is "mxsweep.report"`},
		{"newer", strings.Replace(good, `"1.1"`, `"2.0"`, 1), `this program reads 1.x`},
		{"no vantage", strings.Replace(good, `"vantage":"internet"`, `"vantage":""`, 1), "lacks vantage"},
		{"broken line", lines[0] + "{", "b.jsonl:2:1: reading the finding"},
		{"edited", strings.Replace(good, `"port":10024`, `"port":10023`, 1), "b.jsonl:2:1: the id does not belong"},
		{"twice", good + lines[1], "b.jsonl:6:1: duplicate of the finding in line 2"},
		{"long line", lines[0] + strings.Repeat("x", maxBaselineLine+1), "b.jsonl:2:1: a line longer than 16384 bytes"},
	} {
		_, err := ReadBaseline("b.jsonl", []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// drifted runs a comparison in which the given ports were seen, and gives the
// drift of each finding as "port/rule:drift".
func drifted(t testing.TB, c *Comparison, ports []Port) (string, []Finding) {
	t.Helper()
	counter := NewCoverageCounter(100, 2)
	j := &Judge{Rules: testRules(t), Knowledge: testPorts(), Vantage: c.now.Vantage}
	var now []Finding
	for _, p := range ports {
		counter.Add(p.Result)
		c.Add(p)
		now = append(now, j.Findings(p)...)
	}
	list, _ := c.Finish(now, counter, nil, testTime)
	var words []string
	for _, f := range list {
		words = append(words, decimal(f.Target.Port())+"/"+f.Rule.ID+":"+string(f.Drift))
	}
	slices.Sort(words)
	return strings.Join(words, " "), list
}

func statePort(port uint16, state result.State) Port {
	p := openPort(port, nil)
	p.State = state
	return p
}

func TestDrift(t *testing.T) {
	amavis, postfix := svc("smtp", "content-filter", "amavisd-new"), svc("smtp", "reinjection", "Postfix smtpd")
	dkim, policy := svc("smtp", "signing-proxy", "DKIMproxy"), svc("postfix-policy", "policy", "Cluebringer")
	newer := svc("smtp", "content-filter", "amavisd-new")
	newer.Version = "2.13.0"
	unsure := svc("smtp", "mta", "")
	unsure.Confidence = 4
	other := testConditions
	other.Vantage = Vantage{Name: "office", Class: ClassLAN}
	for _, tt := range []struct {
		name  string
		now   Conditions
		ports []Port
		want  string
	}{
		{"nothing changed", testConditions, []Port{openPort(10024, amavis), openPort(10025, postfix), openPort(10027, dkim), openPort(10031, policy)},
			"10024/MXS1001:unchanged 10025/MXS1002:unchanged 10027/MXS1004:unchanged 10031/MXS1202:unchanged"},
		{"closed, filtered, updated, new", testConditions, []Port{openPort(10024, newer), statePort(10025, result.StateClosed), statePort(10027, result.StateFiltered), openPort(10031, policy), openPort(10028, postfix)},
			"10024/MXS1001:updated 10025/MXS1002:fixed 10027/MXS1004:fixed 10028/MXS1002:new 10031/MXS1202:unchanged"},
		{"the host is silent", testConditions, []Port{statePort(10024, result.StateFiltered), statePort(10025, result.StateFiltered), statePort(10027, result.StateFiltered), statePort(10031, result.StateFiltered)},
			"10024/MXS1001:unverified 10025/MXS1002:unverified 10027/MXS1004:unverified 10031/MXS1202:unverified"},
		{"nothing was looked at", testConditions, nil,
			"10024/MXS1001:unverified 10025/MXS1002:unverified 10027/MXS1004:unverified 10031/MXS1202:unverified"},
		{"local failure, no identification, an unsure one, another daemon", testConditions, []Port{statePort(10024, result.StateUnknown), openPort(10025, nil), openPort(10027, unsure), openPort(10031, svc("ssh", "not-mail", "OpenSSH"))},
			"10024/MXS1001:unverified 10025/MXS1002:unverified 10025/MXS1902:unverified 10027/MXS1002:unverified 10027/MXS1004:unverified 10031/MXS1202:fixed 10031/MXS1903:new"},
		{"the daemon refuses us now", testConditions, []Port{openPort(10024, svc("smtp", "content-filter", "amavisd-new", "acl-refused")), openPort(10025, postfix), openPort(10027, dkim), openPort(10031, policy)},
			"10024/MXS1001:fixed 10024/MXS1901:new 10025/MXS1002:unchanged 10027/MXS1004:unchanged 10031/MXS1202:unchanged"},
		{"another vantage", other, []Port{statePort(10024, result.StateClosed)},
			"10024/MXS1001:unverified 10025/MXS1002:unverified 10027/MXS1004:unverified 10031/MXS1202:unverified"},
	} {
		got, _ := drifted(t, testBaseline(t).Compare(tt.now, testRules(t)), tt.ports)
		if got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestOptInFindingNeedsTheSameProbes(t *testing.T) {
	relay := svc("smtp", "reinjection", "Postfix smtpd", "relays")
	b := NewBaseline(testHeader, nil, judged(t, map[uint16]*fingerprint.Service{10025: relay}))
	open := []Port{openPort(10025, svc("smtp", "reinjection", "Postfix smtpd"))}
	if got, _ := drifted(t, b.Compare(testConditions, testRules(t)), open); got != "10025/MXS1002:new 10025/MXS1003:unverified" {
		t.Error("without intrusive probes: " + got)
	}
	intrusive := testConditions
	intrusive.Intrusive = true
	if got, _ := drifted(t, b.Compare(intrusive, testRules(t)), open); got != "10025/MXS1002:new 10025/MXS1003:fixed" {
		t.Error("with intrusive probes: " + got)
	}
}

// TestUnverifiedIsCarriedForward follows a finding over two runs in which the
// host was silent: it keeps its first and last day and never becomes a pass.
func TestUnverifiedIsCarriedForward(t *testing.T) {
	b := testBaseline(t)
	for day := 1; day <= 2; day++ {
		_, list := drifted(t, b.Compare(testConditions, testRules(t)), nil)
		v := Gate{}.Decide(RunFacts{Coverage: full}, list)
		if v.Code != ExitFail {
			t.Fatalf("day %d: code %d", day, v.Code)
		}
		none, _ := ParseFailOn("new:high", nil)
		if v := (Gate{FailOn: none}).Decide(RunFacts{Coverage: full}, list); v.Code != ExitIncomplete {
			t.Fatalf("day %d: code %d for new findings alone", day, v.Code)
		}
		header := testHeader
		header.Created = testTime.AddDate(0, 0, day)
		b = NewBaseline(header, nil, list)
		for _, e := range b.Entries {
			if !e.FirstSeen.Equal(testTime) || e.LastSeen == nil || !e.LastSeen.Equal(testTime) {
				t.Fatalf("day %d: %+v", day, e)
			}
		}
	}
}

func TestComparable(t *testing.T) {
	b := testBaseline(t)
	for _, tt := range []struct {
		name   string
		change func(*Conditions)
		want   string
	}{
		{"same", func(*Conditions) {}, ""},
		{"vantage", func(c *Conditions) { c.Vantage.Class = ClassLAN }, `the vantage was "internet" and is "lan"`},
		{"scope", func(c *Conditions) { c.ScopeSHA256 = strings.Repeat("0", 64) }, "the addresses in scope are others"},
		{"ports", func(c *Conditions) { c.Ports = []uint16{25} }, "ports 25 were not asked then and ports 10024-10031 are not asked now"},
		{"other ports, hashed", func(c *Conditions) {
			c.Ports, c.ScopeSHA256 = append([]uint16{25}, c.Ports...), strings.Repeat("0", 64)
		},
			"the addresses in scope may be others; ports 25 were not asked then"},
		{"more ports", func(c *Conditions) { c.Ports = append([]uint16{25}, c.Ports...) }, "ports 25 were not asked then"},
	} {
		now := testConditions
		tt.change(&now)
		c := b.Compare(now, testRules(t))
		ok, why := c.Comparable()
		if ok != (tt.want == "") || why != tt.want {
			t.Errorf("%s: got %v, %q", tt.name, ok, why)
		}
		if _, notices := c.Finish(nil, nil, nil, testTime); (len(notices) == 0) != ok {
			t.Errorf("%s: notices %v", tt.name, notices)
		}
	}
}

func TestPruneAndDiff(t *testing.T) {
	before, after := testBaseline(t), testBaseline(t)
	dropped := after.Prune(func(e *BaselineEntry) bool { return e.Port != 10027 })
	if len(dropped) != 1 || dropped[0].Rule != "MXS1004" || len(after.Entries) != 3 {
		t.Fatalf("dropped %v", dropped)
	}
	after.Entries[0].Product = "amavis 2.13"
	after.Entries[1].FirstSeen = time.Time{}
	changes := DiffBaselines(before, after)
	if len(changes) != 2 || changes[0].After.Product != "amavis 2.13" || changes[1].After != nil || changes[1].Before.Rule != "MXS1004" {
		t.Errorf("got %+v", changes)
	}
	if back := DiffBaselines(after, before); len(back) != 2 || back[1].Before != nil {
		t.Errorf("got %+v", back)
	}
}

func TestRetiredRule(t *testing.T) {
	e := BaselineEntry{Rule: "MXS8000", Severity: High, IP: netip.MustParseAddr("192.0.2.1"), Port: 1, Protocol: "tcp", Vantage: "internet"}
	e.ID = FindingID(e.Rule, e.IP.String(), e.Port, e.Vantage)
	_, list := drifted(t, BaselineOf(testHeader, []BaselineEntry{e}).Compare(testConditions, testRules(t)), nil)
	if len(list) != 1 || list[0].Rule.ID != "MXS8000" || list[0].Severity != High || list[0].Remediation == "" {
		t.Errorf("got %+v", list)
	}
}

// TestUnknownRuleIsNotFixed holds that a finding of a rule which this version does
// not have is not taken for fixed where the port is open: nothing could show it.
func TestUnknownRuleIsNotFixed(t *testing.T) {
	e := BaselineEntry{Rule: "MXS1099", Severity: High, IP: netip.MustParseAddr("192.0.2.10"), Port: 10024, Protocol: "tcp", Vantage: "internet"}
	e.ID = FindingID(e.Rule, e.IP.String(), e.Port, e.Vantage)
	for state, want := range map[result.State]Drift{result.StateOpen: DriftUnverified, result.StateClosed: DriftFixed} {
		port := openPort(10024, svc("smtp", "content-filter", "amavisd-new"))
		port.State = state
		c := BaselineOf(testHeader, []BaselineEntry{e}).Compare(testConditions, testRules(t))
		c.Add(port)
		list, _ := c.Finish(nil, nil, nil, testTime)
		if len(list) != 1 || list[0].Drift != want {
			t.Errorf("%s: %+v, want %s", state, list, want)
		}
	}
}

func FuzzReadBaseline(f *testing.F) {
	data, err := testBaseline(f).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema":"mxsweep.baseline","schema_version":"1.0","created":"2026-11-20T06:00:31Z","vantage":"x","ports":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ReadBaseline("b.jsonl", data)
		if err != nil {
			return
		}
		out, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadBaseline("b.jsonl", out)
		if err != nil || len(again.Entries) != len(b.Entries) {
			t.Fatalf("what was read does not survive writing: %v\n%s", err, out)
		}
	})
}
