package signatures

import (
	"fmt"
	"maps"
	"slices"

	"github.com/mxsweep/mxsweep/internal/userfile"
)

// Check runs the examples of all signatures: each must match its signature,
// yield what it says and nothing else, and match no other signature that is asked
// before it, or names another product as surely. Imported signatures rank below all others, so what they
// match does not count against an example, and their own examples may match
// others. It returns what is wrong, nil if nothing is.
func (set *Set) Check() Problems {
	var problems userfile.Collector
	for _, s := range slices.Concat(set.Signatures, set.Imported) {
		for i := range s.Examples {
			for _, p := range set.checkExample(s, &s.Examples[i]) {
				problems.Add(show(set.sources, p))
			}
		}
	}
	for _, p := range set.Proxies {
		for i := range p.Examples {
			for _, problem := range set.checkProxy(p, &p.Examples[i]) {
				problems.Add(show(set.sources, problem))
			}
		}
	}
	list, _ := problems.Err().(Problems)
	return list
}

func (set *Set) checkExample(s *Signature, e *Example) (problems Problems) {
	fail := func(help, format string, args ...any) {
		text := fmt.Sprintf("signature %q: ", s.ID) + fmt.Sprintf(format, args...)
		problems = append(problems, problem(e.Pos, help, text))
	}
	for i := range s.When {
		if c := &s.When[i]; c.Match(&e.Seen) != True {
			fail("compare the condition with the example, or remove the condition",
				"the example does not meet the condition at %v: %s; %s", c.Pos, heardBy(c, e), set.instead(s, e))
		}
	}
	if problems != nil {
		return problems
	}
	for _, o := range set.Signatures {
		if s.Imported == "" && o.rivals(s, &e.Seen) && o.Match(&e.Seen) == True {
			fail(fmt.Sprintf("add conditions to %q, or set a confidence above %d for %q", o.ID, o.Confidence, s.ID),
				"the example also matches %q at %v, which has confidence %d", o.ID, o.Pos, o.Confidence)
		}
	}
	set.checkValues(s, e, fail)
	return problems
}

// heardBy describes the exchange of the example to which a condition refers.
func heardBy(c *Condition, e *Example) string {
	switch ex := e.Seen.Find(c.Probe); {
	case c.Any != nil || c.All != nil:
		return "none of its alternatives matches"
	case ex == nil:
		return fmt.Sprintf("it has no exchange for the probe %q", c.Probe)
	default:
		const most = 120
		return fmt.Sprintf("the probe %q got %q and ended in %s", c.Probe, ex.Reply[:min(len(ex.Reply), most)], ex.End)
	}
}

// instead names the other signature with the highest confidence that an example
// matches.
func (set *Set) instead(s *Signature, e *Example) string {
	var best *Signature
	for _, o := range set.Signatures {
		if o != s && o.Match(&e.Seen) == True && (best == nil || o.Confidence > best.Confidence) {
			best = o
		}
	}
	if best == nil {
		return "no other signature matches it"
	}
	return fmt.Sprintf("%q at %v matches instead, with confidence %d", best.ID, best.Pos, best.Confidence)
}

// checkValues compares the expected values of an example with the captured ones.
func (set *Set) checkValues(s *Signature, e *Example, fail func(help, format string, args ...any)) {
	got := s.Values(&e.Seen)
	if next, values := set.Behind(s, &e.Seen); next != nil {
		fill(got, "behind_product", next.Product)
		fill(got, "behind_version", values["version"])
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		_, named := e.Want[name]
		if !named && (name == "behind_product" || name == "behind_version") {
			continue
		}
		if e.Want[name] != got[name] {
			fail(fmt.Sprintf("if that is right, write %s: %q under want", name, got[name]), "the example yields %s %q, not %q", name, got[name], e.Want[name])
		}
	}
	got["product"], got["protocol"] = s.Product, s.Protocol
	for _, name := range slices.Sorted(maps.Keys(e.Want)) {
		if _, there := got[name]; !there {
			fail("a named group (?P<"+name+">...) under when or extract must capture it", "the example does not yield %s %q", name, e.Want[name])
		} else if (name == "product" || name == "protocol") && e.Want[name] != got[name] {
			fail(fmt.Sprintf("correct %s, under want or in the signature", name), "the %s is %q, not %q", name, got[name], e.Want[name])
		}
	}
}
