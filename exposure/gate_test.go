package exposure

import (
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"mxsweep/scan"
)

func found(t testing.TB, id string, change func(*Finding)) Finding {
	t.Helper()
	r := testRules(t).Lookup(id)
	f := Finding{Rule: r, Severity: r.Severity, Confidence: 9, Status: StatusOpen, Drift: DriftNone,
		Target: netip.MustParseAddrPort("192.0.2.10:10025")}
	if change != nil {
		change(&f)
	}
	return f
}

func TestParseFailOn(t *testing.T) {
	rules := testRules(t)
	for _, tt := range []struct{ in, out, err string }{
		{"", "any:high", ""},
		{"none", "none", ""},
		{"new:high, any:critical", "new:high,any:critical", ""},
		{"rule:MXS1002,rule:MXS1002", "rule:MXS1002", ""},
		{"unverified:low", "unverified:low", ""},
		{"high", "", "needs a colon"},
		{"old:high", "", `"old" is not a drift state`},
		{"fixed:high", "", `"fixed" is not a drift state`},
		{"any:severe", "", `unknown severity "severe"`},
		{"rule:MXS8888", "", `no rule "MXS8888"`},
		{"rule:x", "", `no rule "x"`},
		{"any:high,", "", `fail-on ""`},
	} {
		f, err := ParseFailOn(tt.in, rules)
		if tt.err != "" {
			var hinted interface{ Hint() string }
			if err == nil || !strings.Contains(err.Error(), tt.err) || !errors.As(err, &hinted) || hinted.Hint() == "" {
				t.Errorf("%q: got %v, want an error with a hint and %q", tt.in, err, tt.err)
			}
			continue
		}
		if err != nil || f.String() != tt.out {
			t.Errorf("%q: got %q, %v, want %q", tt.in, f, err, tt.out)
		}
	}
}

