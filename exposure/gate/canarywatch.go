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

// A WatchedCanary is a canary with its results in a run.
type WatchedCanary struct {
	policy.Canary

	// Answered is set if the canary was open each time it was probed, at least
	// once, and spoke its protocol.
	Answered bool

	// Own is set if at some time only addresses of the scanning machine itself
	// answered: that shows nothing about the network.
	Own bool

	// Reason is why it could not be probed, or not on all addresses of its name;
	// "" if it could.
	Reason string

	asked      bool      // there is a result for one of its addresses
	last, lost time.Time // when it last answered, and when it first did not
	identified bool      // its protocol was identified
	other      string    // another protocol that was identified, "" if none was
	product    string    // the product that answered, "" if not known
}

// showsNetwork reports whether the canary answered each time it was probed, from
// another machine.
func (c WatchedCanary) showsNetwork() bool { return c.Answered && !c.Own }

// notice returns the notice about a canary that has not answered. ended says what
// ended the run before all pairs were probed, "" if nothing did.
func (c *WatchedCanary) notice(ended string) result.Notice {
	k := exposure.NoticeKindOf(exposure.NoticeCanary)
	n := result.Notice{Code: k.Code, Level: k.Level, Target: c.Target(), Anchor: c.Anchor, Message: fmt.Sprintf("The canary %s was not probed", c.Target())}
	switch {
	case c.asked && c.openThroughout():
		n.Message = c.protocolMissing(ended)
		return n
	case c.asked:
		return exposure.NewNotice(exposure.NoticeCanary, c.Target(), c.Anchor, "%s", c.failure())
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

// openThroughout reports whether the canary was open each time it was probed, so
// that only its protocol is missing.
func (c *WatchedCanary) openThroughout() bool { return c.lost.IsZero() && !c.last.IsZero() }

// protocolMissing describes what answers instead of the protocol of a canary that is
// open, and what to do. The network is not the cause.
func (c *WatchedCanary) protocolMissing(ended string) string {
	switch {
	case c.other != "":
		who := c.other
		if c.product != "" {
			who = c.product + " (" + c.other + ")"
		}
		return fmt.Sprintf("The canary %s is open, but %s answers there, not %s. If that is what should answer, write protocol: %s in its entry, or omit the key; if not, find out which service uses the port.",
			c.Target(), who, c.Protocol, c.other)
	case ended != "":
		return fmt.Sprintf("The canary %s is open, but %s was not identified on it: %s.", c.Target(), c.Protocol, ended)
	}
	return fmt.Sprintf("The canary %s is open, but %s was not identified on it. Scan again, or omit protocol in its entry if it is enough that the port is open.", c.Target(), c.Protocol)
}

// failure describes what is wrong with a canary that did not answer a probe.
func (c *WatchedCanary) failure() string {
	switch {
	case c.last.After(c.lost) && !c.lost.IsZero():
		return fmt.Sprintf("The canary %s did not answer at %s but answered again at %s: ports probed before that may be open.",
			c.Target(), timeOfDay(c.lost), timeOfDay(c.last))
	case !c.lost.IsZero() && !c.last.IsZero():
		return fmt.Sprintf("The canary %s last answered at %s and did not answer at %s: ports probed since then may be open.",
			c.Target(), timeOfDay(c.last), timeOfDay(c.lost))
	}
	if c.Reason != "" {
		return fmt.Sprintf("The canary %s did not answer: %s.", c.Target(), c.Reason)
	}
	return fmt.Sprintf("The canary %s did not answer.", c.Target())
}

// timeOfDay formats a time of a run for people.
func timeOfDay(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

// A CanaryWatch records the results of canaries in a run. It is safe for
// concurrent use.
type CanaryWatch struct {
	mu       sync.Mutex
	canaries []WatchedCanary
	states   bool // protocols are not identified
	own      func(netip.Addr) bool
}

// WatchCanaries returns a watch for canaries. If statesOnly is set, a canary need
// only be open, because the run identifies nothing. own reports whether an
// address is one of the scanning machine; nil means that none is.
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

// AddStates records the results of one probe of all canaries. A canary answers if one
// of its addresses is open.
func (w *CanaryWatch) AddStates(results []exposure.Subject, at time.Time) {
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

// WantsService reports whether a port is that of a canary that must speak a protocol.
func (w *CanaryWatch) WantsService(p exposure.Subject) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.canaries, func(c WatchedCanary) bool { return !w.states && c.Protocol != "" && c.Matches(&p) })
}

// AddService records an open port with its service.
func (w *CanaryWatch) AddService(p exposure.Subject) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.canaries {
		c := &w.canaries[i]
		if p.State != result.StateOpen || p.Service == nil || p.Service.Method == "table" || !c.Matches(&p) {
			continue
		}
		if strings.EqualFold(p.Service.Name, c.Protocol) {
			c.identified = true
		} else if p.Service.Name != "" && p.Service.Name != "unknown" {
			c.other, c.product = p.Service.Name, strings.TrimSpace(p.Service.Product+" "+p.Service.Version)
		}
	}
}

// Canaries returns all canaries with their results.
func (w *CanaryWatch) Canaries() []WatchedCanary {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.canaries {
		c := &w.canaries[i]
		c.Answered = !c.last.IsZero() && c.lost.IsZero() && (w.states || c.Protocol == "" || c.identified)
	}
	return slices.Clone(w.canaries)
}

// ShowsNetwork reports whether a canary on another machine answered each time it
// was probed.
func (w *CanaryWatch) ShowsNetwork() bool {
	return slices.ContainsFunc(w.Canaries(), WatchedCanary.showsNetwork)
}
