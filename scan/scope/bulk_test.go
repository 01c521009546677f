package scope

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/result"
	"go4.org/netipx"
)

// someEntry writes an entry of a list, of few addresses so that many overlap.
func someEntry(r *rand.Rand, ports bool) string {
	a := fmt.Sprintf("10.0.%d.%d", r.IntN(2), r.IntN(64))
	text, v6 := a, false
	switch r.IntN(14) {
	case 0:
		text = fmt.Sprintf("10.0.0.%d/%d", r.IntN(8)*8, 29+r.IntN(4))
	case 1:
		text = fmt.Sprintf("10.0.0.0/%d", 22+r.IntN(9))
	case 2:
		text = fmt.Sprintf("%s-%d", a, 64+r.IntN(4))
	case 3:
		text = fmt.Sprintf("%s-10.0.1.%d", a, 64+r.IntN(9))
	case 4:
		text, v6 = fmt.Sprintf("2001:db8::%x", r.IntN(9)), true
	case 5:
		text, v6 = fmt.Sprintf("64:ff9b::a00:%x", r.IntN(64)), true
	case 6:
		text = a + "/30" // bits behind the length are dropped
	case 7:
		text, v6 = "::ffff:"+a, true
	case 8:
		text, v6 = fmt.Sprintf("2002:a00:%x::1", r.IntN(64)), true
	case 9:
		text = "0.0.0.0/4"
	}
	if !ports || r.IntN(3) > 0 {
		return text
	}
	spec := []string{"25", "25-27", "1-65535", fmt.Sprint(1 + r.IntN(4))}[r.IntN(4)]
	if v6 {
		text = "[" + text + "]"
	}
	return text + ":" + spec
}

// someList writes a list with comments, blanks and, in a scope, excludes.
func someList(r *rand.Rand, n int, d listKind) string {
	var b strings.Builder
	for range n {
		switch r.IntN(12) {
		case 0:
			b.WriteString("# comment\n\n")
		case 1:
			b.WriteString("  \t")
		}
		if d == scoped && r.IntN(4) == 0 {
			b.WriteString([]string{"!", "! "}[r.IntN(2)])
		}
		b.WriteString(someEntry(r, d == plain) + []string{"\n", " # why\n", "\r\n"}[r.IntN(3)])
	}
	return b.String()
}

// A listed is what a run makes of its lists.
type listed struct {
	scope *Set
	space *Space
}

// listedBy reads lists with a parser that calls those long which have more entries.
func listedBy(t *testing.T, longer int, targets, scope, excludes string) listed {
	t.Helper()
	writeFiles(t, map[string]string{"targets": targets, "scope": scope, "excludes": excludes})
	p := &Parser{longer: longer}
	var b Bounds
	var err error
	if targets != "" {
		if b.Targets, err = p.TargetFile(t.Context(), "targets"); err != nil {
			t.Fatal(err)
		}
	}
	if scope != "" {
		if b.Allowed, b.Excluded, err = p.ScopeFile(t.Context(), "scope"); err != nil {
			t.Fatal(err)
		}
	}
	if excludes != "" {
		more, err := p.ExcludeFile(t.Context(), "excludes")
		if err != nil {
			t.Fatal(err)
		}
		b.Excluded = append(b.Excluded, more...)
	}
	s, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	space, err := NewSpace(s, []uint16{25, 143})
	if err != nil {
		t.Fatal(err)
	}
	return listed{s, space}
}

// TestBulk: a long list means the same as a short one with the same entries.
func TestBulk(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 9))
		var lists [3]string
		for i, d := range []listKind{plain, scoped, excluding} {
			if i == 0 || r.IntN(2) == 0 {
				lists[i] = someList(r, 1+r.IntN(60), d)
			}
		}
		if lists[1] != "" && r.IntN(2) == 0 {
			lists[0] = ""
		}
		want := listedBy(t, math.MaxInt, lists[0], lists[1], lists[2])
		got := listedBy(t, 1+r.IntN(9), lists[0], lists[1], lists[2])
		if t.Run(fmt.Sprint(seed), func(t *testing.T) { sameLists(t, r, got, want) }); t.Failed() {
			t.Fatalf("targets %s\nscope %s\nexcludes %s", lists[0], lists[1], lists[2])
		}
	}
}