func TestFailOnMatch(t *testing.T) {
	for _, tt := range []struct {
		on     string
		rule   string
		change func(*Finding)
		want   bool
	}{
		{"", "MXS1002", nil, true},
		{"", "MXS1201", nil, false},
		{"none", "MXS1004", nil, false},
		{"any:medium", "MXS1201", nil, true},
		{"new:high", "MXS1002", nil, true}, // no baseline: all is new
		{"new:high", "MXS1002", func(f *Finding) { f.Drift = DriftUnchanged }, false},
		{"new:high,any:critical", "MXS1004", func(f *Finding) { f.Drift = DriftUnchanged }, true},
		{"rule:MXS1901", "MXS1901", nil, true},
		{"any:info", "MXS1002", func(f *Finding) { f.Status = StatusAccepted }, false},
		{"any:info", "MXS1002", func(f *Finding) { f.Status = StatusExpected }, false},
		{"any:info", "MXS1002", func(f *Finding) { f.Drift = DriftFixed }, false},
		{"any:info", "MXS1002", func(f *Finding) { f.Drift = DriftUnverified }, true},
	} {
		on, err := ParseFailOn(tt.on, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := found(t, tt.rule, tt.change)
		if got := on.Match(&f); got != tt.want {
			t.Errorf("%q on %s (%s, %s): got %v", tt.on, tt.rule, f.Status, f.Drift, got)
		}
	}
}

var full = Coverage{Planned: 100, Answered: 100, HostsUp: 10}

func TestDecide(t *testing.T) {
	high := found(t, "MXS1002", nil)
	unverified := found(t, "MXS1201", func(f *Finding) { f.Drift = DriftUnverified })
	gate := Gate{MinCoverage: DefaultMinCoverage}
	for _, tt := range []struct {
		name     string
		gate     Gate
		saw      Saw
		findings []Finding
		code     ExitCode
		verdict  string
		codes    string // of the notices
	}{
		{"all seen, nothing found", gate, Saw{Coverage: full}, nil, ExitPass, "pass", ""},
		{"found", gate, Saw{Coverage: full}, []Finding{high}, ExitFail, "fail", ""},
		{"soft fail", Gate{SoftFail: true}, Saw{Coverage: full}, []Finding{high}, ExitPass, "fail", ""},
		{"soft fail of a blind run", Gate{SoftFail: true}, Saw{Coverage: Coverage{Planned: 9}}, []Finding{high}, ExitIncomplete, "fail", NoticeNothingSeen},
		{"not sure enough", Gate{MinConfidence: 10}, Saw{Coverage: full}, []Finding{high}, ExitPass, "pass", NoticeConfidence},
		{"nothing in scope", gate, Saw{}, nil, ExitIncomplete, "incomplete", NoticeNothingInScope},
		{"nothing seen, no floor", Gate{}, Saw{Coverage: Coverage{Planned: 5, HostsSilent: 1}}, nil, ExitIncomplete, "incomplete", NoticeNothingSeen},
		{"below the floor", gate, Saw{Coverage: Coverage{Planned: 100, Answered: 94, HostsUp: 1, HostsSilent: 1}}, nil, ExitIncomplete, "incomplete", NoticeCoverage},
		{"at the floor", gate, Saw{Coverage: Coverage{Planned: 100, Answered: 95, HostsUp: 1}}, nil, ExitPass, "pass", ""},
		{"floor that is no number", Gate{MinCoverage: math.NaN()}, Saw{Coverage: full}, nil, ExitIncomplete, "incomplete", NoticeCoverage},
		{"name", gate, Saw{Coverage: full, Unresolved: []UnresolvedName{{Name: "mx.example.org"}}}, nil, ExitIncomplete, "incomplete", NoticeUnresolved},
		{"canary", gate, Saw{Coverage: full, Canaries: []Canary{{}}}, nil, ExitIncomplete, "incomplete", NoticeCanary},
		{"canary answered", gate, Saw{Coverage: full, Canaries: []Canary{{Answered: true}}}, nil, ExitPass, "pass", ""},
		{"unverified", gate, Saw{Coverage: full}, []Finding{unverified}, ExitIncomplete, "incomplete", NoticeUnverified},
		{"found before incomplete", gate, Saw{Coverage: full, Unresolved: []UnresolvedName{{Name: "x"}}}, []Finding{high}, ExitFail, "fail", NoticeUnresolved},
		{"output before found", gate, Saw{Coverage: full, Failed: []error{errors.New("disk full")}}, []Finding{high}, ExitError, "error", NoticeOutput},
		{"aborted", gate, Saw{Coverage: full, Aborted: errors.New("interface down")}, nil, ExitError, "error", NoticeAborted},
		{"refused before all", gate, Saw{Refused: errors.New("outside the scope"), Aborted: errors.New("x")}, nil, ExitRefused, "error", NoticeRefused + " " + NoticeAborted},
		{"signal", gate, Saw{Coverage: full, Signal: 2}, nil, 130, "incomplete", NoticeSignal},
		{"open, and not asked", gate, Saw{Coverage: full, Unasked: 1}, nil, ExitIncomplete, "incomplete", NoticeLocalFailure},
		{"shut out", gate, Saw{Coverage: full, ShutOut: true}, nil, ExitIncomplete, "incomplete", NoticeShutOut},
		{"local failures are said", gate, Saw{Coverage: Coverage{Planned: 100, Answered: 99, HostsUp: 1, Unknown: 1}}, nil, ExitPass, "pass", NoticeLocalFailure},
	} {
		v := tt.gate.Decide(tt.saw, tt.findings)
		var codes []string
		for _, n := range v.Notices {
			codes = append(codes, n.Code)
			if n.Message == "" || n.Level == "" {
				t.Errorf("%s: empty notice %+v", tt.name, n)
			}
		}
		if v.Code != tt.code || v.Gate != tt.verdict || strings.Join(codes, " ") != tt.codes {
			t.Errorf("%s: got %d %s %v, want %d %s %s", tt.name, v.Code, v.Gate, codes, tt.code, tt.verdict, tt.codes)
		}
	}
}

// TestNeverFalselyGreen makes runs at random and holds them against what a
// pass promises.
func TestNeverFalselyGreen(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	states := []scan.State{scan.StateFiltered, scan.StateUnknown, scan.StateSkipped}
	for range 20_000 {
		blind := r.IntN(2) == 0
		hosts, ports := uint64(r.IntN(5)), uint64(1+r.IntN(5))
		sight := NewSight(hosts*ports, hosts)
		for h := range hosts {
			for p := range ports {
				state := states[r.IntN(len(states))]
				if !blind && r.IntN(3) == 0 {
					state = scan.StateClosed
				}
				addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(h)})
				if r.IntN(20) > 0 { // some results never come
					sight.Add(scan.Result{Target: netip.AddrPortFrom(addr, uint16(1+p)), State: state})
				}
			}
		}
		gate := Gate{MinCoverage: r.Float64()*1.2 - 0.1, SoftFail: r.IntN(2) == 0, MinConfidence: r.IntN(11), FailOn: FailOn{none: r.IntN(2) == 0}}
		saw := Saw{Coverage: sight.Coverage()}
		var findings []Finding
		if r.IntN(4) == 0 {
			findings = append(findings, found(t, "MXS1002", func(f *Finding) { f.Drift = DriftUnverified }))
		}
		if r.IntN(8) == 0 {
			saw.Unresolved = []UnresolvedName{{Name: "mx"}}
		}
		v := gate.Decide(saw, findings)
		c := saw.Coverage
		if v.Code == ExitPass && (c.HostsUp == 0 || c.Answered == 0 || len(saw.Unresolved) > 0 || c.Ratio() < gate.MinCoverage || blind) {
			t.Fatalf("pass from %+v with gate %+v", saw, gate)
		}
	}
}

