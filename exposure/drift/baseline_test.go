package drift

import (
	"bytes"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/jsonfault/faulttest"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

var testHeader = Header{Created: exposuretest.Time, Vantage: "internet", ScopeSHA256: strings.Repeat("5f", 32), Ports: "10024-10031"}

var testConditions = Conditions{ScopeSHA256: strings.Repeat("5f", 32), Ports: []uint16{10024, 10025, 10026, 10027, 10028, 10029, 10030, 10031}}

// judged returns the findings on ports of one host.
func judged(t testing.TB, ports map[uint16]*fingerprint.Identification) []exposure.Violation {
	t.Helper()
	j := &exposure.Judge{Rules: exposuretest.Rules(t), Knowledge: exposuretest.Ports()}
	var list []exposure.Violation
	for _, port := range slices.Sorted(maps.Keys(ports)) {
		list = append(list, j.Findings(exposuretest.OpenPort(port, ports[port]))...)
	}
	return list
}

func testBaseline(t testing.TB) *Baseline {
	t.Helper()
	return NewBaseline(testHeader, nil, judged(t, map[uint16]*fingerprint.Identification{
		10024: exposuretest.Service("smtp", "content-filter", "amavisd-new"),
		10025: exposuretest.Service("smtp", "reinjection", "Postfix smtpd"),
		10027: exposuretest.Service("smtp", "signing-proxy", "DKIMproxy"),
		10031: exposuretest.Service("postfix-policy", "policy", "Cluebringer"),
	}))
}

func TestBaselineRoundTrip(t *testing.T) {
	first, err := testBaseline(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := Read("b.jsonl", first)
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

// TestBaselineErrorMessages breaks every value of a baseline: each error has its
// position and a hint, and no words from the program's source.
func TestBaselineErrorMessages(t *testing.T) {
	data, err := testBaseline(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	for n := range 2 {
		for place, broken := range faulttest.Broken(t, []byte(lines[n])) {
			other := slices.Clone(lines)
			other[n] = string(broken) + "\n"
			_, err := Read("b.jsonl", []byte(strings.Join(other, "")))
			var u *userfile.Error
			if err != nil && (!errors.As(err, &u) || u.File != "b.jsonl" || u.Line != n+1 || u.ErrorHint() == "" || faulttest.GoWords(err.Error()) != "") {
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
		{"two lines", strings.Replace(strings.Replace(good, `"port":10024`, `"port":0`, 1), `"port":10025`, `"port":"x"`, 1), "b.jsonl:2:134: port is missing or not valid\nb.jsonl:3:134: reading the finding: member \"port\" cannot be a string"},
		{"empty", "", "an empty baseline"},
		{"no header", lines[1], `b.jsonl:1:1: not a baseline: schema is ""`},
		{"other schema", strings.Replace(good, Schema, "mxsweep.report", 1), `b.jsonl:1:11: the file is a saved run, not a baseline`},
		{"foreign schema", strings.Replace(good, Schema, "other", 1), `not a baseline: schema is "other"`},
		{"newer", strings.Replace(good, `"1.1"`, `"2.0"`, 1), `this program reads 1.x`},
		{"no vantage", strings.Replace(good, `"vantage":"internet"`, `"vantage":""`, 1), "lacks vantage"},
		{"broken line", lines[0] + "{", "b.jsonl:2:1: reading the finding"},
		{"edited", strings.Replace(good, `"port":10024`, `"port":10023`, 1), "b.jsonl:2:7: the id does not belong"},
		{"twice", good + lines[1], "b.jsonl:6:7: duplicate of the finding in line 2"},
		{"long line", lines[0] + strings.Repeat("x", maxBaselineLine+1), "b.jsonl:2:1: a line longer than 16384 bytes"},
	} {
		_, err := Read("b.jsonl", []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// drifted runs a comparison with these ports, and returns the drift of each
// finding as "port/rule:drift".
func drifted(t testing.TB, c *Comparison, ports []exposure.Subject) (string, []exposure.Violation) {
	t.Helper()
	counter := hostsUp{}
	j := &exposure.Judge{Rules: exposuretest.Rules(t), Knowledge: exposuretest.Ports(), Vantage: c.now.Vantage}
	var now []exposure.Violation
	for _, p := range ports {
		counter.Add(p.Result)
		c.Add(p)
		now = append(now, j.Findings(p)...)
	}
	list, _ := c.Finish(now, counter.Up, nil, exposuretest.Time)
	var words []string
	for _, f := range list {
		words = append(words, strconv.Itoa(int(f.Target.Port()))+"/"+f.Rule.ID+":"+string(f.Drift))
	}
	slices.Sort(words)
	return strings.Join(words, " "), list
}

func statePort(port uint16, state result.State) exposure.Subject {
	p := exposuretest.OpenPort(port, nil)
	p.State = state
	return p
}

func TestDrift(t *testing.T) {
	amavis, postfix := exposuretest.Service("smtp", "content-filter", "amavisd-new"), exposuretest.Service("smtp", "reinjection", "Postfix smtpd")
	dkim, policy := exposuretest.Service("smtp", "signing-proxy", "DKIMproxy"), exposuretest.Service("postfix-policy", "policy", "Cluebringer")
	newer := exposuretest.Service("smtp", "content-filter", "amavisd-new")
	newer.Version = "2.13.0"
	unsure := exposuretest.Service("smtp", "mta", "")
	unsure.Confidence = 4
	other := testConditions
	other.Vantage = exposure.Vantage{Name: "office", Class: exposure.ClassLAN}
	for _, tt := range []struct {
		name  string
		now   Conditions
		ports []exposure.Subject
		want  string
	}{
		{"nothing changed", testConditions, []exposure.Subject{exposuretest.OpenPort(10024, amavis), exposuretest.OpenPort(10025, postfix), exposuretest.OpenPort(10027, dkim), exposuretest.OpenPort(10031, policy)},
			"10024/MXS1001:unchanged 10025/MXS1002:unchanged 10027/MXS1004:unchanged 10031/MXS1202:unchanged"},
		{"closed, filtered, updated, new", testConditions, []exposure.Subject{exposuretest.OpenPort(10024, newer), statePort(10025, result.StateClosed), statePort(10027, result.StateFiltered), exposuretest.OpenPort(10031, policy), exposuretest.OpenPort(10028, postfix)},
			"10024/MXS1001:updated 10025/MXS1002:fixed 10027/MXS1004:fixed 10028/MXS1002:new 10031/MXS1202:unchanged"},
		{"the host is silent", testConditions, []exposure.Subject{statePort(10024, result.StateFiltered), statePort(10025, result.StateFiltered), statePort(10027, result.StateFiltered), statePort(10031, result.StateFiltered)},
			"10024/MXS1001:unverified 10025/MXS1002:unverified 10027/MXS1004:unverified 10031/MXS1202:unverified"},
		{"nothing was looked at", testConditions, nil,
			"10024/MXS1001:unverified 10025/MXS1002:unverified 10027/MXS1004:unverified 10031/MXS1202:unverified"},
		{"local failure, no identification, an unsure one, another daemon", testConditions, []exposure.Subject{statePort(10024, result.StateUnknown), exposuretest.OpenPort(10025, nil), exposuretest.OpenPort(10027, unsure), exposuretest.OpenPort(10031, exposuretest.Service("ssh", "not-mail", "OpenSSH"))},
			"10024/MXS1001:unverified 10025/MXS1002:unverified 10025/MXS1902:unverified 10027/MXS1002:unverified 10027/MXS1004:unverified 10031/MXS1202:fixed 10031/MXS1903:new"},
		{"the daemon refuses us now", testConditions, []exposure.Subject{exposuretest.OpenPort(10024, exposuretest.Service("smtp", "content-filter", "amavisd-new", "acl-refused")), exposuretest.OpenPort(10025, postfix), exposuretest.OpenPort(10027, dkim), exposuretest.OpenPort(10031, policy)},
			"10024/MXS1001:fixed 10024/MXS1901:new 10025/MXS1002:unchanged 10027/MXS1004:unchanged 10031/MXS1202:unchanged"},
		{"another vantage", other, []exposure.Subject{statePort(10024, result.StateClosed)},
			"10024/MXS1001:unverified 10025/MXS1002:unverified 10027/MXS1004:unverified 10031/MXS1202:unverified"},
	} {
		got, _ := drifted(t, Compare(testBaseline(t), tt.now, exposuretest.Rules(t)), tt.ports)
		if got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestOptInFindingNeedsTheSameProbes(t *testing.T) {
	relay := exposuretest.Service("smtp", "reinjection", "Postfix smtpd", "relays")
	b := NewBaseline(testHeader, nil, judged(t, map[uint16]*fingerprint.Identification{10025: relay}))
	open := []exposure.Subject{exposuretest.OpenPort(10025, exposuretest.Service("smtp", "reinjection", "Postfix smtpd"))}
	if got, _ := drifted(t, Compare(b, testConditions, exposuretest.Rules(t)), open); got != "10025/MXS1002:new 10025/MXS1003:unverified" {
		t.Error("without intrusive probes: " + got)
	}
	intrusive := testConditions
	intrusive.Intrusive = true
	if got, _ := drifted(t, Compare(b, intrusive, exposuretest.Rules(t)), open); got != "10025/MXS1002:new 10025/MXS1003:fixed" {
		t.Error("with intrusive probes: " + got)
	}
}

// TestUnverifiedIsCarriedForward follows a finding over two runs in which the
// host was silent: it keeps its first and last day.
func TestUnverifiedIsCarriedForward(t *testing.T) {
	b := testBaseline(t)
	for day := 1; day <= 2; day++ {
		_, list := drifted(t, Compare(b, testConditions, exposuretest.Rules(t)), nil)
		header := testHeader
		header.Created = exposuretest.Time.AddDate(0, 0, day)
		b = NewBaseline(header, nil, list)
		for _, e := range b.Entries {
			if !e.FirstSeen.Equal(exposuretest.Time) || e.LastSeen == nil || !e.LastSeen.Equal(exposuretest.Time) {
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
		{"vantage", func(c *Conditions) { c.Vantage.Class = exposure.ClassLAN }, `the vantage point was "internet" and is now "lan"`},
		{"scope", func(c *Conditions) { c.ScopeSHA256 = strings.Repeat("0", 64) }, "the addresses in scope differ"},
		{"ports", func(c *Conditions) { c.Ports = []uint16{25} }, "this run probed port 25, the baseline did not; the baseline probed ports 10024-10031, this run did not"},
		{"other ports, hashed", func(c *Conditions) {
			c.Ports, c.ScopeSHA256 = append([]uint16{25}, c.Ports...), strings.Repeat("0", 64)
		},
			"the addresses in scope may differ; this run probed port 25, the baseline did not"},
		{"more ports", func(c *Conditions) { c.Ports = append([]uint16{25}, c.Ports...) }, "this run probed port 25, the baseline did not"},
	} {
		now := testConditions
		tt.change(&now)
		c := Compare(b, now, exposuretest.Rules(t))
		ok, why := c.Comparable()
		if ok != (tt.want == "") || why != tt.want {
			t.Errorf("%s: got %v, %q", tt.name, ok, why)
		}
		if _, notices := c.Finish(nil, nil, nil, exposuretest.Time); (len(notices) == 0) != ok {
			t.Errorf("%s: notices %v", tt.name, notices)
		}
	}
}

func TestPruneAndDiff(t *testing.T) {
	before, after := testBaseline(t), testBaseline(t)
	dropped := after.Prune(func(e *Entry) bool { return e.Port != 10027 })
	if len(dropped) != 1 || dropped[0].Rule != "MXS1004" || len(after.Entries) != 3 {
		t.Fatalf("dropped %v", dropped)
	}
	after.Entries[0].Product = "amavis 2.13"
	after.Entries[1].FirstSeen = time.Time{}
	changes := Diff(before, after)
	if len(changes) != 2 || changes[0].After.Product != "amavis 2.13" || changes[1].After != nil || changes[1].Before.Rule != "MXS1004" {
		t.Errorf("got %+v", changes)
	}
	if back := Diff(after, before); len(back) != 2 || back[1].Before != nil {
		t.Errorf("got %+v", back)
	}
}

func TestRetiredRule(t *testing.T) {
	e := Entry{Rule: "MXS8000", Severity: result.SeverityHigh, IP: netip.MustParseAddr("192.0.2.1"), Port: 1, Protocol: "tcp", Vantage: "internet"}
	e.ID = exposure.FindingID(e.Rule, e.IP.String(), e.Port, e.Vantage)
	_, list := drifted(t, Compare(BaselineOf(testHeader, []Entry{e}), testConditions, exposuretest.Rules(t)), nil)
	if len(list) != 1 || list[0].Rule.ID != "MXS8000" || list[0].Severity != result.SeverityHigh || list[0].Remediation == "" {
		t.Errorf("got %+v", list)
	}
}

// TestUnknownRuleIsNotFixed checks that a finding of a rule that this version
// does not have is not fixed as long as the port is open, because nothing could
// prove it.
func TestUnknownRuleIsNotFixed(t *testing.T) {
	e := Entry{Rule: "MXS1099", Severity: result.SeverityHigh, IP: netip.MustParseAddr("192.0.2.10"), Port: 10024, Protocol: "tcp", Vantage: "internet"}
	e.ID = exposure.FindingID(e.Rule, e.IP.String(), e.Port, e.Vantage)
	for state, want := range map[result.State]result.Drift{result.StateOpen: result.DriftUnverified, result.StateClosed: result.DriftFixed} {
		port := exposuretest.OpenPort(10024, exposuretest.Service("smtp", "content-filter", "amavisd-new"))
		port.State = state
		c := Compare(BaselineOf(testHeader, []Entry{e}), testConditions, exposuretest.Rules(t))
		c.Add(port)
		list, _ := c.Finish(nil, nil, nil, exposuretest.Time)
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
		b, err := Read("b.jsonl", data)
		if err != nil {
			return
		}
		out, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read("b.jsonl", out)
		if err != nil || len(again.Entries) != len(b.Entries) {
			t.Fatalf("what was read does not survive writing: %v\n%s", err, out)
		}
	})
}

// hostsUp is the set of hosts that sent a packet of their own.
type hostsUp map[netip.Addr]bool

// Add adds one result.
func (h hostsUp) Add(r scan.Result) {
	if r.FromTarget() {
		h[r.Target.Addr()] = true
	}
}

// Up reports whether a host is in the set.
func (h hostsUp) Up(a netip.Addr) bool { return h[a] }
