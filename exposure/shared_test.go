package exposure

import (
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/signatures"
)

// TestSharedBytes: a signature names all products that send the same bytes, and no rule
// holds for a service unless it lists all of them. Where a rule lists some, it or another
// one must list the rest.
func TestSharedBytes(t *testing.T) {
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	// What refuses everybody is judged by that alone.
	refusing := []string{"smtp-proxy-refused"}
	for _, sig := range set.Signatures {
		if len(sig.Alternatives) == 0 || slices.Contains(refusing, sig.ID) {
			continue
		}
		var some []string // rules for one of the products
		held := false
		for _, r := range rules.rules {
			for i := range r.When {
				c := &r.When[i]
				if len(c.Products) == 0 || !matchesWord(c.Protocols, sig.Protocol) || !matchesWord(c.Roles, string(sig.Role)) {
					continue
				}
				v := svc(sig.Protocol, string(sig.Role), sig.Product)
				v.Alternatives = sig.Alternatives
				if matchesProduct(c.Products, v) {
					held = true
				} else if slices.ContainsFunc(append([]string{sig.Product}, sig.Alternatives...), func(name string) bool {
					return name != "" && matchesProduct(c.Products, svc(sig.Protocol, string(sig.Role), name))
				}) {
					some = append(some, r.ID)
				}
			}
		}
		if len(some) > 0 && !held {
			t.Errorf("%s: %q and %q: rules %v list some of them, and none lists all", sig.ID, sig.Product, sig.Alternatives, some)
		}
	}
}
