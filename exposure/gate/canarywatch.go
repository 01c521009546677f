package gate

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/result"
)

// A WatchedCanary is a canary with what a run heard of it. A CanaryWatch makes them.
type WatchedCanary struct {
	policy.Canary

	// Answered is whether the canary was open whenever it was asked, once at
	// least, and spoke its protocol.
	Answered bool

	// Own is whether only addresses of the scanning machine itself answered at
	// some time: that shows nothing of the network.
	Own bool

	// Reason is why it could not be asked, or not on all addresses of its name; ""
	// if it could.
	Reason string

	asked      bool      // there is a result of one of its addresses
	last, lost time.Time // when it answered last, and when it did not for the first time
	spoke      bool      // its protocol was heard
	heard      string    // another protocol that was heard, "" if none was
	product    string    // what spoke it, "" if that is not known
}

// showsNetwork reports whether the canary answered whenever it was asked, from
// another machine.
func (c WatchedCanary) showsNetwork() bool { return c.Answered && !c.Own }

// notice says what is wrong with a canary that has not answered. Ended is what
// ended the run before all was asked, "" if nothing did.
func (c *WatchedCanary) notice(ended string) result.Notice {
	k := exposure.NoticeKindOf(exposure.NoticeCanary)
	n := result.Notice{Code: k.Code, Level: k.Level, Target: c.Target(), Anchor: c.Anchor, Message: fmt.Sprintf("The canary %s was not probed", c.Target())}
	switch {
	case c.asked && c.openThroughout():
		n.Message = c.unheard(ended)
		return n
	case c.asked:
		return exposure.NewNotice(exposure.NoticeCanary, c.Target(), c.Anchor, "%s", c.complaint())
	}
	if why := cmp.Or(c.Reason, ended); why != "" {
		n.Message += ": " + why
	}
	n.Message += "."
	if c.Reason != "" {
		n.Message += " Correct its entry, or use another canary."
	}
	return n
}

// openThroughout reports whether the canary was open whenever it was asked, so that
// only its protocol is missing.
func (c *WatchedCanary) openThroughout() bool { return c.lost.IsZero() && !c.last.IsZero() }

// unheard says what answers instead of the protocol of a canary that is open, and
// what to do. The network is not at fault.
func (c *WatchedCanary) unheard(ended string) string {
	switch {
	case c.heard != "":
		who := c.heard
		if c.product != "" {
			who = c.product + " (" + c.heard + ")"
		}
		return fmt.Sprintf("The canary %s is open, but %s answers there, not %s. If that is what should answer, write protocol: %s in its entry, or omit the key; if not, find out which service uses the port.",
			c.Target(), who, c.Protocol, c.heard)
	case ended != "":
		return fmt.Sprintf("The canary %s is open, but %s was not identified on it: %s.", c.Target(), c.Protocol, ended)
	}
	return fmt.Sprintf("The canary %s is open, but %s was not identified on it. Scan again, or omit protocol in its entry if it is enough that the port is open.", c.Target(), c.Protocol)
}

// complaint says what is wrong with a canary that did not answer when it was asked.
func (c *WatchedCanary) complaint() string {
	switch {
	case c.last.After(c.lost) && !c.lost.IsZero():
		return fmt.Sprintf("The canary %s did not answer at %s but answered again at %s: ports probed before that may be open.",
			c.Target(), clock(c.lost), clock(c.last))
	case !c.lost.IsZero() && !c.last.IsZero():
		return fmt.Sprintf("The canary %s last answered at %s and did not answer at %s: ports probed since then may be open.",
			c.Target(), clock(c.last), clock(c.lost))
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
	canaries []WatchedCanary
	states   bool // no protocol is listened for
	own      func(netip.Addr) bool
}

// WatchCanaries begins to watch canaries. With statesOnly, a canary need only
// be open: the run identifies nothing. Own tells the addresses of the scanning
// machine itself; nil says that there are none.
func WatchCanaries(canaries []policy.Canary, statesOnly bool, own func(netip.Addr) bool) *CanaryWatch {
	if own == nil {
		own = func(netip.Addr) bool { return false }
	}
	w := &CanaryWatch{states: statesOnly, own: own}
	for _, c := range canaries {
		w.canaries = append(w.canaries, WatchedCanary{Canary: c})
	}
	return w
}

// Asked takes the results of one occasion on which all canaries were asked. A
// canary answers if one of its addresses is open.
func (w *CanaryWatch) Asked(results []exposure.Subject, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.canaries {
		c := &w.canaries[i]
		open, network := false, false
		for _, p := range results {
			if !c.Matches(&p) {
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
func (w *CanaryWatch) Wants(p exposure.Subject) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.canaries, func(c WatchedCanary) bool { return !w.states && c.Protocol != "" && c.Matches(&p) })
}

// Heard takes an open port with what answers there.
func (w *CanaryWatch) Heard(p exposure.Subject) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.canaries {
		c := &w.canaries[i]
		if p.State != result.StateOpen || p.Service == nil || p.Service.Method == "table" || !c.Matches(&p) {
			continue
		}
		if strings.EqualFold(p.Service.Name, c.Protocol) {
			c.spoke = true
		} else if p.Service.Name != "" && p.Service.Name != "unknown" {
			c.heard, c.product = p.Service.Name, strings.TrimSpace(p.Service.Product+" "+p.Service.Version)
		}
	}
}

// Canaries gives all canaries, each with whether it answered.
func (w *CanaryWatch) Canaries() []WatchedCanary {
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
	return slices.ContainsFunc(w.Canaries(), WatchedCanary.showsNetwork)
}
