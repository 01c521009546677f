package scope

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/result"
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
	if len(in.Zoned()) > 0 {
		t.Error("a part without zones has one")
	}
	of := space.Of([]netip.Addr{netip.MustParseAddr("fe80::1%a"), netip.MustParseAddr("fe80::2%b")})
	if got := strings.Join(pairsOf(of), " "); got != "[fe80::1%a]:25" {
		t.Errorf("the pairs of fe80::1%%a are %s", got)
	}
	if some := PairSpace([]netip.AddrPort{space.At(3), space.At(2)}); strings.Join(pairsOf(some), " ") != "[fe80::1%a]:25 [fe80::1%b]:7" {
		t.Errorf("got %v", pairsOf(some))
	}
	all := mustScope(t, "fe80::1%a", "!fe80::/10")
	if space := mustSpace(t, all, 25); space.Len() != 0 {
		t.Errorf("%v is swept, and fe80::/10 excluded", space.At(0))
	}
	p := Parser{}
	listed, _, err := p.ScopeLines(t.Context(), slices.Values([]result.Anchor{{Text: "fe80::1%a"}, {Text: "::/0"}}), 2)
	if err != nil {
		t.Fatal(err)
	}
	other, err := p.Targets(t.Context(), []string{"fe80::1%b", "fe80::1%a"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Bounds{Targets: other, Allowed: listed})
	if err != nil || len(s.Outside()) != 1 || s.Outside()[0].Zone != "b" {
		t.Errorf("outside %v, %v", s.Outside(), err)
	}
}

// TestZoneByNumber: the number of an interface is another way to write its
// name, and no way past an exclude.
func TestZoneByNumber(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil || len(interfaces) == 0 {
		t.Skip("no interface to name:", err)
	}
	name, number := interfaces[0].Name, strconv.Itoa(interfaces[0].Index)
	if _, err := net.InterfaceByName(number); err == nil {
		t.Skipf("an interface is called %s", number)
	}
	for _, zones := range [][2]string{{name, number}, {number, name}, {number, number}} {
		scope := mustScope(t, "fe80::1%"+zones[0], "!fe80::1%"+zones[1])
		if space := mustSpace(t, scope, 25); space.Len() != 0 {
			t.Errorf("%v is swept, and fe80::1%%%s excluded", space.At(0), zones[1])
		}
		both := mustScope(t, "fe80::1%"+zones[0], "fe80::1%"+zones[1])
		if n := mustSpace(t, both, 25).Len(); n != 1 {
			t.Errorf("%q: %d pairs, want 1", zones, n)
		}
	}
	if got := mustSpace(t, mustScope(t, "fe80::1%65535"), 25).At(0).Addr().Zone(); got != "65535" {
		t.Errorf("got zone %q, and there is no such interface", got)
	}
}
