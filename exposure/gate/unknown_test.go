package gate

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// TestUnknownPairs checks that there is one notice for each host and reason, and
// one for all pairs without a route.
func TestUnknownPairs(t *testing.T) {
	u := &UnknownPairs{}
	add := func(target string, state result.State, reason result.Reason, err error, s *fingerprint.Identification, why Requirement) {
		u.Add(exposure.Subject{Result: scan.Result{Target: netip.MustParseAddrPort(target), State: state, Reason: reason, Err: err}, Service: s}, why)
	}
	for n := range 300 { // in an order that returns to each address
		add(fmt.Sprintf("[2001:db8::%x]:%d", n%150+1, 25+n/150), result.StateUnknown, result.ReasonNetUnreach, errors.New("connecting: network is unreachable"), nil, "")
	}
	refused := &fingerprint.Identification{Service: result.Service{Name: "smtp", Inconclusive: result.InconclusiveRefused, Refusal: "421 4.7.0 try\x1b[31m later\r\n"}}
	add("192.0.2.1:25", result.StateOpen, result.ReasonSynAck, nil, refused, RequiredTarget)
	add("192.0.2.1:587", result.StateOpen, result.ReasonSynAck, nil, refused, RequiredTarget)
	add("192.0.2.1:993", result.StateOpen, result.ReasonSynAck, nil, &fingerprint.Identification{Service: result.Service{Inconclusive: result.InconclusiveSkipped}}, RequiredTarget)
	add("192.0.2.2:25", result.StateUnknown, result.ReasonBlocked, nil, nil, RequiredBaseline)
	var got []string
	for _, n := range u.Notices() {
		got = append(got, n.Code+" "+strings.SplitAfterN(n.Message, ".", 2)[0]+" "+n.Target)
		if strings.Contains(n.Message, "\x1b") {
			t.Errorf("raw bytes in %q", n.Message)
		}
	}
	if len(got) != 2 || !strings.HasPrefix(u.Notices()[0].Message, "There is no IPv6 route: 300 ports of 150 addresses could not be probed; use -4.") ||
		!strings.HasPrefix(u.Notices()[1].Message, `192.0.2.1 ports 25,587: open, but temporarily refuses service: "421 4.7.0 try`) {
		t.Errorf("got %q", got)
	}
	if strings.Contains(u.Notices()[0].Message, "ulimit") {
		t.Error("advice on limits where there is no route")
	}
	if u.Required() != 4 || len(u.examples) != 4 {
		t.Errorf("%d required, %q", u.Required(), u.examples)
	}
}

// TestUnroutedTarget checks that a target without a route makes the run
// incomplete, and is reported once, without advice about its firewall.
func TestUnroutedTarget(t *testing.T) {
	u := &UnknownPairs{}
	routed, unrouted := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	u.Add(exposure.Subject{Result: scan.Result{Target: netip.AddrPortFrom(unrouted, 25), State: result.StateUnknown, Reason: result.ReasonNetUnreach}}, "")
	for _, tt := range []struct {
		addr netip.Addr
		told bool
	}{{routed, true}, {unrouted, false}} {
		facts := RunFacts{Unknown: u, Silent: []SilentTarget{{Addr: tt.addr, Pairs: 1}}, Coverage: PairCounts{HostsUp: 1, HostsSilent: 1}}
		facts.Coverage.Planned, facts.Coverage.Open = 100, 100
		v := Decide(Criteria{}, facts, nil)
		told := slices.ContainsFunc(v.Notices, func(n result.Notice) bool { return n.Code == exposure.NoticeSilent })
		if v.Code != ExitIncomplete || !v.Incomplete || told != tt.told {
			t.Errorf("%s: code %d, incomplete %t, told %t", tt.addr, v.Code, v.Incomplete, told)
		}
	}
}

// TestUnassessedWords checks that every reason has words for people.
func TestUnassessedWords(t *testing.T) {
	for _, i := range []result.Inconclusive{
		result.InconclusiveNoConnection, result.InconclusiveRefused, result.InconclusiveCutOff,
		result.InconclusiveUnfinished, result.InconclusiveNoReply, result.InconclusiveUnacknowledged, result.InconclusiveHandshake,
	} {
		if words := unassessedWords(exposure.Subject{Service: &fingerprint.Identification{Service: result.Service{Inconclusive: i}}}); strings.Contains(words, string(i)) {
			t.Errorf("%s: %s", i, words)
		}
	}
}

// TestManyUnrouted checks that of very many addresses without a route a limited
// number is reported.
func TestManyUnrouted(t *testing.T) {
	u := &UnknownPairs{}
	for n := range 2 * maxUnrouted {
		addr := netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", n+1))
		u.Add(exposure.Subject{Result: scan.Result{Target: netip.AddrPortFrom(addr, 25), State: result.StateUnknown, Reason: result.ReasonNetUnreach}}, "")
	}
	if got := u.Notices()[0].Message; !strings.HasPrefix(got, "There is no IPv6 route: 2000 ports of more than 1000 addresses ") {
		t.Errorf("got %q", got)
	}
}

