package scope

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
)

func TestScopeAllows(t *testing.T) {
	s := mustScope(t, "192.0.2.0/24", "2001:db8::/64", "mx1.example.net", "64:ff9b::/96", "!192.0.2.7", "!198.51.100.0/24")
	for text, want := range map[string]bool{
		"192.0.2.1":          true,
		"::ffff:192.0.2.1":   true,
		"192.0.2.7":          false,
		"::ffff:192.0.2.7":   false,
		"64:ff9b::c000:201":  true,
		"64:ff9b::c000:207":  false,
		"64:ff9b::c633:6401": false,
		"192.0.2.26":         true,
		"198.51.100.1":       false,
		"203.0.113.1":        false,
		"2001:db8::1":        true,
		"2001:db8::1%eth0":   false,
		"2001:db8:0:1::":     false,
	} {
		if got := s.Allows(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	var none *Set
	if none.Allows(netip.MustParseAddr("127.0.0.1")) || s.Allows(netip.Addr{}) {
		t.Error("a nil scope, or a scope the zero address, is allowed")
	}
	if got := s.Name(netip.MustParseAddr("::ffff:192.0.2.26")); got != "mx1.example.net" {
		t.Errorf("name %q", got)
	}
}

func TestScopeSorts(t *testing.T) {
	p := Parser{Resolver: testZone}
	targets, err := p.Targets(t.Context(), []string{"10.0.0.0/24", "10.0.0.5", "10.1.0.0", "10.0.0.250-10.0.1.5", "gone.example.net"})
	if err != nil {
		t.Fatal(err)
	}
	allowed, _ := p.Targets(t.Context(), []string{"10.0.0.0/24"})
	excluded, _ := p.Excludes(t.Context(), "10.0.0.4-6,10.9.0.0/16")
	s, err := New(Bounds{Targets: targets, Allowed: allowed, Excluded: excluded})
	if err != nil {
		t.Fatal(err)
	}
	texts := func(list []Target) (out []string) {
		for _, target := range list {
			out = append(out, target.Anchor.Text)
		}
		return out
	}
	if got := texts(s.Outside()); !slices.Equal(got, []string{"10.1.0.0", "10.0.0.250-10.0.1.5"}) {
		t.Errorf("outside: %q", got)
	}
	if got := texts(s.Emptied()); !slices.Equal(got, []string{"10.0.0.5"}) {
		t.Errorf("emptied: %q", got)
	}
	if got := texts(s.Unresolved()); !slices.Equal(got, []string{"gone.example.net"}) {
		t.Errorf("unresolved: %q", got)
	}
	if s.Addresses() != 253 || s.Excluded() != 3 {
		t.Errorf("%d addresses, %d excluded", s.Addresses(), s.Excluded())
	}
}

func TestAnchors(t *testing.T) {
	writeFiles(t, map[string]string{
		"scope": "10.0.0.0/8\n@include site\n10.0.0.64/26\nmx1.example.net\n",
		"site":  "10.0.0.0/24\n10.0.0.77\n10.0.0.0/24\n",
	})
	p := Parser{Resolver: testZone}
	allowed, _, err := p.ScopeFile(t.Context(), "scope")
	if err != nil {
		t.Fatal(err)
	}
	targets, _ := p.Targets(t.Context(), []string{"10.0.0.77", "10.0.0.78"})
	s, err := New(Bounds{Targets: targets, Allowed: allowed})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]result.Anchor{
		"10.0.0.77":        {File: "site", Line: 2, EndColumn: 10, Text: "10.0.0.77"},
		"::ffff:10.0.0.77": {File: "site", Line: 2, EndColumn: 10, Text: "10.0.0.77"},
		"10.0.0.78":        {File: "scope", Line: 3, EndColumn: 13, Text: "10.0.0.64/26"},
		"10.0.0.63":        {File: "site", Line: 1, EndColumn: 12, Text: "10.0.0.0/24"},
		"10.0.0.128":       {File: "site", Line: 1, EndColumn: 12, Text: "10.0.0.0/24"},
		"10.0.0.255":       {File: "site", Line: 1, EndColumn: 12, Text: "10.0.0.0/24"},
		"10.0.1.0":         {File: "scope", Line: 1, EndColumn: 11, Text: "10.0.0.0/8"},
		"10.255.255.255":   {File: "scope", Line: 1, EndColumn: 11, Text: "10.0.0.0/8"},
		"2001:db8::25":     {File: "scope", Line: 4, EndColumn: 16, Text: "mx1.example.net"},
		"11.0.0.0":         {},
		"9.255.255.255":    {},
		"::":               {},
	} {
		if got, ok := s.Anchor(netip.MustParseAddr(text)); got != want || ok != (want != result.Anchor{}) {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
	if _, ok := mustScope(t, "10.0.0.1").Anchor(netip.MustParseAddr("10.0.0.1")); ok {
		t.Error("the command line is an anchor")
	}
}

func TestCheckWidth(t *testing.T) {
	for target, wide := range map[string]bool{
		"10.0.0.0/8":             false,
		"198.18.0.0/15":          false,
		"8.8.0.0/16":             false,
		"8.8.0.0-8.9.0.0":        true,
		"9.255.0.0-11.0.255.255": true,
		"9.255.255.0-11.0.0.255": false,
		"0.0.0.0/0":              true,
		"2001:db8::/112":         false,
		"2001:db8::/111":         true,
		"::/0":                   true,
		"fd00::/64":              true,
	} {
		err := mustScope(t, target).CheckWidth()
		var refused *fault.Error
		if errors.As(err, &refused) != wide || wide && (refused.Kind != fault.Refused || refused.Hint == "") {
			t.Errorf("%s: %v", target, err)
		}
	}
	if err := mustScope(t, "8.0.0.0/8", "!8.1.0.0-8.255.255.255").CheckWidth(); err != nil {
		t.Errorf("what is excluded counts: %v", err)
	}
}

func TestScopeHash(t *testing.T) {
	hash := func(ports []uint16, entries ...string) string {
		scope := mustScope(t, entries...)
		return scope.SHA256(mustSpace(t, scope, ports...))
	}
	ports := []uint16{25, 143}
	want := hash(ports, "10.0.0.0/24", "10.0.1.0/24", "!10.0.0.7")
	if len(want) != 64 {
		t.Errorf("hash %q", want)
	}
	if got := hash([]uint16{143, 25, 25}, "10.0.1.0-10.0.1.255", "10.0.0.0/25", "10.0.0.128/25", "!::ffff:10.0.0.7"); got != want {
		t.Error("the spelling matters")
	}
	for _, other := range [][]string{{"10.0.0.0/23"}, {"10.0.0.0/23", "!10.0.0.8"}, {"10.0.0.0/23", "!10.0.0.7", "10.0.0.9:1"}, {"10.0.0.0/23", "!10.0.0.7", "!10.0.9.9"}} {
		if hash(ports, other...) == want {
			t.Errorf("%q has the same hash", other)
		}
	}
}
