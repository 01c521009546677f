package syn

import (
	"flag"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A sweepResult is what one sweep found.
type sweepResult struct {
	open    []netip.AddrPort
	reasons map[result.Reason]int
	all     map[netip.AddrPort]scan.Result
	stats   Stats
	err     error
	took    time.Duration

	progress Progress
}

// sweep sweeps space from the namespace s.
func (l *lab) sweep(space *scope.Space, config Config) sweepResult {
	l.t.Helper()
	return l.sweepUntil(space, config, outagePatience, func(int) {})
}

// sweepUntil is sweep with so much patience with hosts that stop answering. It
// calls each for each result with the number of results so far.
func (l *lab) sweepUntil(space *scope.Space, config Config, patience time.Duration, each func(n int)) sweepResult {
	l.t.Helper()
	var s *Scanner
	var err error
	l.in("s", func() { s, err = Open(l.t.Context(), space, config) })
	if err != nil {
		l.t.Fatal(err)
	}
	defer s.Close()
	s.patience = patience
	out := sweepResult{reasons: map[result.Reason]int{}, all: map[netip.AddrPort]scan.Result{}}
	begun := time.Now()
	for r := range s.Scan(l.t.Context(), space) {
		if first, twice := out.all[r.Target]; twice && !(r.WasClosed && first.State == result.StateClosed) {
			l.t.Errorf("%v came twice", r.Target)
		}
		out.all[r.Target] = r
		out.reasons[r.Reason]++
		if r.State == result.StateOpen {
			out.open = append(out.open, r.Target)
		}
		each(len(out.all))
	}
	out.took = time.Since(begun)
	slices.SortFunc(out.open, netip.AddrPort.Compare)
	out.stats, out.err, out.progress = s.Stats(), s.Err(), s.Progress()
	return out
}

// complete checks that exactly the ports of want are open, and that there is
// one result for each pair.
func (r sweepResult) complete(t *testing.T, space *scope.Space, want []netip.AddrPort) {
	t.Helper()
	t.Logf("%v: %v; %+v", r.took, r.reasons, r.stats)
	if r.err != nil {
		t.Errorf("Err() = %v", r.err)
	}
	if uint64(len(r.all)) != space.Len() {
		t.Errorf("%d results for %d pairs", len(r.all), space.Len())
	}
	if !slices.Equal(r.open, want) {
		t.Errorf("found %d ports open, want %d", len(r.open), len(want))
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	for _, target := range []string{"10.91.16.0/22", "fd91:16::/118"} {
		scope, space := spaceOf(t, ninePorts, target)
		want := l.listen(space, 50)
		for _, threads := range []int{1, 2} {
			r := l.sweep(space, Config{Scope: scope, Threads: threads})
			r.complete(t, space, want)
			if n := r.reasons[result.ReasonReset]; n != int(space.Len())-len(want) {
				t.Errorf("%d closed, want %d", n, int(space.Len())-len(want))
			}
		}
	}
}

// runs is how often the sweeps through lossy networks are made.
var runs = flag.Uint64("runs", 2, "sweeps through each lossy network")

// TestLoss loses one packet in twenty, and one in five, each way, with closed
// ports that refuse and with ones that are silent.
func TestLoss(t *testing.T) {
	for _, c := range []struct {
		name   string
		loss   int
		silent bool
	}{{"5", 5, false}, {"20", 20, false}, {"5 silent", 5, true}, {"20 silent", 20, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.routed()
			scope, space := spaceOf(t, ninePorts, "10.91.16.0/22")
			want := l.listen(space, 100)
			if c.silent {
				l.silence(want)
			}
			l.nft("r", fmt.Sprintf("table inet f { chain c { type filter hook forward priority 0; numgen random mod 100 < %d drop; }; }", c.loss))
			for seed := range *runs {
				l.sweep(space, Config{Scope: scope, Seed: seed}).complete(t, space, want)
			}
		})
	}
}

// TestOverflow has a queue on the way that holds a hundred packets and passes
// on a few thousand a second, to and fro.
func TestOverflow(t *testing.T) {
	for _, silent := range []bool{false, true} {
		t.Run(fmt.Sprintf("silent=%t", silent), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.routed()
			scope, space := spaceOf(t, ninePorts, "10.91.16.0/21")
			want := l.listen(space, 100)
			if silent {
				l.silence(want)
			}
			l.sh(`
				? tc -n @r qdisc add dev rd root tbf rate 10mbit burst 2k limit 7000
				tc -n @r qdisc add dev rs root tbf rate 10mbit burst 2k limit 7000
			`)
			l.sweep(space, Config{Scope: scope}).complete(t, space, want)
		})
	}
}