func sameLists(t *testing.T, r *rand.Rand, got, want listed) {
	if g, w := got.scope.SHA256(got.space), want.scope.SHA256(want.space); g != w {
		t.Errorf("hash %s, want %s", g, w)
	}
	if g, w := []uint64{got.scope.Addresses(), got.scope.Excluded(), got.space.Len(), got.space.Hosts()},
		[]uint64{want.scope.Addresses(), want.scope.Excluded(), want.space.Len(), want.space.Hosts()}; !slices.Equal(g, w) {
		t.Fatalf("addresses, excluded, pairs, hosts %d, want %d", g, w)
	}
	if g, w := texts(got.scope.Outside()), texts(want.scope.Outside()); !slices.Equal(g, w) {
		t.Errorf("outside %q, want %q", g, w)
	}
	if g, w := texts(got.scope.Emptied()), texts(want.scope.Emptied()); !slices.Equal(g, w) {
		t.Errorf("emptied %q, want %q", g, w)
	}
	parts := [][2]*Space{{got.space, want.space}}
	for i := range uint64(3) {
		g, err1 := got.space.Shard(i+1, 3)
		w, err2 := want.space.Shard(i+1, 3)
		if err1 != nil || err2 != nil || g.Len() != w.Len() || g.Hosts() != w.Hosts() {
			t.Fatalf("shard %d: %v %v", i, err1, err2)
		}
		parts = append(parts, [2]*Space{g, w})
	}
	for _, part := range parts {
		set := mustSet(fmt.Sprintf("10.0.0.%d/%d", r.IntN(64), 26+r.IntN(7)), "2001:db8::/126")
		g1, g2, err1 := part[0].Split(set)
		w1, w2, err2 := part[1].Split(set)
		if err1 != nil || err2 != nil || g1.Len() != w1.Len() || g2.Len() != w2.Len() {
			t.Fatalf("split into %d and %d, want %d and %d", g1.Len(), g2.Len(), w1.Len(), w2.Len())
		}
		parts = append(parts, [2]*Space{g1, w1}, [2]*Space{g2, w2})
	}
	for range 300 {
		part := parts[r.IntN(len(parts))]
		samePair(t, r, part[0], part[1])
		entry, err := parseEntry(someEntry(r, false))
		if err != nil {
			t.Fatal(err)
		}
		sameAddress(t, got, want, entry.addrs)
	}
}

// samePair compares one pair of two spaces.
func samePair(t *testing.T, r *rand.Rand, got, want *Space) {
	if want.Len() == 0 {
		return
	}
	i := r.Uint64N(want.Len())
	pair := want.At(i)
	if g := got.At(i); g != pair {
		t.Fatalf("pair %d is %v, want %v", i, g, pair)
	}
	if k, ok := got.Index(pair); !ok || k != i {
		t.Fatalf("%v is pair %d, %t, want %d", pair, k, ok, i)
	}
}

// sameAddress compares what is known of a range.
func sameAddress(t *testing.T, got, want listed, addrs netipx.IPRange) {
	if g, w := got.space.HostsIn(addrs), want.space.HostsIn(addrs); g != w {
		t.Fatalf("%d hosts in %v, want %d", g, addrs, w)
	}
	if g, w := got.scope.AllowsRange(addrs), want.scope.AllowsRange(addrs); g != w {
		t.Fatalf("%v allowed: %t, want %t", addrs, g, w)
	}
	wanted := func(port uint16) bool { return port == 143 }
	if g, w := got.space.Asks(addrs, "", wanted), want.space.Asks(addrs, "", wanted); g != w {
		t.Fatalf("port 143 of %v is asked: %t, want %t", addrs, g, w)
	}
	for _, a := range []netip.Addr{addrs.From(), addrs.To()} {
		g, ok1 := got.scope.Anchor(a)
		w, ok2 := want.scope.Anchor(a)
		if g != w || ok1 != ok2 || got.scope.Allows(a) != want.scope.Allows(a) {
			t.Fatalf("%v: line %+v, allowed %t, want %+v, %t", a, g, got.scope.Allows(a), w, want.scope.Allows(a))
		}
	}
}

// texts are the places of targets, sorted; of those that are written alike the
// first one's.
func texts(targets []Target) []string {
	lines := map[string]int{}
	for _, t := range targets {
		text := fmt.Sprintf("%s to %d: %s %v %v", t.Anchor.File, t.Anchor.EndColumn, t.Anchor.Text, t.Ranges, t.Ports)
		if before, ok := lines[text]; !ok || t.Anchor.Line < before {
			lines[text] = t.Anchor.Line
		}
	}
	var list []string
	for text, line := range lines {
		list = append(list, fmt.Sprintf("%s in line %d", text, line))
	}
	slices.Sort(list)
	return list
}

// TestBulkIncludes: the lines of files that include each other are told as they
// stand there, and of two that are alike the first one counts.
func TestBulkIncludes(t *testing.T) {
	writeFiles(t, map[string]string{
		"a": "10.0.0.1\n10.0.0.2\n@include b\n10.0.0.3\n10.0.0.4 \n",
		"b": "10.0.0.5\n10.0.0.4\n10.0.0.6\n\n10.0.0.3\n",
	})
	for _, longer := range []int{1, 2, 3, math.MaxInt} {
		in, _, err := (&Parser{longer: longer}).ScopeFile(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		scope, err := New(Bounds{Targets: in})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range 6 {
			at, _ := scope.Anchor(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}))
			got = append(got, fmt.Sprintf("%s:%d", at.File, at.Line))
		}
		if want := "a:1 a:2 b:5 b:2 b:1 b:3"; strings.Join(got, " ") != want {
			t.Errorf("from %d entries on: %q, want %q", longer, got, want)
		}
	}
}

