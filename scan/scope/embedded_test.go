package scope

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"go4.org/netipx"
)

// embeddings are the IPv6 addresses that stand for an IPv4 address, with what
// else they hold made up.
func embeddings(r *rand.Rand, a netip.Addr) []netip.Addr {
	v4 := a.As4()
	make16 := func(prefix string, at ...int) netip.Addr {
		b := netip.MustParseAddr(prefix).As16()
		for i := 6; i < 16; i++ {
			if prefix != "64:ff9b::" && prefix != "::ffff:0:0" {
				b[i] = byte(r.IntN(256))
			}
		}
		for i, k := range at {
			b[k] = v4[i]
		}
		return netip.AddrFrom16(b)
	}
	return []netip.Addr{
		make16("::ffff:0:0", 12, 13, 14, 15),
		make16("64:ff9b::", 12, 13, 14, 15),
		make16("2002::", 2, 3, 4, 5),
		make16("64:ff9b:1::", 6, 7, 9, 10),
		make16("64:ff9b:1::", 7, 9, 10, 11),
		make16("64:ff9b:1::", 9, 10, 11, 12),
		make16("64:ff9b:1::", 12, 13, 14, 15),
	}
}

// TestEmbeddedExcludes: no form of an excluded IPv4 address is allowed, or
// swept, or within a range that is allowed as a whole.
func TestEmbeddedExcludes(t *testing.T) {
	everything := []Target{{Ranges: []netipx.IPRange{allV4.Ranges()[0]}}, {Ranges: []netipx.IPRange{allV6.Ranges()[0]}}}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		from := netip.AddrFrom4([4]byte{byte(1 + r.IntN(222)), byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(250))})
		last := from.As4()
		last[3] += byte(r.IntN(6))
		excluded := netipx.IPRangeFrom(from, netip.AddrFrom4(last))
		var targets []Target
		var forms []netip.Addr
		for a := excluded.From(); excluded.Contains(a); a = a.Next() {
			for _, form := range embeddings(r, a) {
				forms = append(forms, form)
				targets = append(targets, Target{Ranges: []netipx.IPRange{netipx.IPRangeFrom(form, form)}})
			}
		}
		scope, err := New(Bounds{Targets: targets, Allowed: everything, Excluded: []Target{{Ranges: []netipx.IPRange{excluded}}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range forms {
			if scope.Allows(form) || scope.AllowsRange(netipx.IPRangeFrom(form.Prev(), form)) {
				t.Fatalf("seed %d: %v is allowed, and %v excluded", seed, form, excluded)
			}
		}
		if space := mustSpace(t, scope, 25); space.Len() != 0 {
			t.Fatalf("seed %d: %v is swept, and %v excluded", seed, space.At(0), excluded)
		}
	}
}

// TestEmbeddedCounted: what is spared as a form of an excluded IPv4 address
// counts as excluded.
func TestEmbeddedCounted(t *testing.T) {
	for _, form := range []string{"192.0.2.1", "2002:c000:201::1", "64:ff9b::c000:201", "64:ff9b:1::c000:201"} {
		scope := mustScope(t, form, "192.0.2.9", "!192.0.2.1")
		if scope.Addresses() != 1 || scope.Excluded() != 1 {
			t.Errorf("%s: %d addresses, %d excluded, want one of each", form, scope.Addresses(), scope.Excluded())
		}
	}
}

// TestTranslatedTargets: behind the prefix of RFC 8215, each address is judged
// by itself, and a sweep that would take too long for that is refused.
func TestTranslatedTargets(t *testing.T) {
	scope := mustScope(t, "64:ff9b:1::c000:200/126", "!192.0.2.1")
	space := mustSpace(t, scope, 25)
	if space.Len() != 3 {
		t.Fatalf("%d pairs, want 3", space.Len())
	}
	for i := range space.Len() {
		if a := space.At(i).Addr(); !scope.Allows(a) || a == netip.MustParseAddr("64:ff9b:1::c000:201") {
			t.Errorf("%v is swept", a)
		}
	}
	p := Parser{}
	wide, err := p.Targets(t.Context(), []string{"64:ff9b:1::/64"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Bounds{Targets: wide}); err != nil {
		t.Errorf("nothing is excluded: error %v", err)
	}
	v4, err := p.Excludes(t.Context(), "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Bounds{Targets: wide, Excluded: v4}); err == nil {
		t.Error("a /64 is judged address by address")
	}
}
