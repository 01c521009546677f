package exposure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A Canary is a service that must answer: if it does not, the run did not see
// what it should.
type Canary struct {
	Selector Selector
	Port     uint16
	Protocol string // "" is any

	Anchor *scope.Anchor // its place in the policy file; nil for the command line

	// Answered is whether the canary was open whenever it was asked, once at
	// least, and spoke its protocol. A CanaryWatch fills it in.
	Answered bool

	// Own is whether only addresses of the scanning machine itself answered at
	// some time: that shows nothing of the network. A CanaryWatch fills it in.
	Own bool

	// Reason is why it could not be asked, or not on all addresses of its name; ""
	// if it could.
	Reason string

	asked      bool      // there is a result of one of its addresses
	last, lost time.Time // when it answered last, and when it did not for the first time
	spoke      bool      // its protocol was heard
	heard      string    // another protocol that was heard, "" if none was
}

// Target names the canary: host and port.
func (c *Canary) Target() string {
	if strings.Contains(c.Selector.Text(), ":") {
		return "[" + c.Selector.Text() + "]:" + decimal(c.Port)
	}
	return c.Selector.Text() + ":" + decimal(c.Port)
}

// showsNetwork reports whether the canary answered whenever it was asked, from
// another machine.
func (c Canary) showsNetwork() bool { return c.Answered && !c.Own }

// matches reports whether a port is the canary's.
func (c *Canary) matches(p *Port) bool {
	return p.Target.Port() == c.Port && c.Selector.Matches(p.Target.Addr(), p.names()...)
}

// notice says what is wrong with a canary that has not answered. Ended is what
// ended the run before all was asked, "" if nothing did.
func (c *Canary) notice(ended string) Notice {
	if c.asked {
		return NewNotice(NoticeCanary, c.Target(), c.Anchor, "%s", c.complaint(ended))
	}
	k := NoticeKindOf(NoticeCanary)
	n := Notice{Code: k.Code, Level: k.Level, Target: c.Target(), Anchor: c.Anchor, Message: fmt.Sprintf("The canary %s was not asked", c.Target())}
	if why := cmp.Or(c.Reason, ended); why != "" {
		n.Message += ": " + why
	}
	n.Message += "."
	if c.Reason != "" {
		n.Message += " Correct its entry, or name another canary."
	}
	return n
}

// complaint says what is wrong with a canary that was asked.
func (c *Canary) complaint(ended string) string {
	switch {
	case c.last.After(c.lost) && !c.lost.IsZero():
		return fmt.Sprintf("The canary %s did not answer at %s, and did again at %s: what was asked before that may be open.",
			c.Target(), clock(c.lost), clock(c.last))
	case !c.lost.IsZero() && !c.last.IsZero():
		return fmt.Sprintf("The canary %s answered at %s for the last time, and did not at %s: what was asked since then may be open.",
			c.Target(), clock(c.last), clock(c.lost))
	case c.heard != "" && c.lost.IsZero():
		return fmt.Sprintf("The canary %s answers with %s and not with %s.", c.Target(), c.heard, c.Protocol)
	case c.lost.IsZero() && !c.last.IsZero():
		why := ""
		if ended != "" {
			why = ": " + ended
		}
		return fmt.Sprintf("The canary %s is open, and %s was not heard from it%s.", c.Target(), c.Protocol, why)
	}
	if c.Reason != "" {
		return fmt.Sprintf("The canary %s did not answer: %s.", c.Target(), c.Reason)
	}
	return fmt.Sprintf("The canary %s did not answer.", c.Target())
}

// clock writes a moment of a run for people.
func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

// A CanaryWatch follows canaries through a run. It may be used by several
// goroutines at once.
type CanaryWatch struct {
	mu       sync.Mutex
	canaries []Canary
	states   bool // no protocol is listened for
	own      func(netip.Addr) bool
}

// WatchCanaries begins to watch canaries. With statesOnly, a canary need only
// be open: the run identifies nothing. Own tells the addresses of the scanning
// machine itself; nil says that there are none.
func WatchCanaries(canaries []Canary, statesOnly bool, own func(netip.Addr) bool) *CanaryWatch {
	if own == nil {
		own = func(netip.Addr) bool { return false }
	}
	return &CanaryWatch{canaries: slices.Clone(canaries), states: statesOnly, own: own}
}

// Asked takes the results of one occasion on which all canaries were asked. A
// canary answers if one of its addresses is open.
func (w *CanaryWatch) Asked(results []Port, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.canaries {
		c := &w.canaries[i]
		open, network := false, false
		for _, p := range results {
			if !c.matches(&p) {
				continue
			}
			c.asked = true
			if p.State == result.StateOpen {
				open, network = true, network || !w.own(p.Target.Addr())
			}
		}
		c.Own = c.Own || open && !network
		switch {
		case open:
			c.last = at
		case c.asked && c.lost.IsZero():
			c.lost = at
		}
	}
}

// Wants reports whether a port is that of a canary which must speak a protocol.
func (w *CanaryWatch) Wants(p Port) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.canaries, func(c Canary) bool { return !w.states && c.Protocol != "" && c.matches(&p) })
}

// Heard takes an open port with what answers there.
func (w *CanaryWatch) Heard(p Port) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.canaries {
		c := &w.canaries[i]
		if p.State != result.StateOpen || p.Service == nil || p.Service.Method == "table" || !c.matches(&p) {
			continue
		}
		if strings.EqualFold(p.Service.Protocol, c.Protocol) {
			c.spoke = true
		} else if p.Service.Protocol != "" && p.Service.Protocol != "unknown" {
			c.heard = p.Service.Protocol
		}
	}
}

// Canaries gives all canaries, each with whether it answered.
func (w *CanaryWatch) Canaries() []Canary {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.canaries {
		c := &w.canaries[i]
		c.Answered = !c.last.IsZero() && c.lost.IsZero() && (w.states || c.Protocol == "" || c.spoke)
	}
	return slices.Clone(w.canaries)
}

// ShowsNetwork reports whether a canary that is elsewhere answered each time
// that it was asked.
func (w *CanaryWatch) ShowsNetwork() bool {
	return slices.ContainsFunc(w.Canaries(), Canary.showsNetwork)
}
