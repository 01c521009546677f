package policy

import (
	"net/netip"
	"testing"
)

// TestSelectorZone checks that a prefix matches its addresses on all links.
func TestSelectorZone(t *testing.T) {
	for text, want := range map[string]bool{"fe80::/10": true, "fe80::1%a": true, "fe80::1%b": false, "::/0": true, "2001:db8::/32": false} {
		s, err := ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Matches(netip.MustParseAddr("fe80::1%a")); got != want {
			t.Errorf("%s matches fe80::1%%a: %v, want %v", text, got, want)
		}
	}
}