// TestBlockedMidScan is let in at first, and then not any more.
func TestBlockedMidScan(t *testing.T) {
	gate.RealTime(t)
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, ninePorts, "10.91.16.0/20")
	r := l.sweepUntil(space, Config{Scope: scope, Rate: 50000, Timeout: 300 * time.Millisecond}, time.Second, func(n int) {
		if n == 2000 {
			l.nft("r", "table inet f { chain c { type filter hook forward priority 0; drop; }; }")
		}
	})
	r.stats.Blocked = r.stats.Blocked[:min(len(r.stats.Blocked), 3)]
	r.complete(t, space, nil)
	if n := r.reasons[result.ReasonReset]; n < 2000 || n+r.reasons[result.ReasonBlocked] != int(space.Len()) {
		t.Errorf("%v", r.reasons)
	}
	if st := r.stats; st.Why != "the targets stopped answering" || !st.BlockedMidScan || st.BlockedHosts == 0 || len(st.Blocked) == 0 || st.Loss > 0.5 {
		t.Errorf("blocked: %t, %d hosts, loss %.2f, why: %s", st.BlockedMidScan, st.BlockedHosts, st.Loss, st.Why)
	}
}

// TestOutage has the network fail for three seconds in the middle of a sweep:
// longer than all of it would take.
func TestOutage(t *testing.T) {
	gate.RealTime(t)
	for _, silent := range []bool{false, true} {
		t.Run(fmt.Sprintf("silent=%t", silent), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.routed()
			scope, space := spaceOf(t, ninePorts, "10.91.16.0/20")
			want := l.listen(space, 300)
			if silent {
				l.silence(want)
			}
			var s *Scanner
			var err error
			l.in("s", func() { s, err = Open(t.Context(), space, Config{Scope: scope, Rate: 50000}) })
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var open []netip.AddrPort
			pairs, fails := 0, sync.OnceFunc(func() {
				l.nft("r", "table inet f { chain c { type filter hook forward priority 0; drop; }; }")
				mends := exec.Command("ip", "netns", "exec", l.prefix+"r", "nft", "delete", "table", "inet", "f")
				timer := time.AfterFunc(3*time.Second, func() { _ = mends.Run() })
				t.Cleanup(func() { timer.Stop() })
			})
			for r := range s.Scan(t.Context(), space) {
				pairs++
				if r.State == result.StateOpen {
					open = append(open, r.Target)
				}
				if len(open) == 100 {
					fails()
				}
			}
			t.Logf("%+v", s.Stats())
			slices.SortFunc(open, netip.AddrPort.Compare)
			if s.Err() != nil || s.Stats().BlockedMidScan || pairs != int(space.Len()) || !slices.Equal(open, want) {
				t.Errorf("%d pairs, %d of %d ports open, blocked: %t, Err() = %v", pairs, len(open), len(want), s.Stats().BlockedMidScan, s.Err())
			}
		})
	}
}

// nft loads rules into a namespace.
func (l *lab) nft(name, rules string) {
	l.t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		l.t.Skip("needs nft (nftables)")
	}
	cmd := exec.Command("ip", "netns", "exec", l.prefix+name, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Skipf("this kernel's packet filter cannot: %v: %s", err, out)
	}
}

// silence lets d throw away all SYNs but those to the given ports.
func (l *lab) silence(open []netip.AddrPort) {
	l.t.Helper()
	var rules strings.Builder
	rules.WriteString("table inet f {\n set open { type ipv4_addr . inet_service;")
	for i, a := range open {
		begin := ","
		if i == 0 {
			begin = " elements = {"
		}
		fmt.Fprintf(&rules, "%s %v . %d", begin, a.Addr(), a.Port())
	}
	if len(open) > 0 {
		rules.WriteString(" }")
	}
	rules.WriteString(` }
 chain in { type filter hook prerouting priority raw; policy accept;
  ip daddr . tcp dport @open accept
  tcp flags & (syn|ack) == syn drop
 }
}`)
	l.nft("d", rules.String())
}
