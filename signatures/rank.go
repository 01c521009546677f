package signatures

import (
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// LeastBehavior is the confidence from which on a signature that rests on behavior
// outranks one that rests on a greeting, which an administrator may write.
const LeastBehavior = 5

// WordsOnly reports whether the signature asks for nothing but the text of the
// greeting.
func (s *Signature) WordsOnly() bool {
	return !slices.ContainsFunc(s.When, func(c Condition) bool { return c.asksMore() })
}

// asksMore reports whether the condition asks for more than words of the greeting.
func (c *Condition) asksMore() bool {
	switch {
	case c.Any != nil:
		return !slices.ContainsFunc(c.Any, func(c Condition) bool { return !c.asksMore() })
	case c.All != nil:
		return slices.ContainsFunc(c.All, func(c Condition) bool { return c.asksMore() })
	}
	return c.Probe != Greeting
}

// Contradicts reports whether two signatures name products of different makers, so
// that one of them is wrong where both hold.
func (s *Signature) Contradicts(o *Signature) bool {
	return s.Product != "" && o.Product != "" && maker(s.Product) != maker(o.Product)
}

// maker is the first word of a product, which its parts have in common: "Postfix
// smtpd", "Postfix postscreen".
func maker(product string) string {
	first, _, _ := strings.Cut(product, " ")
	return first
}

// Outranks reports whether the signature rests on behavior that contradicts what
// another one takes from a greeting.
func (s *Signature) Outranks(o *Signature) bool {
	handsOn := len(s.Behind) > 0 && s.Product == "" // the words of whoever is behind it
	return s.Confidence >= LeastBehavior && (handsOn || s.Contradicts(o)) && o.WordsOnly() && !s.WordsOnly()
}

// rivals reports whether the signature may hide another one where both hold.
func (s *Signature) rivals(o *Signature) bool {
	switch {
	case s == o, o.Outranks(s), s.Confidence < o.Confidence:
		return false
	case s.Product == "" && s.Confidence == o.Confidence:
		return better(s, o)
	}
	return true
}

// beside reports whether the signature names a web page that a daemon may show
// beside the protocol that it is for.
func (s *Signature) beside() bool { return s.Protocol == "http" && s.Role == result.RoleNotMail }

// Best returns the signature that tells most of those that hold, or nil.
func Best(held []*Signature) *Signature {
	var best *Signature
	for _, s := range held {
		if best != nil && !better(s, best) {
			continue
		}
		if !slices.ContainsFunc(held, func(o *Signature) bool {
			return o.Outranks(s) || s.beside() && o.Protocol != s.Protocol && o.Confidence >= LeastBehavior
		}) {
			best = s
		}
	}
	return best
}

// better orders signatures that hold: the surer one, then the one that asks for
// more, then by name, so that the answer never depends on the order of files.
func better(a, b *Signature) bool {
	switch {
	case a.Confidence != b.Confidence:
		return a.Confidence > b.Confidence
	case len(a.When) != len(b.When):
		return len(a.When) > len(b.When)
	}
	return a.ID < b.ID
}
