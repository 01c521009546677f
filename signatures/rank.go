package signatures

import (
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// LeastBehavior is the confidence from which on a signature that rests on behavior
// outranks one that rests on a greeting, which an administrator may write.
const LeastBehavior = 5

// wordsOnly reports whether the signature rests on nothing but the text of the
// greeting, as far as is known.
func (s *Signature) wordsOnly(seen Seen) bool {
	return !slices.ContainsFunc(s.When, func(c Condition) bool { return c.asksMore(seen) })
}

// asksMore reports whether the condition rests on more than words of the greeting, or
// may do so.
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

// handsOn reports whether all that a signature rests on is what the proxy that s
// names repeats of the daemon behind it.
func (s *Signature) handsOn(o *Signature, seen Seen) bool {
	return len(s.Behind) > 0 && !slices.ContainsFunc(o.When, func(c Condition) bool {
		outside := false
		if !c.Not && c.Match(seen) == True {
			c.probes(func(id string, _ Pos) { outside = outside || !slices.Contains(s.Behind, id) })
		}
		return outside
	})
}

// Claims reports whether the greeting has the words by which the daemon is known
// where nothing else can be seen of it.
func (s *Signature) Claims(seen Seen) bool {
	return len(s.Through) > 0 && All(s.Through, only{seen, []string{Greeting}}) == True
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

// Outranks reports whether the signature counts where another one holds as well and
// may be surer: it rests on behavior and contradicts what the other takes from a
// greeting, or it names a proxy, which repeats what the other rests on.
func (s *Signature) Outranks(o *Signature, seen Seen) bool {
	if s.Confidence < LeastBehavior || s.wordsOnly(seen) {
		return false
	}
	return s.Contradicts(o) && o.wordsOnly(seen) || len(o.Behind) == 0 && s.handsOn(o, seen)
}

// rivals reports whether the signature may hide another one where both hold.
func (s *Signature) rivals(o *Signature, seen Seen) bool {
	switch {
	case s == o, o.Outranks(s, seen), s.Confidence < o.Confidence:
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