// TestUnknownPairsBound checks that the report stays small whatever happens.
func TestUnknownPairsBound(t *testing.T) {
	u := &UnknownPairs{}
	for n := range 3000 {
		addr := netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)})
		u.Add(exposure.Subject{Result: scan.Result{Target: netip.AddrPortFrom(addr, 25), State: result.StateUnknown, Err: errors.New("odd")}}, RequiredClosed)
	}
	notices := u.Notices()
	if len(notices) != maxUnknownGroups+1 || !strings.HasPrefix(notices[maxUnknownGroups].Message, "2900 more ports") {
		t.Errorf("%d notices, the last %+v", len(notices), notices[len(notices)-1])
	}
	if len(u.examples) != maxRequired || u.Required() != 3000 {
		t.Errorf("%d examples, %d required", len(u.examples), u.Required())
	}
}

// TestNoRouteIsOneNotice checks that pairs without a route are reported in one
// notice, an error if the run is incomplete because of them.
func TestNoRouteIsOneNotice(t *testing.T) {
	addr := netip.MustParseAddr("2001:db8::1")
	line := ScopeLine{Range: netipx.RangeOfPrefix(netip.MustParsePrefix("2001:db8::/127")), Text: "2001:db8::/127", MinHosts: 1}
	for name, tt := range map[string]struct {
		why   Requirement
		facts RunFacts
		code  ExitCode
	}{
		"a target beside others":  {RequiredTarget, RunFacts{Coverage: PairCounts{Planned: 4, Closed: 2, HostsUp: 1, HostsSilent: 1}, Silent: []SilentTarget{{Addr: addr, Pairs: 2}}}, ExitIncomplete},
		"nothing else":            {RequiredTarget, RunFacts{Coverage: PairCounts{Planned: 2, HostsSilent: 1}, Silent: []SilentTarget{{Addr: addr, Pairs: 2}}}, ExitIncomplete},
		"a prefix beside others":  {"", RunFacts{Coverage: PairCounts{Planned: 4, Closed: 2, HostsUp: 1, HostsSilent: 2}, Short: []ScopeLine{line}}, ExitIncomplete},
		"expected by the policy":  {RequiredExpect, RunFacts{Coverage: PairCounts{Planned: 1002, Closed: 1000, HostsUp: 9, HostsSilent: 1}}, ExitIncomplete},
		"few of what was planned": {"", RunFacts{Coverage: PairCounts{Planned: 1002, Closed: 1000, HostsUp: 9, HostsSilent: 1}}, ExitPass},
	} {
		u := &UnknownPairs{}
		for port := range uint16(2) {
			u.Add(exposure.Subject{Result: scan.Result{Target: netip.AddrPortFrom(addr, 25+port), State: result.StateUnknown, Reason: result.ReasonNetUnreach}}, tt.why)
		}
		tt.facts.Unknown = u
		v := Decide(Criteria{MinCoverage: DefaultMinCoverage}, tt.facts, nil)
		v.Notices = slices.DeleteFunc(v.Notices, func(n result.Notice) bool { return n.Code == exposure.NoticeNothingOpen })
		level := map[bool]result.Level{true: result.LevelError, false: result.LevelWarning}[tt.code == ExitIncomplete]
		if v.Code != tt.code || len(v.Notices) != 1 || v.Notices[0].Code != exposure.NoticeNoRoute || v.Notices[0].Level != level {
			t.Errorf("%s: code %d, notices %+v", name, v.Code, v.Notices)
		}
	}
	// What is missing for another reason is reported as well.
	u := &UnknownPairs{}
	for _, reason := range []result.Reason{result.ReasonNetUnreach, result.ReasonBlocked} {
		u.Add(exposure.Subject{Result: scan.Result{Target: netip.AddrPortFrom(addr, 25), State: result.StateUnknown, Reason: reason}}, RequiredTarget)
	}
	v := Decide(Criteria{MinCoverage: DefaultMinCoverage}, RunFacts{Unknown: u, Coverage: PairCounts{Planned: 4, Closed: 2, HostsUp: 1}}, nil)
	var codes []string
	for _, n := range v.Notices {
		codes = append(codes, n.Code)
	}
	if want := []string{exposure.NoticeNoRoute, exposure.NoticeCoverage, exposure.NoticeRequired}; v.Code != ExitIncomplete || !slices.Equal(codes, want) {
		t.Errorf("code %d, notices %v", v.Code, codes)
	}
}

// TestRequiredExamples checks that a reason that several pairs share is given
// once.
func TestRequiredExamples(t *testing.T) {
	got := examples([]requiredPair{{"192.0.2.1:25", RequiredTarget}, {"192.0.2.2:25", RequiredClosed}, {"192.0.2.1:26", RequiredTarget}}, 3)
	if want := "192.0.2.1:25, 192.0.2.1:26 (a single target), 192.0.2.2:25 (must be closed by the policy)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
