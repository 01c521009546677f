package join

import (
	"net/netip"

	"github.com/mxsweep/mxsweep/result"
)

// A View is what the sentences about pairs need to know besides the pairs.
type View struct {
	From  string // the vantage point of the scan
	Files bool   // only configuration files were read: whether a daemon runs is not known

	// Bound says where a listener is bound, by its index: "bound to all addresses".
	Bound func(listener int) string

	// Own reports whether an address is one of the machine; nil means that this is not
	// known.
	Own func(netip.Addr) bool

	// Unknown says why a state is unknown, by the pair; "" if nothing more is known than
	// that the scan does not show it. nil is "".
	Unknown func(*Pair) string
}

// Why says what a pair means, in a sentence without a full stop.
func (v *View) Why(listeners []Listener, p *Pair) string {
	var l *Listener
	bound := ""
	if p.Listener >= 0 {
		l, bound = &listeners[p.Listener], v.Bound(p.Listener)
	}
	text := v.state(l, bound, p)
	if v.Own != nil && l != nil && !v.Own(p.Target.Addr()) && (p.State == result.JoinReachable || p.State == result.JoinFiltered) {
		text += "; the machine itself does not have this address: something in front of it translates addresses"
	}
	return text
}

// state says what the state of a pair means for a listener, which is nil if there is none.
func (v *View) state(l *Listener, bound string, p *Pair) string {
	switch p.State {
	case result.JoinReachable:
		return bound + ", and reachable from the vantage point " + v.From
	case result.JoinElsewhere:
		return "reachable from the vantage point " + v.From + ", but " + v.nothing(l, bound)
	case result.JoinFiltered:
		return bound + ", and not reachable from the vantage point " + v.From + ": protected only by a firewall"
	case result.JoinLoopback:
		return bound + " only, and not reachable from the vantage point " + v.From
	case result.JoinNotRunning:
		if v.Files {
			return "configured, " + bound + ", but the port is closed: not running, or refused on the way"
		}
		return "configured, " + bound + ", but nothing listens here"
	}
	why := "the scan from the vantage point " + v.From + " does not show whether it is reachable"
	if p.Outside == result.StateClosed {
		why = "closed in the scan from the vantage point " + v.From + ": a filter refuses connections, or nothing listened yet"
	}
	if v.Unknown != nil {
		if more := v.Unknown(p); more != "" {
			why = more
		}
	}
	if bound == "" {
		return why
	}
	return bound + "; " + why
}

// nothing says what is here in place of what answers outside.
func (v *View) nothing(l *Listener, bound string) string {
	const who = ": a proxy, address translation or another host answers"
	switch {
	case l != nil && l.Presence == NotRunning:
		return "what is configured here, " + bound + ", does not run" + who
	case l != nil && v.Files:
		return "the files have a listener that is " + bound + " only" + who
	case l != nil:
		return "what listens here is " + bound + " only" + who
	case v.Files:
		return "no file opens it: a proxy, address translation, another host or a daemon without a file here answers"
	}
	return "nothing listens here" + who
}
