package exposure

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"mxsweep/fingerprint"
	"mxsweep/scan"
)

// TestUnknownPairs: one notice for each host and reason, and one for all that a
// missing route keeps from being asked.
func TestUnknownPairs(t *testing.T) {
	u := &UnknownPairs{}
	add := func(target string, state scan.State, reason scan.Reason, err error, s *fingerprint.Service, why Requirement) {
		u.Add(Port{Result: scan.Result{Target: netip.MustParseAddrPort(target), State: state, Reason: reason, Err: err}, Service: s}, why)
	}
	for n := range 300 { // in an order that returns to each address
		add(fmt.Sprintf("[2001:db8::%x]:%d", n%150+1, 25+n/150), scan.StateUnknown, scan.ReasonNetUnreach, errors.New("connecting: network is unreachable"), nil, "")
	}
	refused := &fingerprint.Service{Protocol: "smtp", Inconclusive: fingerprint.InconclusiveRefused, Refusal: []byte("421 4.7.0 try\x1b[31m later\r\n")}
	add("192.0.2.1:25", scan.StateOpen, scan.ReasonSynAck, nil, refused, RequiredTarget)
	add("192.0.2.1:587", scan.StateOpen, scan.ReasonSynAck, nil, refused, RequiredTarget)
	add("192.0.2.1:993", scan.StateOpen, scan.ReasonSynAck, nil, &fingerprint.Service{Inconclusive: fingerprint.InconclusiveSkipped}, RequiredTarget)
	add("192.0.2.2:25", scan.StateUnknown, scan.ReasonBlocked, nil, nil, RequiredBaseline)
	var got []string
	for _, n := range u.Notices() {
		got = append(got, n.Code+" "+strings.SplitAfterN(n.Message, ".", 2)[0]+" "+n.Target)
		if strings.Contains(n.Message, "\x1b") {
			t.Errorf("raw bytes in %q", n.Message)
		}
	}
	if len(got) != 2 || !strings.HasPrefix(u.Notices()[0].Message, "There is no IPv6 route: 300 ports of 150 addresses could not be asked; use -4.") ||
		!strings.HasPrefix(u.Notices()[1].Message, `192.0.2.1 ports 25,587: open, and refuses to talk for now: "421 4.7.0 try`) {
		t.Errorf("got %q", got)
	}
	if strings.Contains(u.Notices()[0].Message, "ulimit") {
		t.Error("advice on limits where there is no route")
	}
	if u.Required() != 4 || len(u.examples) != 4 {
		t.Errorf("%d required, %q", u.Required(), u.examples)
	}
}

// TestUnroutedTarget: a target without a route leaves the run incomplete, and is
// told of once, without advice on its firewall.
func TestUnroutedTarget(t *testing.T) {
	u := &UnknownPairs{}
	routed, unrouted := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	u.Add(Port{Result: scan.Result{Target: netip.AddrPortFrom(unrouted, 25), State: scan.StateUnknown, Reason: scan.ReasonNetUnreach}}, "")
	for _, tt := range []struct {
		addr netip.Addr
		told bool
	}{{routed, true}, {unrouted, false}} {
		facts := RunFacts{Unknown: u, Silent: []SilentTarget{{Addr: tt.addr, Pairs: 1}}, Coverage: Coverage{HostsUp: 1, HostsSilent: 1}}
		facts.Coverage.Planned, facts.Coverage.Open = 100, 100
		var v Verdict
		Gate{}.cover(&v, facts)
		told := slices.ContainsFunc(v.Notices, func(n Notice) bool { return n.Code == NoticeSilent })
		if v.Code != ExitIncomplete || !v.Incomplete || told != tt.told {
			t.Errorf("%s: code %d, incomplete %t, told %t", tt.addr, v.Code, v.Incomplete, told)
		}
	}
}

// TestUnassessedWords: nobody reads the code word of a reason.
func TestUnassessedWords(t *testing.T) {
	for _, i := range []fingerprint.Inconclusive{
		fingerprint.InconclusiveNoConnection, fingerprint.InconclusiveRefused, fingerprint.InconclusiveCutOff,
		fingerprint.InconclusiveUnfinished, fingerprint.InconclusiveNoReply, fingerprint.InconclusiveUnacknowledged,
	} {
		if words := unassessedWords(Port{Service: &fingerprint.Service{Inconclusive: i}}); strings.Contains(words, string(i)) {
			t.Errorf("%s: %s", i, words)
		}
	}
}

// TestManyUnrouted: of very many addresses without a route, a bound is told.
func TestManyUnrouted(t *testing.T) {
	u := &UnknownPairs{}
	for n := range 2 * maxUnrouted {
		addr := netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", n+1))
		u.Add(Port{Result: scan.Result{Target: netip.AddrPortFrom(addr, 25), State: scan.StateUnknown, Reason: scan.ReasonNetUnreach}}, "")
	}
	if got := u.Notices()[0].Message; !strings.HasPrefix(got, "There is no IPv6 route: 2000 ports of more than 1000 addresses ") {
		t.Errorf("got %q", got)
	}
}

// TestUnknownPairsBound: what is told stays small whatever happens.
func TestUnknownPairsBound(t *testing.T) {
	u := &UnknownPairs{}
	for n := range 3000 {
		addr := netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)})
		u.Add(Port{Result: scan.Result{Target: netip.AddrPortFrom(addr, 25), State: scan.StateUnknown, Err: errors.New("odd")}}, RequiredClosed)
	}
	notices := u.Notices()
	if len(notices) != maxUnknownGroups+1 || !strings.HasPrefix(notices[maxUnknownGroups].Message, "2900 further ports") {
		t.Errorf("%d notices, the last %+v", len(notices), notices[len(notices)-1])
	}
	if len(u.examples) != maxRequired || u.Required() != 3000 {
		t.Errorf("%d examples, %d required", len(u.examples), u.Required())
	}
}
