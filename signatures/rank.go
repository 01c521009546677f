package signatures

import (
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// LeastBehavior is the minimum confidence with which a signature based on
// behavior outranks one based on a greeting, which an administrator can change.
const LeastBehavior = 5

// wordsOnly reports whether the signature is based only on the text of the
// greeting, as far as known.
func (s *Signature) wordsOnly(seen Seen) bool {
	return !slices.ContainsFunc(s.When, func(c Condition) bool { return c.asksMore(seen) })
}

// asksMore reports whether the condition is based on more than the text of the
// greeting, or may be.
func (c *Condition) asksMore(seen Seen) bool {
	more := func(c Condition) bool { return c.Match(seen) != False && c.asksMore(seen) }
	switch {
	case c.Any != nil:
		return slices.ContainsFunc(c.Any, more)
	case c.All != nil:
		return slices.ContainsFunc(c.All, more)
	}
	return c.Probe != Greeting || c.Remote != nil
}

// handsOn reports whether a signature is based only on replies that the proxy
// identified by o relays from the daemon behind it.
func (s *Signature) handsOn(o *Signature, seen Seen) bool {
	return len(s.Behind) > 0 && !slices.ContainsFunc(o.When, func(c Condition) bool {
		outside := false
		if !c.Not && c.Match(seen) == True {
			c.probes(func(id string, _ Pos) { outside = outside || !slices.Contains(s.Behind, id) })
		}
		return outside
	})
}

// Claims reports whether the greeting has the text by which the daemon is
// recognized if nothing else is known.
func (s *Signature) Claims(seen Seen) bool {
	return len(s.Through) > 0 && All(s.Through, only{seen, []string{Greeting}}) == True
}

// Contradicts reports whether two signatures identify products of different
// makers, so that one of them is wrong if both match.
func (s *Signature) Contradicts(o *Signature) bool {
	return s.Product != "" && o.Product != "" && maker(s.Product) != maker(o.Product)
}

// maker returns the first word of a product name, which its components share:
// "Postfix smtpd", "Postfix postscreen".
func maker(product string) string {
	first, _, _ := strings.Cut(product, " ")
	return first
}

// Outranks reports whether the signature wins over another one that matches too,
// perhaps with higher confidence: it is based on behavior and contradicts what
// the other takes from a greeting, or it identifies a proxy, which relays what
// the other is based on.
func (s *Signature) Outranks(o *Signature, seen Seen) bool {
	if s.Confidence < LeastBehavior || s.wordsOnly(seen) {
		return false
	}
	return s.Contradicts(o) && o.wordsOnly(seen) || s.Relays(o, seen)
}

// Relays reports whether the signature identifies a proxy that relays all on which
// the other one is based: that one identifies the daemon behind it.
func (s *Signature) Relays(o *Signature, seen Seen) bool {
	return len(o.Behind) == 0 && s.handsOn(o, seen)
}

// rivals reports whether the signature may win over another one if both match.
func (s *Signature) rivals(o *Signature, seen Seen) bool {
	switch {
	case s == o, o.Outranks(s, seen), s.Confidence < o.Confidence:
		return false
	case s.Product == "" && s.Confidence == o.Confidence:
		return better(s, o)
	}
	return true
}

// beside reports whether the signature identifies a web page that a daemon serves
// in addition to its protocol.
func (s *Signature) beside() bool { return s.Protocol == "http" && s.Role == result.RoleNotMail }

// Best returns the most specific signature of those that match, or nil.
func Best(held []*Signature, seen Seen) *Signature {
	var best *Signature
	for _, s := range held {
		if best != nil && !better(s, best) {
			continue
		}
		if !slices.ContainsFunc(held, func(o *Signature) bool {
			return o.Outranks(s, seen) || s.beside() && o.Protocol != s.Protocol && o.Confidence >= LeastBehavior
		}) {
			best = s
		}
	}
	return best
}

// better orders matching signatures: by confidence, then one with a product before one
// without, then by number of conditions, then by name, so that the result never depends
// on the order of files.
func better(a, b *Signature) bool {
	switch {
	case a.Confidence != b.Confidence:
		return a.Confidence > b.Confidence
	case (a.Product == "") != (b.Product == ""):
		return a.Product != ""
	case len(a.When) != len(b.When):
		return len(a.When) > len(b.When)
	}
	return a.ID < b.ID
}
