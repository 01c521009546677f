package join_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure/join"
	"github.com/mxsweep/mxsweep/result"
)

func addr(text string) netip.Addr {
	if text == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(text)
}

// at returns a listener that the machine shows.
func at(bound string, port uint16) join.Listener {
	return join.Listener{Address: addr(bound), Port: port, Presence: join.Listening}
}

// file returns a listener that a file configures.
func file(bound string, port uint16, p join.Presence) join.Listener {
	return join.Listener{Address: addr(bound), Port: port, Presence: p}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	const (
		open     = result.StateOpen
		closed   = result.StateClosed
		filtered = result.StateFiltered
		unknown  = result.StateUnknown
	)
	ip4, ip6, nat := "192.0.2.1", "2001:db8::1", "198.51.100.7"
	for name, c := range map[string]struct {
		listener join.Listener
		outside  string
		state    result.State
		want     string // address, port, state
	}{
		"to all, reachable":                    {at("0.0.0.0", 25), ip4, open, "192.0.2.1:25 reachable"},
		"to all of both families":              {at("", 25), ip6, open, "[2001:db8::1]:25 reachable"},
		"to :: with IPv4":                      {at("::", 25), ip4, open, "192.0.2.1:25 reachable"},
		"to :: without IPv4":                   {join.Listener{Address: addr("::"), V6Only: true, Port: 25, Presence: join.Listening}, ip4, open, "192.0.2.1:25 elsewhere; [::]:25 unknown"},
		"to all IPv4, asked over IPv6":         {at("0.0.0.0", 25), ip6, open, "0.0.0.0:25 unknown; [2001:db8::1]:25 elsewhere"},
		"to this address":                      {at(ip4, 25), ip4, filtered, "192.0.2.1:25 filtered"},
		"to all, filtered":                     {at("0.0.0.0", 10025), ip4, filtered, "192.0.2.1:10025 filtered"},
		"to all, closed when it was scanned":   {at("0.0.0.0", 10025), ip4, closed, "192.0.2.1:10025 unknown"},
		"to all, behind address translation":   {at("0.0.0.0", 10025), nat, open, "198.51.100.7:10025 reachable"},
		"to another address, and translated":   {at(ip4, 10025), nat, open, "192.0.2.1:10025 unknown; 198.51.100.7:10025 elsewhere"},
		"to all, not probed":                   {at("0.0.0.0", 10025), ip4, "", "192.0.2.1:10025 unknown"},
		"to all, the answer was lost":          {at("0.0.0.0", 10025), ip4, unknown, "192.0.2.1:10025 unknown"},
		"on loopback":                          {at("127.0.0.1", 10025), ip4, filtered, "192.0.2.1:10025 loopback"},
		"on loopback, closed":                  {at("127.0.0.1", 10025), ip4, closed, "192.0.2.1:10025 loopback"},
		"on loopback, not probed":              {at("127.0.0.1", 10025), ip4, "", "192.0.2.1:10025 unknown"},
		"on loopback, but reachable":           {at("127.0.0.1", 10025), ip4, open, "192.0.2.1:10025 elsewhere"},
		"on loopback of IPv6 only":             {at("::1", 10025), ip4, closed, "[::1]:10025 unknown"},
		"on the loopback interface":            {join.Listener{Address: addr("0.0.0.0"), Local: true, Port: 53, Presence: join.Listening}, ip4, open, "192.0.2.1:53 elsewhere"},
		"configured, not running":              {file("", 10025, join.NotRunning), ip4, closed, "192.0.2.1:10025 not-running"},
		"configured, not running, not probed":  {file("", 10025, join.NotRunning), ip4, "", "192.0.2.1:10025 not-running"},
		"configured, not running, but open":    {file("", 10025, join.NotRunning), ip4, open, "192.0.2.1:10025 elsewhere"},
		"on loopback, not running":             {file("127.0.0.1", 10025, join.NotRunning), ip4, closed, "192.0.2.1:10025 not-running"},
		"configured, and closed":               {file("", 10025, join.Configured), ip4, closed, "192.0.2.1:10025 not-running"},
		"configured, and filtered":             {file("", 10025, join.Configured), ip4, filtered, "192.0.2.1:10025 filtered"},
		"configured on loopback, and closed":   {file("127.0.0.1", 10025, join.Configured), ip4, closed, "192.0.2.1:10025 loopback"},
		"perhaps configured, and open":         {join.Listener{Port: 10025, Doubtful: true}, ip4, open, "192.0.2.1:10025 reachable"},
		"perhaps configured, and filtered":     {join.Listener{Port: 10025, Doubtful: true}, ip4, filtered, "192.0.2.1:10025 unknown"},
		"perhaps configured, and does not run": {join.Listener{Port: 10025, Doubtful: true, Presence: join.NotRunning}, ip4, filtered, "192.0.2.1:10025 unknown"},
		"scanned on loopback":                  {at("127.0.0.1", 25), "127.0.0.1", open, "127.0.0.1:25 unknown"},
	} {
		outside := []join.Address{{IP: addr(c.outside), States: map[uint16]result.State{c.listener.Port: c.state}}}
		if c.state == "" {
			outside[0].States = nil
		}
		got := shown(join.Join([]join.Listener{c.listener}, outside))
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func shown(pairs []join.Pair) string {
	var list []string
	for _, p := range pairs {
		list = append(list, fmt.Sprintf("%s %s", p.Target, p.State))
	}
	return strings.Join(list, "; ")
}

// Where several listeners are on a port, the one that runs and has the address itself is
// meant; where the scan only shows that a port is not open, no state is claimed.
func TestJoinChoice(t *testing.T) {
	t.Parallel()
	ip := addr("192.0.2.1")
	list := []join.Listener{file("192.0.2.1", 25, join.NotRunning), at("", 25), at("192.0.2.1", 25), at("127.0.0.1", 10024), at("0.0.0.0", 10025), at("0.0.0.0", 10026)}
	pairs := join.Join(list, []join.Address{{
		IP: ip, States: map[uint16]result.State{25: result.StateOpen, 80: result.StateOpen, 443: result.StateClosed},
		Unlisted: func(port uint16) result.State {
			return map[uint16]result.State{10024: join.NotOpen, 10025: result.StateFiltered, 10026: join.NotOpen}[port]
		},
	}})
	if got, want := shown(pairs), "192.0.2.1:25 reachable; 192.0.2.1:80 elsewhere; 192.0.2.1:10024 loopback; 192.0.2.1:10025 filtered; 192.0.2.1:10026 unknown"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	for i, want := range []int{2, -1, 3, 4, 5} {
		if pairs[i].Listener != want {
			t.Errorf("%v: listener %d, want %d", pairs[i].Target, pairs[i].Listener, want)
		}
	}
	for i, want := range []result.State{"", result.StateFiltered, ""} {
		if p := pairs[2+i]; p.Outside != want {
			t.Errorf("%v is %q outside, want %q", p.Target, p.Outside, want)
		}
	}
}

// An address of the machine that the scan did not probe has a pair for each listener that
// accepts connections to it, and no other.
func TestJoinUnprobed(t *testing.T) {
	t.Parallel()
	list := []join.Listener{at("::", 25), at("0.0.0.0", 10025), at("127.0.0.1", 10026), at("10.8.0.1", 10027), file("", 10028, join.NotRunning)}
	filtered := map[uint16]result.State{25: result.StateOpen, 10025: result.StateFiltered, 10026: result.StateFiltered, 10027: result.StateFiltered, 10028: result.StateFiltered}
	pairs := join.Join(list, []join.Address{{IP: addr("192.0.2.1"), States: filtered}, {IP: addr("2001:db8::1"), Unprobed: true}, {IP: addr("10.8.0.1"), Unprobed: true}})
	want := "10.8.0.1:25 unknown; 192.0.2.1:25 reachable; [2001:db8::1]:25 unknown; 10.8.0.1:10025 unknown; 192.0.2.1:10025 filtered; 192.0.2.1:10026 loopback; 10.8.0.1:10027 unknown; 192.0.2.1:10028 not-running"
	if got := shown(pairs); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// For any listeners and any answers: each pair has exactly one state, what was not probed is
// never filtered, loopback or reachable, a listener on loopback explains no open port, and no
// open port and no listener is left out.
func TestJoinProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	bounds := []string{"", "0.0.0.0", "::", "127.0.0.1", "::1", "192.0.2.1", "2001:db8::1", "10.0.0.1", "127.0.0.53"}
	scanned := []string{"192.0.2.1", "2001:db8::1", "198.51.100.7", "127.0.0.1"}
	states := []result.State{result.StateOpen, result.StateClosed, result.StateFiltered, result.StateUnknown, result.StateSkipped, ""}
	for range 20000 {
		var list []join.Listener
		for range r.IntN(5) {
			list = append(list, join.Listener{
				Address: addr(bounds[r.IntN(len(bounds))]), V6Only: r.IntN(2) == 0, Local: r.IntN(6) == 0, Port: uint16(1 + r.IntN(3)),
				Presence: join.Presence(r.IntN(3)), Doubtful: r.IntN(5) == 0,
			})
		}
		outside := map[netip.AddrPort]result.State{}
		var hosts []join.Address
		for _, i := range r.Perm(len(scanned))[:r.IntN(len(scanned))] {
			a := join.Address{IP: addr(scanned[i]), States: map[uint16]result.State{}}
			for port := uint16(1); port <= 3; port++ {
				if s := states[r.IntN(len(states))]; s != "" {
					a.States[port] = s
					outside[netip.AddrPortFrom(a.IP, port)] = s
				}
			}
			hosts = append(hosts, a)
		}
		checkPairs(t, list, hosts, outside)
	}
}

func checkPairs(t *testing.T, list []join.Listener, hosts []join.Address, outside map[netip.AddrPort]result.State) {
	t.Helper()
	pairs := join.Join(list, hosts)
	seen, meant := map[netip.AddrPort]result.JoinState{}, map[int]bool{}
	for _, p := range pairs {
		state := outside[p.Target]
		if _, twice := seen[p.Target]; twice || !slices.Contains(result.JoinStates(), p.State) {
			t.Fatalf("%+v is a duplicate, or has no state: %v", p, pairs)
		}
		seen[p.Target] = p.State
		meant[p.Listener] = true
		loopback := p.Target.Addr().IsLoopback()
		conclusive := state == result.StateOpen || state == result.StateClosed || state == result.StateFiltered
		switch p.State {
		case result.JoinReachable, result.JoinElsewhere:
			if state != result.StateOpen || loopback {
				t.Fatalf("%+v is %q outside", p, state)
			}
		case result.JoinFiltered:
			if state != result.StateFiltered || loopback {
				t.Fatalf("%+v is %q outside", p, state)
			}
		case result.JoinLoopback:
			if !conclusive || state == result.StateOpen || loopback {
				t.Fatalf("%+v is %q outside", p, state)
			}
		}
		if p.Listener < 0 {
			continue
		}
		l := &list[p.Listener]
		local := l.Local || l.Address.IsLoopback()
		if l.Port != p.Target.Port() || local && (p.State == result.JoinReachable || p.State == result.JoinFiltered) || !local && p.State == result.JoinLoopback {
			t.Fatalf("%+v has the listener %+v", p, *l)
		}
	}
	for at, state := range outside {
		if got := seen[at]; state == result.StateOpen && !at.Addr().IsLoopback() && got != result.JoinReachable && got != result.JoinElsewhere {
			t.Fatalf("%s is open, and %q: %+v", at, got, list)
		}
	}
	for i, l := range list {
		if meant[i] {
			continue
		}
		if !slices.ContainsFunc(pairs, func(p join.Pair) bool { return p.Target.Port() == l.Port }) {
			t.Fatalf("nothing is said of %+v", l)
		}
	}
}
