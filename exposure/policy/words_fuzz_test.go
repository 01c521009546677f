package policy

import (
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/exposure/exposuretest"
)

// FuzzWords checks that no value of a flag or a policy crashes its parser, and
// that parsed values can be used.
func FuzzWords(f *testing.F) {
	for _, text := range []string{"new:high,any:critical,rule:MXS1002", "none", "any:", "*", "192.0.2.0/24", "10024-10031", "mx.example.org"} {
		f.Add(text)
	}
	rules := exposuretest.Rules(f)
	address := netip.MustParseAddr("192.0.2.10")
	f.Fuzz(func(t *testing.T, text string) {
		if on, err := ParseFailOn(text, rules); err == nil && on.String() != "" {
			again, err := ParseFailOn(on.String(), rules)
			if err != nil || again.String() != on.String() {
				t.Errorf("%q is written %q, which is read as %q, error %v", text, on, again, err)
			}
		}
		if s, err := ParseSelector(text); err == nil {
			s.Matches(address, "")
		}
		if p, err := ParsePortSelector(text, nil); err == nil && p.Matches(0) && !p.Any() {
			t.Errorf("%q holds port 0", text)
		}
	})
}