// TestBulkRoom: an entry of a long list takes a few bytes.
func TestBulkRoom(t *testing.T) {
	const lines = 400_000
	var text strings.Builder
	for i := range lines {
		fmt.Fprintf(&text, "10.%d.%d.%d:%d\n", i>>15, i>>7&255, i<<1&255, 25+i%100)
	}
	kept, pairs := keptOf(t, &Parser{Stdin: strings.NewReader(text.String())}, nil)
	if pairs != lines {
		t.Fatalf("%d pairs, want %d", pairs, lines)
	}
	if each := kept / lines; each > 48 {
		t.Errorf("%d bytes are kept of each entry", each)
	}
}

// FuzzCut4 compares with package netip.
func FuzzCut4(f *testing.F) {
	for _, text := range []string{"10.0.0.1:25", "1.2.3.4/24", "01.2.3.4", "256.1.1.1", "1.2.3", "0.0.0.0", "1.2.3.45678"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, rest, ok := cut4([]byte(text))
		if !ok {
			if a, err := netip.ParseAddr(text); err == nil && a.Is4() {
				t.Fatalf("%q is not read", text)
			}
			return
		}
		a, err := netip.ParseAddr(text[:len(text)-len(rest)])
		if err != nil || number4(a) != n || addr4(n) != a {
			t.Fatalf("%q is read as %v, want %v, %v", text, addr4(n), a, err)
		}
	})
}

// TestLongScopeLines: many scope lines of some other file are kept in bulk, with
// what they are in a scope file and their places.
func TestLongScopeLines(t *testing.T) {
	var list []result.Anchor
	for i := range 40_000 {
		text := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
		switch {
		case i%100 == 7:
			text = "!" + text
		case i%1000 == 1:
			text = "mx1.example.net"
		}
		list = append(list, result.Anchor{File: "p.yaml", Line: i + 10, EndColumn: 7 + len(text), Text: text})
	}
	p := &Parser{Resolver: testZone}
	allowed, excluded, err := p.ScopeLines(t.Context(), slices.Values(list), len(list))
	if err != nil {
		t.Fatal(err)
	}
	if len(allowed) != 41 || allowed[40].Bulk.Len() != 39_560 || len(excluded) != 1 || excluded[0].Bulk.Len() != 400 {
		t.Fatalf("%d allowed, %d excluded", len(allowed), len(excluded))
	}
	if a := excluded[0].Bulk.Target(399).Anchor; a != list[39_907] {
		t.Errorf("the last exclude is %+v, want %+v", a, list[39_907])
	}
	if a := allowed[40].Bulk.Target(39_559).Anchor; a != list[39_999] {
		t.Errorf("the last line is %+v, want %+v", a, list[39_999])
	}
	names := slices.Repeat([]result.Anchor{{File: "p.yaml", Line: 3, EndColumn: 20, Text: "mx1.example.net"}}, maxEntries+1)
	_, _, err = p.ScopeLines(t.Context(), slices.Values(names), len(names))
	if refused := new(InputError); !errors.As(err, &refused) || !strings.Contains(err.Error(), "more than 300000 entries") || !strings.Contains(refused.ErrorHint(), "in parts") {
		t.Errorf("got %v", err)
	}
}

// TestMostNames: in each kind of list so many entries that are no IPv4 address are
// read, and one more is refused with what to do.
func TestMostNames(t *testing.T) {
	var list strings.Builder
	for i := range maxEntries {
		fmt.Fprintf(&list, "2001:db8::%x:%x\n", i>>16, i&0xffff)
	}
	folder := t.TempDir()
	full, over := filepath.Join(folder, "full"), filepath.Join(folder, "over")
	for file, text := range map[string]string{full: list.String(), over: list.String() + "2001:db8:1::\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for kind, read := range map[string]func(file string) error{
		"targets":  func(file string) error { _, err := new(Parser).TargetFile(t.Context(), file); return err },
		"excludes": func(file string) error { _, err := new(Parser).ExcludeFile(t.Context(), file); return err },
		"scope":    func(file string) error { _, _, err := new(Parser).ScopeFile(t.Context(), file); return err },
	} {
		if err := read(full); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		err := read(over)
		if refused := new(InputError); !errors.As(err, &refused) || refused.Line != maxEntries+1 || !strings.Contains(refused.ErrorHint(), "mxsweep merge") {
			t.Errorf("%s with one too many: %v", kind, err)
		}
	}
}
