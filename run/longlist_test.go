package run

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// planOf returns a plan for lists of targets.
func planOf(t *testing.T, lists ...string) *Plan {
	t.Helper()
	p := &Plan{ports: []uint16{25}, judge: &exposure.Judge{VantageOf: func(netip.Addr) exposure.Vantage { return exposure.Vantage{} }}}
	for i, list := range lists {
		name := filepath.Join(t.TempDir(), fmt.Sprint(i))
		if err := os.WriteFile(name, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		targets, err := new(scope.Parser).TargetFile(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		p.asked = append(p.asked, targets...)
	}
	var err error
	if p.scope, err = scope.New(scope.Bounds{Targets: p.asked}); err != nil {
		t.Fatal(err)
	}
	if p.space, err = scope.NewSpace(p.scope, p.ports); err != nil {
		t.Fatal(err)
	}
	p.wholeSpace = p.space
	return p
}

// TestLongListInRun checks that a long list has the same result as two short
// ones.
func TestLongListInRun(t *testing.T) {
	var lists [2]string
	for i := range 20_000 {
		lists[i%2] += fmt.Sprintf("127.1.%d.%d:%d\n", i>>8, i&255, 1+i%9)
	}
	lists[0] += "127.2.0.0/28\n127.3.0.0/28:7\n127.1.0.0/30\n"
	lists[1] += "127.4.0.1\n"
	long, short := planOf(t, lists[0]+lists[1]), planOf(t, lists[0], lists[1])
	if n := len(long.asked); n != 1 || len(short.asked) != 20_004 {
		t.Fatalf("%d and %d targets", n, len(short.asked))
	}
	if n := entries(long.asked); n != 20_004 || entries(short.asked) != n {
		t.Errorf("%d entries", n)
	}
	counter := func(p *Plan) *gate.CoverageCounter {
		c := gate.NewCoverageCounter(p.space.Len(), p.space.Hosts())
		for i := range 19_998 {
			c.SetUp(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}))
		}
		return c
	}
	known := map[netip.Addr]bool{}
	for s := range short.silentTargets(counter(short)) {
		known[s.Addr] = true
	}
	silent := slices.Collect(long.silentTargets(counter(long)))
	twice := planOf(t, lists[0]+lists[1], lists[0]+lists[1], "127.4.0.1\n127.1.78.30\n")
	if n := len(slices.Collect(twice.silentTargets(counter(twice)))); n != 3 {
		t.Errorf("%d silent targets of three lists that say the same, want 3", n)
	}
	if len(silent) != 3 || len(known) != 3 {
		t.Fatalf("%d and %d silent targets, want 3", len(silent), len(known))
	}
	for _, s := range silent {
		if !known[s.Addr] || s.Pairs != 1 || s.Anchor == nil || s.Anchor.Line == 0 {
			t.Errorf("%+v is silent", s)
		}
	}
	if g, w := len(long.scopeLines()), len(short.scopeLines()); g != 3 || w != 3 {
		t.Errorf("%d and %d ranges, want 3", g, w)
	}
	if g, w := long.sweptPorts(), short.sweptPorts(); !reflect.DeepEqual(g, w) {
		t.Errorf("ports %d, want %d", g, w)
	}
	alone := gate.Requirements{Targets: short.singles()}
	listed := gate.Requirements{Targets: long.singles(), Listed: long.listedAlone}
	for _, text := range []string{"127.1.0.2", "127.2.0.2", "127.4.0.1", "127.5.0.1", "::1"} {
		a := netip.MustParseAddr(text)
		if g, w := listed.Target(a), alone.Target(a); g != w {
			t.Errorf("%v is a single target: %t, want %t", a, g, w)
		}
	}
	for _, single := range []bool{true, false} {
		if !long.anyNamed(single) {
			t.Errorf("nothing is named, single %t", single)
		}
	}
}

// TestLongListOutsideScope checks that a long list outside the scope is rejected
// with its first entries and the number of the others.
func TestLongListOutsideScope(t *testing.T) {
	dir := t.TempDir()
	list, scope := filepath.Join(dir, "list"), filepath.Join(dir, "scope")
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "127.1.%d.%d\n", i>>8, i&255)
	}
	for name, data := range map[string]string{list: text.String(), scope: "127.1.0.0/24\n"} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := NewPlan(t.Context(), Options{TargetFiles: []string{list}, Scope: scope})
	if !Refused(err) {
		t.Fatalf("the plan gives %v", err)
	}
	told := strings.Count(err.Error(), " is outside the scope\n")
	if rest := fmt.Sprintf("%d more targets are outside the scope", 20_000-256-told); told == 0 || !strings.Contains(err.Error(), rest) {
		t.Errorf("%d are told, and no %q", told, rest)
	}
}
