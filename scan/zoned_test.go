package scan

import (
	"net/netip"
	"strings"
	"testing"
)

// TestZoned: a link-local address is one host on each link, allowed only with
// the zone it was named with.
func TestZoned(t *testing.T) {
	scope := mustScope(t, "fe80::1%a", "[fe80::1%b]:7", "fe80::2%a", "fe80::3%a", "2001:db8::/127", "!fe80::3%a")
	space := mustSpace(t, scope, 25)
	want := "[2001:db8::]:25 [2001:db8::1]:25 [fe80::1%a]:25 [fe80::1%b]:7 [fe80::2%a]:25"
	if got := strings.Join(pairsOf(space), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for i := range space.Len() {
		if k, ok := space.Index(space.At(i)); !ok || k != i || !scope.Allows(space.At(i).Addr()) {
			t.Errorf("%v has number %d, %t, want %d", space.At(i), k, ok, i)
		}
	}
	for _, text := range []string{"fe80::1", "fe80::1%c", "fe80::2%b", "fe80::3%a", "2001:db8::1%a", "fe80::9%a"} {
		a := netip.MustParseAddr(text)
		if _, ok := space.Index(netip.AddrPortFrom(a, 25)); ok || scope.Allows(a) {
			t.Errorf("%v is swept or allowed", a)
		}
	}
	if len(scope.Outside()) != 0 || len(scope.Emptied()) != 1 || scope.Addresses() != 5 || scope.Excluded() != 1 {
		t.Errorf("outside %v, emptied %v, %d addresses, %d excluded", scope.Outside(), scope.Emptied(), scope.Addresses(), scope.Excluded())
	}
	in, out, err := space.Split(mustSet("fe80::/10", "2001:db8::/128"))
	if err != nil || in.Len() != 1 || out.Len() != 4 || out.At(1).Addr().Zone() != "a" {
		t.Errorf("split into %v and %v, %v", pairsOf(in), pairsOf(out), err)
	}
	if _, zoned := in.Zoned(); zoned {
		t.Error("a part without zones has one")
	}
	all := mustScope(t, "fe80::1%a", "!fe80::/10")
	if space := mustSpace(t, all, 25); space.Len() != 0 {
		t.Errorf("%v is swept, and fe80::/10 excluded", space.At(0))
	}
	p := Parser{}
	listed, _, err := p.ScopeLines(t.Context(), []Anchor{{Text: "fe80::1%a"}, {Text: "::/0"}})
	if err != nil {
		t.Fatal(err)
	}
	other, err := p.Targets(t.Context(), []string{"fe80::1%b", "fe80::1%a"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewScope(Bounds{Targets: other, Allowed: listed})
	if err != nil || len(s.Outside()) != 1 || s.Outside()[0].Zone != "b" {
		t.Errorf("outside %v, %v", s.Outside(), err)
	}
}
