package signatures

import (
	"encoding/hex"
	"slices"
	"time"
)

// A Condition is something that one exchange must show.
type Condition struct {
	Pos Pos

	Probe     string // the exchange; Greeting by default
	Reply     *Pattern
	Hex       *Pattern
	Ended     []string
	Bytes     *Range
	First     *TimeRange
	Took      *TimeRange
	Handshake string
	Tail      []string
	TLS       *bool
	Proxied   *bool
	Remote    *bool
	Echo      bool
	Not       bool

	Any []Condition // if set, the condition has no other keys but Not
	All []Condition // if set, the condition has no other keys but Not
}

// A Range is a range of whole numbers; Max < 0 means no end.
type Range struct{ Min, Max int }

// A TimeRange is a range of times; Max of zero means no end.
type TimeRange struct{ Min, Max time.Duration }

// A Truth is the result of a condition.
type Truth int

// The results. Unknown means that an exchange may still come, or that the part to
// which the condition refers was lost.
const (
	Unknown Truth = iota
	False
	True
)

// Seen is what is known about a port: the exchanges so far, and whether others may
// still come.
type Seen interface {
	// Exchange returns the exchange of a probe, or nil; pending reports
	// whether one may still come.
	Exchange(probe string) (ex *Exchange, pending bool)
}

// Exchange lets a finished transcript be matched: missing exchanges will not come.
func (t *Transcript) Exchange(probe string) (*Exchange, bool) { return t.Find(probe), false }

// All is the result of a conjunction: False if one condition is false, True if all are
// true.
func All(conditions []Condition, seen Seen) Truth {
	v := True
	for i := range conditions {
		switch conditions[i].Match(seen) {
		case False:
			return False
		case Unknown:
			v = Unknown
		}
	}
	return v
}

// Match evaluates the condition. A condition on an exchange that did not and will not
// take place is false, even if it is negated.
func (c *Condition) Match(seen Seen) Truth {
	switch {
	case c.Any != nil:
		return c.turn(anyOf(c.Any, seen))
	case c.All != nil:
		return c.turn(All(c.All, seen))
	}
	ex, pending := seen.Exchange(c.Probe)
	switch {
	case ex == nil && pending:
		return Unknown
	case (ex == nil || ex.Tail == "") && slices.Contains(c.Tail, TailUnknown):
		return c.turn(True)
	case ex == nil:
		return False
	case c.Tail != nil && ex.Tail == "":
		return Unknown // whatever Not says: nobody knows
	case ex.Incomplete:
		return c.turn(c.partly(ex))
	case ex.Echo() != c.Echo:
		return False
	case c.holds(ex):
		return c.turn(True)
	}
	return c.turn(False)
}

func (c *Condition) turn(v Truth) Truth {
	if c.Not && v != Unknown {
		return True + False - v
	}
	return v
}

func anyOf(conditions []Condition, seen Seen) Truth {
	v := False
	for i := range conditions {
		switch conditions[i].Match(seen) {
		case True:
			return True
		case Unknown:
			v = Unknown
		}
	}
	return v
}

// holds evaluates everything but Not, cheapest first.
func (c *Condition) holds(ex *Exchange) bool {
	n := len(ex.Reply)
	switch {
	case c.Ended != nil && !slices.Contains(c.Ended, ex.End),
		c.Handshake != "" && c.Handshake != ex.Handshake,
		c.Tail != nil && !slices.Contains(c.Tail, ex.Tail),
		c.TLS != nil && *c.TLS != ex.TLS,
		c.Proxied != nil && *c.Proxied != ex.Proxied,
		c.Remote != nil && *c.Remote != ex.Remote,
		c.Bytes != nil && (n < c.Bytes.Min || c.Bytes.Max >= 0 && n > c.Bytes.Max),
		c.First != nil && (n == 0 || !c.First.has(ex.First)),
		c.Took != nil && !c.Took.has(ex.Took):
		return false
	}
	if c.Hex != nil && !c.Hex.re.MatchString(hex.EncodeToString(ex.Reply)) {
		return false
	}
	return c.Reply == nil || ex.matches(c.Reply)
}

// partly is the result, without Not, for an exchange with lost parts: what was
// received may fulfill the condition, and nothing refutes it.
func (c *Condition) partly(ex *Exchange) Truth {
	n := len(ex.Reply)
	switch {
	case c.TLS != nil && *c.TLS != ex.TLS, c.Proxied != nil && *c.Proxied != ex.Proxied, c.Remote != nil && *c.Remote != ex.Remote:
		return False
	case c.Ended != nil, c.Took != nil, c.First != nil, c.Echo, ex.Echo(),
		c.Handshake != "" && ex.Handshake != HandshakeComplete,
		c.Bytes != nil && (n < c.Bytes.Min || c.Bytes.Max >= 0):
		return Unknown
	case c.Handshake != "" && c.Handshake != ex.Handshake:
		return False
	case c.Hex != nil && !c.Hex.re.MatchString(hex.EncodeToString(ex.Reply)), c.Reply != nil && !ex.matches(c.Reply):
		return Unknown
	case c.Hex == nil && c.Reply == nil && c.Bytes == nil && c.Handshake == "":
		return Unknown
	}
	return True
}

func (r *TimeRange) has(d time.Duration) bool {
	return d >= r.Min && (r.Max == 0 || d <= r.Max)
}

// probes calls f for the probe of the condition and of nested ones.
func (c *Condition) probes(f func(id string, at Pos)) {
	for i := range c.Any {
		c.Any[i].probes(f)
	}
	for i := range c.All {
		c.All[i].probes(f)
	}
	if c.Probe != "" {
		f(c.Probe, c.Pos)
	}
}

// Needs calls f for each probe for whose exchange the undecided conditions still wait.
func Needs(conditions []Condition, seen Seen, f func(probe string)) {
	for i := range conditions {
		c := &conditions[i]
		if c.Match(seen) != Unknown {
			continue
		}
		Needs(c.Any, seen, f)
		Needs(c.All, seen, f)
		if c.Probe != "" {
			f(c.Probe)
		}
	}
}