func TestSight(t *testing.T) {
	s := NewSight(12, 3)
	add := func(addr string, port uint16, state scan.State) {
		s.Add(scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr(addr), port), State: state})
	}
	add("192.0.2.1", 1, scan.StateFiltered) // before the host is known to be up
	add("192.0.2.1", 2, scan.StateOpen)
	add("192.0.2.1", 3, scan.StateFiltered)
	add("192.0.2.1", 4, scan.StateUnknown)
	for port := uint16(1); port <= 4; port++ {
		add("192.0.2.2", port, scan.StateFiltered)
		add("192.0.2.3", port, scan.StateClosed)
	}
	want := Coverage{Planned: 12, Answered: 7, HostsUp: 2, HostsSilent: 1, Unknown: 1}
	if got := s.Coverage(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !s.Up(netip.MustParseAddr("::ffff:192.0.2.1")) || s.Up(netip.MustParseAddr("192.0.2.2")) {
		t.Error("the wrong hosts are up")
	}
}

// TestSightAgainstAMap holds the pages against what a map would say, IPv4 and
// IPv6, in any order, with more silent ports than a page counts.
func TestSightAgainstAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	addrs := []netip.Addr{}
	for _, a := range []string{"192.0.2.0", "192.0.2.255", "192.0.3.0", "10.0.0.7", "2001:db8::", "2001:db8::ff", "2001:db8::100", "::"} {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	for range 50 {
		s := NewSight(1<<20, uint64(len(addrs)))
		up, silent, closed := map[netip.Addr]bool{}, map[netip.Addr]uint64{}, uint64(0)
		for range r.IntN(4000) {
			a := addrs[r.IntN(len(addrs))]
			state := scan.StateFiltered
			if r.IntN(1000) == 0 {
				state = scan.StateClosed
				up[a] = true
				closed++
			} else {
				silent[a]++
			}
			s.Add(scan.Result{Target: netip.AddrPortFrom(a, 1), State: state})
		}
		want := Coverage{Planned: 1 << 20, Answered: closed, HostsUp: uint64(len(up)), HostsSilent: uint64(len(addrs) - len(up))}
		for a := range up {
			want.Answered += silent[a]
		}
		if got := s.Coverage(); got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		for _, a := range addrs {
			if s.Up(a) != up[a] {
				t.Fatalf("%s is up: %v, want %v", a, s.Up(a), up[a])
			}
		}
	}
}

func BenchmarkSight(b *testing.B) {
	s := NewSight(1<<40, 1<<24)
	var a [4]byte
	for i := range b.N {
		n := uint32(i) * 2654435761 // spread as a permutation would
		a = [4]byte{10, byte(n >> 24), byte(n >> 16), byte(n >> 8)}
		s.Add(scan.Result{Target: netip.AddrPortFrom(netip.AddrFrom4(a), 25), State: scan.StateFiltered})
	}
}

func TestWorse(t *testing.T) {
	for i, a := range precedence {
		for _, b := range precedence[i:] {
			if Worse(a, b) != a || Worse(b, a) != a {
				t.Errorf("of %d and %d, %d must win", a, b, a)
			}
		}
	}
}

func TestNoticeKinds(t *testing.T) {
	last := "MXS9000"
	for _, k := range NoticeKinds() {
		if k.Code <= last || len(k.Code) != 7 {
			t.Errorf("code %s is out of order", k.Code)
		}
		last = k.Code
		if k.Name == "" || k.Level == "" || k.Title == "" || k.Why == "" || k.Help == "" {
			t.Errorf("%s lacks a text", k.Code)
		}
	}
}
