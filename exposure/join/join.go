// Package join puts together what a machine, or its configuration files, opens and what a
// scan from outside saw: each address and port gets exactly one state.
//
// A port that the scan did not probe, or of which it lost the answer, is unknown and never
// filtered, and so is one that was closed: nothing may have listened on it yet. A listener on
// loopback never explains an open port.
package join

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/mxsweep/mxsweep/result"
)

// MaxRows is the maximum number of pairs that a report has.
const MaxRows = 2000

// A Listener is one address and port that a machine opens, or that its files do.
type Listener struct {
	// Address is where it is bound: 0.0.0.0 is each IPv4 address, :: each IPv6 address,
	// and unless V6Only is set each IPv4 address too. The zero Addr is each address of
	// both families.
	Address netip.Addr
	V6Only  bool
	Port    uint16

	// Local is set if only the machine itself, or a network inside of it, can connect:
	// always for a loopback address, and for a socket of the loopback interface.
	Local bool

	Presence Presence

	// Doubtful is set if it is not certain that the listener exists as described: then it
	// explains an open port, and nothing else.
	Doubtful bool
}

// A Presence says how it is known that something listens.
type Presence int

// The presences.
const (
	Configured Presence = iota // a file says so; whether the daemon runs is not known
	Listening                  // the machine shows it
	NotRunning                 // a file says so, but the machine shows that nothing listens
)

// String returns where the listener is bound, as ss(8) writes it: "*:25" is each address of
// both families.
func (l *Listener) String() string {
	if !l.Address.IsValid() || l.Address.Is6() && l.Address.IsUnspecified() && !l.V6Only {
		return "*:" + strconv.Itoa(int(l.Port))
	}
	return netip.AddrPortFrom(l.Address, l.Port).String()
}

// local reports whether only the machine itself can connect.
func (l *Listener) local() bool { return l.Local || l.Address.Unmap().IsLoopback() }

// accepts reports whether the listener accepts connections to an address that reach the
// machine from outside.
func (l *Listener) accepts(to netip.Addr) bool {
	if l.local() {
		return false
	}
	bound := l.Address.Unmap()
	switch {
	case !bound.IsValid():
		return true
	case bound.IsUnspecified():
		return bound.Is4() == to.Is4() || bound.Is6() && !l.V6Only
	}
	return bound.WithZone("") == to
}

// family reports whether an address is of a family that the listener has.
func (l *Listener) family(a netip.Addr) bool {
	bound := l.Address.Unmap()
	return !bound.IsValid() || bound.Is4() == a.Is4() || bound.IsUnspecified() && bound.Is6() && !l.V6Only
}

// An Address is an address of the machine as a scan saw it: its own, or one in front of it,
// whose connections something passes on.
type Address struct {
	IP netip.Addr

	// States are the states of the ports that the scan probed; a port that is not there, and
	// one of another state than open, closed and filtered, is unknown.
	States map[uint16]result.State

	// Unlisted returns what the scan showed of a port of which States has nothing:
	// StateFiltered, NotOpen, or "" for nothing; nil means that it shows nothing.
	Unlisted func(port uint16) result.State

	// Unprobed is set for an address of the machine that the scan did not probe. Only
	// listeners that run and accept connections to it have a pair there.
	Unprobed bool
}

// NotOpen is the state of a port that is closed or filtered, where it is not known which.
const NotOpen result.State = "not-open"

// outside returns the state of a port: open, closed, filtered, NotOpen, or "" if it is not
// known.
func (a *Address) outside(port uint16) result.State {
	switch s := a.States[port]; s {
	case result.StateOpen, result.StateClosed, result.StateFiltered:
		return s
	case "":
		if a.Unlisted != nil {
			return a.Unlisted(port)
		}
	}
	return ""
}

// A Pair is what is known of one address and port.
type Pair struct {
	Target netip.AddrPort
	State  result.JoinState

	// Outside is what the scan saw: "" if that is not known, or if it is either closed or
	// filtered.
	Outside result.State

	// Listener is the index of the listener that is meant; -1 if there is none. In the
	// state elsewhere it is one that does not accept the connections.
	Listener int
}

