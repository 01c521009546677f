package run

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/journal"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A canary on a silent target shows that the target is up, as the notice about
// silent targets says, with and without reference ports.
func TestReferencesTakeCanaries(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.7")
	targets := func(s ...string) []scope.Target {
		list, err := (&scope.Parser{}).Targets(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	space := func(ports []uint16, s ...string) (*scope.Set, *scope.Space) {
		set, err := scope.New(scope.Bounds{Targets: targets(s...)})
		if err != nil {
			t.Fatal(err)
		}
		space, err := scope.NewSpace(set, ports)
		if err != nil {
			t.Fatal(err)
		}
		return set, space
	}
	for _, tt := range []struct {
		name, references string
		canaries         []string
		want             []uint16
	}{
		{"no canary", "22,25", nil, []uint16{22, 25}},
		{"none at all", "none", nil, nil},
		{"a canary alone", "none", []string{"192.0.2.7:2525"}, []uint16{2525}},
		{"both", "22,25", []string{"192.0.2.7:2525", "192.0.2.7:25"}, []uint16{22, 25, 2525}},
		{"one that the sweep asks", "none", []string{"192.0.2.7:10025"}, nil},
		{"one of another host", "none", []string{"192.0.2.8:25"}, nil},
	} {
		p := &Plan{}
		p.opts.ReferencePorts = tt.references
		p.scope, p.wholeSpace = space([]uint16{10024, 10025}, "192.0.2.7")
		_, p.canaries.space = space(nil, tt.canaries...)
		var ports []uint16
		for _, pair := range p.references(addr) {
			ports = append(ports, pair.Port())
		}
		if !slices.Equal(ports, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, ports, tt.want)
		}
	}
}

// TestSilentCanaries checks that a canary on a silent address of a range is
// probed to see whether its host is up, once and on a port of its own.
func TestSilentCanaries(t *testing.T) {
	w := coverageSweep(t, Shard{})
	set, err := (&scope.Parser{}).Targets(t.Context(), []string{"192.0.2.1:2525", "192.0.2.2:2525", "192.0.2.3:25", "192.0.2.9:2525"})
	if err != nil {
		t.Fatal(err)
	}
	p := w.plan
	if p.canaries.scope, err = scope.New(scope.Bounds{Targets: set}); err != nil {
		t.Fatal(err)
	}
	if p.canaries.space, err = scope.NewSpace(p.canaries.scope, nil); err != nil {
		t.Fatal(err)
	}
	w.counter.SetUp(netip.MustParseAddr("192.0.2.2"))
	got := w.silentCanaries()
	if want := netip.MustParseAddrPort("192.0.2.1:2525"); !slices.Equal(got, []netip.AddrPort{want}) {
		t.Errorf("got %v, want %v", got, want)
	}
	w.required.Targets = map[netip.Addr]bool{got[0].Addr(): true}
	if again := w.silentCanaries(); len(again) > 0 {
		t.Errorf("a single target has %v among its reference ports already", again)
	}
}

// TestUnprovenPairsAreProbedAgain resumes a run that found a port silent before
// its host was known to be up: the port is probed again, and ports found silent
// later are not.
func TestUnprovenPairsAreProbedAgain(t *testing.T) {
	addr := netip.MustParseAddr("127.0.0.1")
	var open []netip.AddrPort
	for range 3 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		open = append(open, ln.Addr().(*net.TCPAddr).AddrPort())
	}
	other := netip.MustParseAddrPort("127.0.0.2:9")
	targets, err := (&scope.Parser{}).Targets(t.Context(), []string{"127.0.0.1", "127.0.0.2"})
	if err != nil {
		t.Fatal(err)
	}
	p := &Plan{opts: settings{Options: Options{Timeout: 3 * time.Second}}, pace: newPace(0)}
	if p.scope, err = scope.New(scope.Bounds{Targets: targets}); err != nil {
		t.Fatal(err)
	}
	p.space = scope.PairSpace(append(slices.Clone(open), other))
	name := filepath.Join(t.TempDir(), "journal")
	journal := func() *journal.File {
		j, err := journal.Open(name, journal.Key{Space: p.space})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	silent := func(at netip.AddrPort) scan.Result {
		return scan.Result{Target: at, State: result.StateFiltered, Reason: result.ReasonNoResponse, Attempts: 2}
	}
	j := journal()
	for _, r := range []scan.Result{silent(open[0]), silent(other), {Target: open[1], State: result.StateOpen, Reason: result.ReasonSynAck, Attempts: 1}, silent(open[2])} {
		if err := j.Add(r, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = journal()
	defer j.Close()
	p.resumed = &resumption{File: j, found: true}
	w := &sweep{plan: p, counter: gate.NewCoverageCounter(p.space.Len(), 2), signs: map[netip.Addr]uint16{addr: open[1].Port()}}
	// An earlier finding on the first port is not fixed until that port has
	// answered.
	p.baseline = drift.BaselineOf(drift.Header{Vantage: "host"}, []drift.Entry{
		{ID: "1", Rule: "MXS1004", Severity: result.SeverityHigh, IP: addr, Port: open[0].Port(), Vantage: "host"}})
	driftNow := func() result.Drift {
		list, _ := p.drift.Finish(nil, w.counter.Up, nil, time.Time{})
		return list[0].Drift
	}
	p.drift = drift.Compare(p.baseline, drift.Conditions{Vantage: exposure.Vantage{Class: exposure.ClassHost}}, nil)
	for r := range p.resumed.earlier() {
		w.count(r)
	}
	if got := driftNow(); got != result.DriftFixed {
		t.Fatalf("the finding is %s to begin with, so that the test shows nothing", got)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	w.askUnproven(stopped, func(scan.Result) error { return nil })
	if got := driftNow(); got != result.DriftUnverified {
		t.Errorf("the run ended before it asked the port again, and the finding is %s", got)
	}
	w.counter, w.signs = gate.NewCoverageCounter(p.space.Len(), 2), map[netip.Addr]uint16{addr: open[1].Port()}
	for r := range p.resumed.earlier() {
		w.counter.Add(r)
	}
	var found []netip.AddrPort
	w.askUnproven(t.Context(), func(r scan.Result) error {
		w.counter.Add(r)
		if r.State != result.StateOpen {
			t.Errorf("%v is %s", r.Target, r.State)
		}
		found = append(found, r.Target)
		return nil
	})
	if !slices.Equal(found, open[:1]) {
		t.Errorf("%v are not silent any more, want %v", found, open[:1])
	}
	if c := w.counter.Coverage(); c.Open != 2 || c.Filtered != 1 {
		t.Errorf("%+v, want 2 open and 1 filtered", c)
	}
}
