package drift

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
)

// named returns an SMTP service that was identified with this confidence.
func named(role, product string, confidence int) *fingerprint.Identification {
	s := exposuretest.Service("smtp", result.Role(role), product)
	s.Confidence = confidence
	return s
}

func TestDriftComparesCertainty(t *testing.T) {
	dkim := named("signing-proxy", "DKIMproxy", 9)
	cut := named("signing-proxy", "DKIMproxy", 9)
	cut.Inconclusive = result.InconclusiveCutOff
	refused := named("mta", "", 9)
	refused.Inconclusive = result.InconclusiveRefused
	for _, tt := range []struct {
		name string
		then *fingerprint.Identification
		now  *fingerprint.Identification
		want string
	}{
		{"named as before", dkim, dkim, "10027/MXS1004:unchanged"},
		{"another daemon, as sure", dkim, named("reinjection", "Postfix smtpd", 9), "10027/MXS1002:new 10027/MXS1004:fixed"},
		{"another daemon, less sure", dkim, named("reinjection", "Postfix smtpd", 8), "10027/MXS1002:unverified 10027/MXS1004:unverified"},
		{"nothing learnt", dkim, nil, "10027/MXS1004:unverified 10027/MXS1902:unverified"},
		{"the same, less sure", dkim, named("signing-proxy", "DKIMproxy", 5), "10027/MXS1004:unchanged"},
		{"the same, seen as another product, less sure", dkim, named("signing-proxy", "spampd", 5), "10027/MXS1004:unchanged"},
		{"cut off", dkim, cut, "10027/MXS1004:unchanged"},
		{"refused for now", dkim, refused, "10027/MXS1002:unverified 10027/MXS1004:unverified"},
		{"more confident than before", nil, dkim, "10027/MXS1004:new 10027/MXS1902:fixed"},
	} {
		b := NewBaseline(testHeader, nil, judged(t, map[uint16]*fingerprint.Identification{10027: tt.then}))
		got, _ := drifted(t, Compare(b, testConditions, exposuretest.Rules(t)), []exposure.Subject{exposuretest.OpenPort(10027, tt.now)})
		if got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestOldBaseline compares with a file without confidences.
func TestOldBaseline(t *testing.T) {
	b := NewBaseline(testHeader, nil, judged(t, map[uint16]*fingerprint.Identification{10027: named("signing-proxy", "DKIMproxy", 9)}))
	b.SchemaVersion = schemaVersion0
	b.Entries[0].Confidence, b.Entries[0].Method = nil, ""
	for _, tt := range []struct {
		now  *fingerprint.Identification
		want string
	}{
		{named("signing-proxy", "DKIMproxy", 9), "10027/MXS1004:unchanged"},
		{named("reinjection", "Postfix smtpd", 9), "10027/MXS1002:unverified 10027/MXS1004:unverified"},
		{named("reinjection", "Postfix smtpd", 10), "10027/MXS1002:new 10027/MXS1004:fixed"},
	} {
		if got, _ := drifted(t, Compare(b, testConditions, exposuretest.Rules(t)), []exposure.Subject{exposuretest.OpenPort(10027, tt.now)}); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// TestWeakerEvidenceFixesNothing tries random pairs of runs: a finding is fixed
// or new on a port of the baseline only if the service was identified with at
// least the same confidence.
func TestWeakerEvidenceFixesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	random := func() *fingerprint.Identification {
		if r.IntN(6) == 0 {
			return nil
		}
		roles := []string{"signing-proxy", "reinjection", "content-filter", "mta", "unknown"}
		s := named(roles[r.IntN(len(roles))], []string{"", "DKIMproxy", "Postfix smtpd", "amavisd-new"}[r.IntN(4)], r.IntN(11))
		if r.IntN(5) == 0 {
			s.Inconclusive = result.InconclusiveUnfinished
		}
		return s
	}
	sureness := func(s *fingerprint.Identification) int {
		if s == nil {
			return 0
		}
		return exposure.Certainty(s)
	}
	seen := map[result.Drift]int{}
	for range 3000 {
		then, now := random(), random()
		b := NewBaseline(testHeader, nil, judged(t, map[uint16]*fingerprint.Identification{10027: then}))
		text, list := drifted(t, Compare(b, testConditions, exposuretest.Rules(t)), []exposure.Subject{exposuretest.OpenPort(10027, now)})
		for _, f := range list {
			seen[f.Drift]++
			if len(b.Entries) > 0 && (f.Drift == result.DriftFixed || f.Drift == result.DriftNew) && sureness(now) < sureness(then) {
				t.Fatalf("named with %d, then with %d: %s", sureness(then), sureness(now), text)
			}
			if f.Drift == result.DriftFixed && now == nil {
				t.Fatalf("fixed without a dialogue: %s", text)
			}
		}
	}
	for _, d := range []result.Drift{result.DriftNew, result.DriftFixed, result.DriftUnverified, result.DriftUnchanged} {
		if seen[d] == 0 {
			t.Errorf("no finding was %s", d)
		}
	}
}

// onAddresses compares a run over a name with a baseline: open has the addresses
// with the finding, states those without an open port.
func onAddresses(t *testing.T, b *Baseline, open []string, states map[string]result.State) string {
	t.Helper()
	now := testConditions
	now.AddressesOf = func(name string) []netip.Addr {
		switch name {
		case "mx9.example.org":
			return nil // no longer in scope
		case "mx8.example.org":
			return []netip.Addr{netip.MustParseAddr("192.0.2.200")}
		}
		var list []netip.Addr
		for _, a := range open {
			list = append(list, netip.MustParseAddr(a))
		}
		for a := range states {
			list = append(list, netip.MustParseAddr(a))
		}
		return list
	}
	c := Compare(b, now, exposuretest.Rules(t))
	j := &exposure.Judge{Rules: exposuretest.Rules(t), Knowledge: exposuretest.Ports()}
	counter := hostsUp{}
	var found []exposure.Violation
	add := func(a string, p exposure.Subject) {
		p.Target, p.Host = netip.AddrPortFrom(netip.MustParseAddr(a), 10024), "mx1.example.org"
		counter.Add(p.Result)
		c.Add(p)
		found = append(found, j.Findings(p)...)
	}
	for _, a := range open {
		add(a, exposuretest.OpenPort(10024, exposuretest.Service("smtp", "content-filter", "amavisd-new")))
	}
	for a, state := range states {
		add(a, statePort(10024, state))
	}
	list, _ := c.Finish(exposure.JoinAddresses(found), counter.Up, nil, exposuretest.Time)
	var words []string
	for _, f := range list {
		words = append(words, fmt.Sprintf("%s:%s", f.Rule.ID, f.Drift))
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func TestDriftOfAName(t *testing.T) {
	name := NewBaseline(testHeader, nil, exposuretest.OnHost(t, "", "mx1.example.org", "192.0.2.1", "192.0.2.2"))
	one := NewBaseline(testHeader, nil, exposuretest.OnHost(t, "", "mx1.example.org", "192.0.2.1"))
	old := NewBaseline(testHeader, nil, exposuretest.OnHost(t, exposure.IdentityAddress, "mx1.example.org", "192.0.2.1", "192.0.2.2"))
	bare := NewBaseline(testHeader, nil, exposuretest.OnHost(t, "", "", "192.0.2.1"))
	gone := NewBaseline(testHeader, nil, exposuretest.OnHost(t, "", "mx8.example.org", "192.0.2.1"))
	renamed := NewBaseline(testHeader, nil, exposuretest.OnHost(t, "", "mx9.example.org", "192.0.2.1"))
	closed := result.StateClosed
	for _, tt := range []struct {
		name   string
		b      *Baseline
		open   []string
		states map[string]result.State
		want   string
	}{
		{"as before", name, []string{"192.0.2.1", "192.0.2.2"}, nil, "MXS1001:unchanged"},
		{"renumbered", one, []string{"192.0.2.77"}, nil, "MXS1001:unchanged"},
		{"closed on one", name, []string{"192.0.2.1"}, map[string]result.State{"192.0.2.2": closed}, "MXS1001:unchanged"},
		{"closed on all", name, nil, map[string]result.State{"192.0.2.1": closed, "192.0.2.2": closed}, "MXS1001:fixed"},
		{"closed on one, the other not asked", name, nil, map[string]result.State{"192.0.2.1": closed}, "MXS1001:unverified"},
		{"closed, and silent on a new address", one, nil, map[string]result.State{"192.0.2.1": closed, "192.0.2.3": result.StateUnknown}, "MXS1001:unverified"},
		{"ids of the earlier build", old, []string{"192.0.2.1", "192.0.2.2"}, nil, "MXS1001:unchanged"},
		{"ids of the earlier build, renumbered", old, []string{"192.0.2.77"}, nil, "MXS1001:unchanged"},
		{"known by its address only", bare, []string{"192.0.2.1"}, nil, "MXS1001:unchanged"},
		{"the host was renamed", renamed, []string{"192.0.2.1"}, nil, "MXS1001:unchanged"},
		{"the address went to another host", gone, []string{"192.0.2.1"}, nil, "MXS1001:new MXS1001:unverified"},
	} {
		if got := onAddresses(t, tt.b, tt.open, tt.states); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestSuppressionDoesNotStack(t *testing.T) {
	hosts, err := policy.ParseSelector("*")
	if err != nil {
		t.Fatal(err)
	}
	ports, err := policy.ParsePortSelector("*", nil)
	if err != nil {
		t.Fatal(err)
	}
	accept := &policy.Policy{Accept: []policy.AcceptedRisk{{Acceptance: result.Acceptance{ID: "AR-1", Reason: "moved next week", Expires: result.NewDate(exposuretest.Time)},
		Rule: "MXS1004", Hosts: hosts, Ports: ports}}}
	expect := &policy.Policy{Expect: []policy.Expectation{{Hosts: hosts, Ports: ports}}}
	dkim := exposuretest.OpenPort(10027, named("signing-proxy", "DKIMproxy", 9))
	run := func(b *Baseline, policy *policy.Policy, day int) []exposure.Violation {
		j := &exposure.Judge{Rules: exposuretest.Rules(t), Knowledge: exposuretest.Ports(), Policy: policy, Now: exposuretest.Time.AddDate(0, 0, day)}
		found := j.Findings(dkim)
		if b == nil {
			return found
		}
		c := Compare(b, testConditions, exposuretest.Rules(t))
		c.Add(dkim)
		list, _ := c.Finish(found, nil, policy, j.Now)
		return list
	}
	news, err := policy.ParseFailOn("new:high", nil)
	if err != nil {
		t.Fatal(err)
	}
	accepted := NewBaseline(testHeader, nil, run(nil, accept, 0))
	if e := accepted.Entries[0]; e.Status != result.StatusAccepted || e.Acceptance != "AR-1" {
		t.Fatalf("the entry is %+v", e)
	}
	earlier := NewBaseline(testHeader, nil, run(nil, accept, 0))
	earlier.SchemaVersion, earlier.Entries[0].Status, earlier.Entries[0].Acceptance = schemaVersion0, "", ""
	for _, tt := range []struct {
		name   string
		b      *Baseline
		policy *policy.Policy
		day    int
		want   result.Drift
		fails  bool
	}{
		{"still accepted", accepted, accept, 0, result.DriftNone, false},
		{"expired", accepted, accept, 2, result.DriftExpired, true},
		{"the entry is gone", accepted, nil, 0, result.DriftExpired, true},
		{"expired, in a file that does not say it was accepted", earlier, accept, 2, result.DriftExpired, true},
		{"written after it expired", NewBaseline(testHeader, accepted, run(accepted, accept, 2)), accept, 2, result.DriftUnchanged, false},
		{"was expected", NewBaseline(testHeader, nil, run(nil, expect, 0)), nil, 0, result.DriftNew, true},
		{"is expected", NewBaseline(testHeader, nil, run(nil, expect, 0)), expect, 0, result.DriftNone, false},
	} {
		list := run(tt.b, tt.policy, tt.day)
		if len(list) != 1 || list[0].Drift != tt.want || news.Match(&list[0]) != tt.fails {
			t.Errorf("%s: got %s (%s), fails %v", tt.name, list[0].Drift, list[0].Status, news.Match(&list[0]))
		}
	}
}

// TestFixedIsNotOpen also checks that a finding that returns is reported as
// reopened.
func TestFixedIsNotOpen(t *testing.T) {
	b := NewBaseline(testHeader, nil, judged(t, map[uint16]*fingerprint.Identification{10027: named("signing-proxy", "DKIMproxy", 9)}))
	_, list := drifted(t, Compare(b, testConditions, exposuretest.Rules(t)), []exposure.Subject{statePort(10027, result.StateClosed)})
	if list[0].Drift != result.DriftFixed || list[0].Status != result.StatusFixed {
		t.Fatalf("got %s, %s", list[0].Drift, list[0].Status)
	}
	known := BaselineOf(testHeader, []Entry{EntryOf(&list[0])})
	again, _ := drifted(t, Compare(known, testConditions, exposuretest.Rules(t)), []exposure.Subject{exposuretest.OpenPort(10027, named("signing-proxy", "DKIMproxy", 9))})
	still, _ := drifted(t, Compare(known, testConditions, exposuretest.Rules(t)), []exposure.Subject{statePort(10027, result.StateClosed)})
	if again != "10027/MXS1004:reopened" || still != "" {
		t.Errorf("got %q and %q", again, still)
	}
	if n := len(NewBaseline(testHeader, b, list).Entries); n != 0 {
		t.Errorf("a fixed finding is in the baseline")
	}
}

func TestUpdateKeepsWhatItDidNotSee(t *testing.T) {
	b := testBaseline(t)
	before, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	_, list := drifted(t, Compare(b, testConditions, exposuretest.Rules(t)), []exposure.Subject{exposuretest.OpenPort(10024, named("content-filter", "", 4)), statePort(10027, result.StateFiltered)})
	header := testHeader
	header.Created = exposuretest.Time.AddDate(0, 0, 3)
	after, err := NewBaseline(header, b, list).Encode()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(before), "\n")
	for _, line := range lines[1:] {
		if !strings.Contains(line, `"port":10027`) && !strings.Contains(string(after), line+"\n") {
			t.Errorf("changed: %s\nnow:\n%s", line, after)
		}
	}
	if strings.Contains(string(after), "MXS1902") || strings.Count(string(after), "\n") != len(lines)-2 {
		t.Errorf("got\n%s", after)
	}
}

func TestSilenceUnderLoss(t *testing.T) {
	b := NewBaseline(testHeader, nil, judged(t, map[uint16]*fingerprint.Identification{10027: named("signing-proxy", "DKIMproxy", 9)}))
	for _, tt := range []struct {
		loss     float64
		attempts int
		want     result.Drift
	}{
		{0, 1, result.DriftFixed},
		{0.05, 3, result.DriftFixed},
		{0.64, 3, result.DriftUnverified},
		{0.64, 16, result.DriftFixed},
		{0.84, 16, result.DriftUnverified},
		{1, 100, result.DriftUnverified},
	} {
		c := Compare(b, testConditions, exposuretest.Rules(t))
		counter := hostsUp{}
		silent := statePort(10027, result.StateFiltered)
		silent.Attempts = tt.attempts
		for _, p := range []exposure.Subject{statePort(25, result.StateClosed), silent} {
			counter.Add(p.Result)
			c.Add(p)
		}
		c.Loss(tt.loss)
		list, _ := c.Finish(nil, counter.Up, nil, exposuretest.Time)
		if len(list) != 1 || list[0].Drift != tt.want {
			t.Errorf("loss %v, %d attempts: got %s, %q", tt.loss, tt.attempts, list[0].Drift, list[0].Evidence)
		}
	}
}

// TestDialogueUnderLoss checks that a daemon that is identified as before, but
// seems to behave differently, proves nothing if much got lost.
func TestDialogueUnderLoss(t *testing.T) {
	b := NewBaseline(testHeader, nil, judged(t, map[uint16]*fingerprint.Identification{10027: named("signing-proxy", "DKIMproxy", 9)}))
	for loss, want := range map[float64]string{
		0:    "fixed new",
		0.1:  "fixed new",
		0.36: "unverified unverified",
		0.84: "unverified unverified",
	} {
		c := Compare(b, testConditions, exposuretest.Rules(t))
		other := exposuretest.OpenPort(10027, named("reinjection", "Postfix smtpd", 10))
		c.Add(other)
		c.Loss(loss)
		list, _ := c.Finish((&exposure.Judge{Rules: exposuretest.Rules(t), Knowledge: exposuretest.Ports()}).Findings(other), nil, nil, exposuretest.Time)
		var words []string
		for _, f := range list {
			words = append(words, string(f.Drift))
		}
		slices.Sort(words)
		if got := strings.Join(words, " "); got != want {
			t.Errorf("loss %v: got %s, want %s", loss, got, want)
		}
	}
}