// Join returns a pair for each address and port that has a listener, or is open: each pair
// once, ordered by port and address. A listener that no address of its family could reach is
// a pair with its own address, in the state unknown.
func Join(listeners []Listener, outside []Address) []Pair {
	byPort := map[uint16][]int{}
	for i := range listeners {
		byPort[listeners[i].Port] = append(byPort[listeners[i].Port], i)
	}
	var pairs []Pair
	told := make([]bool, len(listeners))
	done := map[netip.AddrPort]bool{}
	add := func(p Pair) {
		if !done[p.Target] {
			done[p.Target] = true
			pairs = append(pairs, p)
		}
	}
	for i := range outside {
		a := &outside[i]
		ip := a.IP.Unmap().WithZone("")
		ports := maps.Clone(byPort)
		for port, state := range a.States {
			if state == result.StateOpen && ports[port] == nil {
				ports[port] = []int{}
			}
		}
		for port, list := range ports {
			if a.Unprobed {
				list = slices.DeleteFunc(slices.Clone(list), func(l int) bool { return !listeners[l].accepts(ip) || listeners[l].Presence == NotRunning })
			}
			p, ok := pair(listeners, list, netip.AddrPortFrom(ip, port), a.outside(port))
			if !ok {
				continue
			}
			add(p)
			for _, l := range list {
				told[l] = told[l] || listeners[l].accepts(ip) || listeners[l].local() && listeners[l].family(ip)
			}
		}
	}
	for i := range listeners {
		if l := &listeners[i]; !told[i] {
			add(unprobed(l, i))
		}
	}
	slices.SortFunc(pairs, func(x, y Pair) int {
		return cmp.Or(cmp.Compare(x.Target.Port(), y.Target.Port()), x.Target.Addr().Compare(y.Target.Addr()))
	})
	return pairs
}

// unprobed returns the pair of a listener that no scanned address reaches.
func unprobed(l *Listener, i int) Pair {
	ip := l.Address.Unmap().WithZone("")
	if !ip.IsValid() {
		ip = netip.IPv4Unspecified()
	}
	p := Pair{Target: netip.AddrPortFrom(ip, l.Port), State: result.JoinUnknown, Listener: i}
	if l.Presence == NotRunning && !l.Doubtful {
		p.State = result.JoinNotRunning
	}
	return p
}

// pair decides about one address and port, on which some of the listeners are; it reports
// false if there is nothing to say.
func pair(listeners []Listener, list []int, target netip.AddrPort, outside result.State) (Pair, bool) {
	p := Pair{Target: target, Outside: outside, Listener: -1}
	accepts := choose(listeners, list, func(l *Listener) bool { return l.accepts(target.Addr()) })
	local := choose(listeners, list, func(l *Listener) bool { return l.local() && l.family(target.Addr()) })
	if p.Listener = accepts; accepts < 0 {
		p.Listener = local
	}
	if outside == NotOpen {
		p.Outside = ""
	}
	runs := accepts >= 0 && listeners[accepts].Presence != NotRunning
	switch {
	case target.Addr().IsLoopback(): // seen from the machine itself
		p.State = result.JoinUnknown
		return p, outside == result.StateOpen || p.Listener >= 0
	case outside == result.StateOpen && runs:
		p.State = result.JoinReachable
	case outside == result.StateOpen:
		p.State = result.JoinElsewhere
	case p.Listener < 0:
		return p, false
	case accepts >= 0 && listeners[accepts].Doubtful:
		p.State = result.JoinUnknown
	case accepts >= 0 && !runs:
		p.State = result.JoinNotRunning
	case outside == "":
		p.State = result.JoinUnknown
	case accepts < 0 && listeners[local].Presence == NotRunning:
		p.State = result.JoinNotRunning
	case accepts < 0:
		p.State = result.JoinLoopback
	case outside == result.StateClosed && listeners[accepts].Presence == Configured:
		p.State = result.JoinNotRunning
	case outside == result.StateFiltered:
		p.State = result.JoinFiltered
	default: // closed: a filter refuses connections, or it did not listen when the scan was made
		p.State = result.JoinUnknown
	}
	return p, true
}

// choose returns the listener of a list that has a property: one that runs before one that
// does not, and the more certain and the more exact one first; -1 if none has it.
func choose(listeners []Listener, list []int, has func(*Listener) bool) int {
	best := -1
	for _, i := range list {
		if l := &listeners[i]; has(l) && (best < 0 || slices.Compare(l.rank(), listeners[best].rank()) < 0) {
			best = i
		}
	}
	return best
}

// rank is lower for the listener that more likely gets a connection.
func (l *Listener) rank() []int {
	number := map[bool]int{true: 1}
	return []int{number[l.Presence == NotRunning], number[l.Doubtful], number[!l.Address.IsValid() || l.Address.IsUnspecified()], number[l.V6Only]}
}
