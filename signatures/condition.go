package signatures

import (
	"encoding/hex"
	"slices"
	"time"
)

// A Condition is something that one exchange must show.
type Condition struct {
	Pos Pos

	Probe     string // the exchange; Greeting if none is named
	Reply     *Pattern
	Hex       *Pattern
	Ended     []string
	Bytes     *Range
	First     *TimeRange
	Took      *TimeRange
	Handshake string
	TLS       *bool
	Proxied   *bool
	Echo      bool
	Not       bool

	Any []Condition // if set, nothing else is but Not
	All []Condition // if set, nothing else is but Not
}

// A Range is a range of whole numbers; Max < 0 means no end.
type Range struct{ Min, Max int }

// A TimeRange is a range of times; Max of zero means no end.
type TimeRange struct{ Min, Max time.Duration }

// A Truth is what is known of a condition.
type Truth int

// The verdicts. Unknown means that an exchange is still to come, or that what
// the condition asks for was not heard.
const (
	Unknown Truth = iota
	False
	True
)

// Seen is what is known of a port: the exchanges that were had and whether
// others may still come.
type Seen interface {
	// Exchange returns the exchange of a probe, or nil; pending reports
	// whether one may still come.
	Exchange(probe string) (ex *Exchange, pending bool)
}

// Exchange lets a finished transcript be matched: what is not in it will not
// come.
func (t *Transcript) Exchange(probe string) (*Exchange, bool) { return t.Find(probe), false }

// All is the verdict on a conjunction: False if one condition is false, True
// if all are true.
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

// Match tells whether the condition holds. A condition on an exchange that
// was not had, and will not be, does not hold, turned round or not.
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
	case ex == nil:
		return False
	case ex.Unheard:
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

// holds looks at everything but Not, cheapest first.
func (c *Condition) holds(ex *Exchange) bool {
	n := len(ex.Reply)
	switch {
	case c.Ended != nil && !slices.Contains(c.Ended, ex.End),
		c.Handshake != "" && c.Handshake != ex.Handshake,
		c.TLS != nil && *c.TLS != ex.TLS,
		c.Proxied != nil && *c.Proxied != ex.Proxied,
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

// partly is the verdict, but for Not, on an exchange that was not heard whole:
// what came may fulfill the condition, and nothing refutes it.
func (c *Condition) partly(ex *Exchange) Truth {
	n := len(ex.Reply)
	switch {
	case c.TLS != nil && *c.TLS != ex.TLS, c.Proxied != nil && *c.Proxied != ex.Proxied:
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

// probes calls f for the probe of the condition and of those inside of it.
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

// Needs calls f for each probe whose exchange the undecided conditions among
// these still wait for.
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
