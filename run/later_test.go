package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/queue"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// TestAskedLater has a daemon refuse the first connections of a run, and the
// second try of each dialogue: it is identified when everything else is done.
func TestAskedLater(t *testing.T) {
	daemon, err := mailtest.Daemon("postfix")
	if err != nil {
		t.Fatal(err)
	}
	var conns atomic.Int32
	s, err := mailtest.Listen("127.77.201.1:10025", mailtest.HandlerFunc(func(c *mailtest.Conn) {
		if conns.Add(1) <= 2 {
			c.Say("421 busy\r\n")
			return
		}
		daemon.Serve(c)
	}))
	if err != nil {
		t.Skip("cannot listen on loopback:", err)
	}
	defer s.Close()
	var out bytes.Buffer
	if _, err := Scan(t.Context(), Options{Targets: []string{"127.77.201.1:10025"}, FailOn: "none", Outputs: []output.Spec{{Format: "json", Writer: &out}}}); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Ports []struct {
			Service struct{ Product, Inconclusive string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Ports) != 1 || doc.Ports[0].Service.Product != "Postfix smtpd" || doc.Ports[0].Service.Inconclusive != "" {
		t.Errorf("after %d connections the ports are %+v, want Postfix smtpd", conns.Load(), doc.Ports)
	}
}

// TestLaterPortsAreBounded checks the limits on postponed ports per host and in
// total.
func TestLaterPortsAreBounded(t *testing.T) {
	var later laterPorts
	kept := 0
	for i := range 4 * maxLater {
		addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 128)})
		if later.add(laterPort{scan.Result{Target: netip.AddrPortFrom(addr, uint16(i/128))}, &fingerprint.Identification{}}) {
			kept++
		}
	}
	if kept != maxLater {
		t.Errorf("%d ports are kept, want %d", kept, maxLater)
	}
	if told := later.notices(); len(told) != 1 || told[0].Code != exposure.NoticeNotRepeated || !strings.HasPrefix(told[0].Message, fmt.Sprintf("%d open ports ", 3*maxLater)) {
		t.Errorf("%d ports are not kept: %+v", 3*maxLater, told)
	}
	later = laterPorts{}
	for port := range uint16(2 * maxLaterHost) {
		later.add(laterPort{scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)}, &fingerprint.Identification{}})
	}
	if later.count != maxLaterHost {
		t.Errorf("%d ports of one host are kept, want %d", later.count, maxLaterHost)
	}
}

// silentSweep returns a sweep whose ports read what they receive and send
// nothing. The test waits for its peers at the end.
func silentSweep(t *testing.T, set *signatures.Set) (w *sweep, peers *sync.WaitGroup) {
	t.Helper()
	w, peers = coverageSweep(t, Shard{}), new(sync.WaitGroup)
	w.plan.set, w.early = set, func(exposure.Subject) error { return nil }
	w.queue = queue.New(8)
	w.queue.Close()
	w.identifier = &fingerprint.Identifier{Signatures: set, Dial: func(context.Context, netip.AddrPort) (net.Conn, error) {
		ours, theirs := net.Pipe()
		peers.Go(func() { io.Copy(io.Discard, theirs) })
		return ours, nil
	}}
	return w, peers
}

// TestLaterTimeIsReported has more silent ports on a host than there is time for:
// those without a second dialogue are reported.
func TestLaterTimeIsReported(t *testing.T) {
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w, peers := silentSweep(t, set)
		if w.later.notices() != nil {
			t.Error("a notice before anything was kept")
		}
		for port := range uint16(maxLaterHost) {
			target := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), 25+port)
			w.later.add(laterPort{scan.Result{Target: target, State: result.StateOpen}, &fingerprint.Identification{Service: result.Service{Role: "unknown"}}})
		}
		w.finishTalks(t.Context(), new(sync.WaitGroup), func(error) {})
		if told := w.later.notices(); len(told) != 1 || w.later.left == 0 || w.later.left == maxLaterHost {
			t.Errorf("%d of %d ports are told: %+v", w.later.left, maxLaterHost, told)
		}
		if len(w.open) != maxLaterHost {
			t.Errorf("%d of %d ports are reported", len(w.open), maxLaterHost)
		}
		peers.Wait()
	})
}

// TestSilentPortsAreNotReported checks that of more than laterSilent silent ports
// of a host, or of those of a host that replies nowhere, no further one is tried after
// one that is silent again. There was time for them, so that no notice says otherwise.
func TestSilentPortsAreNotReported(t *testing.T) {
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ silent, others, tried int }{
		"few ports":                   {2, 0, 2},
		"more ports":                  {laterSilent + 2, 0, 1},
		"few, and others were silent": {2, 8, 1},
		"few, and few others as well": {2, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, peers := silentSweep(t, set)
				var mu sync.Mutex
				tried, dial := map[netip.AddrPort]bool{}, w.identifier.Dial
				w.identifier.Dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
					mu.Lock()
					tried[to] = true
					mu.Unlock()
					return dial(ctx, to)
				}
				silent := &fingerprint.Identification{Service: result.Service{Role: "unknown", Inconclusive: result.InconclusiveNoReply}}
				for port := range uint16(c.silent + c.others) {
					target := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), 25+port)
					w.queue.Recall(target, silent)
					if int(port) < c.silent {
						w.later.add(laterPort{scan.Result{Target: target, State: result.StateOpen}, silent})
					}
				}
				w.finishTalks(t.Context(), new(sync.WaitGroup), func(error) {})
				if told := w.later.notices(); len(told) > 0 {
					t.Errorf("a notice says %q", told[0].Message)
				}
				if len(w.open) != c.silent {
					t.Errorf("%d of %d ports are reported", len(w.open), c.silent)
				}
				if len(tried) != c.tried {
					t.Errorf("%d ports are tried again, want %d", len(tried), c.tried)
				}
				peers.Wait()
			})
		})
	}
}

// TestLaterBeginsBesideOldDialogues has a dialogue run for long: postponed ports
// of other hosts are tried meanwhile, those of its host only when it has ended.
func TestLaterBeginsBesideOldDialogues(t *testing.T) {
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := coverageSweep(t, Shard{})
		w.plan.set, w.early, w.queue = set, func(exposure.Subject) error { return nil }, queue.New(8)
		begun := time.Now()
		var mu sync.Mutex
		asked := map[netip.Addr]time.Duration{}
		w.identifier = &fingerprint.Identifier{Signatures: set, Dial: func(_ context.Context, pair netip.AddrPort) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if _, again := asked[pair.Addr()]; !again {
				asked[pair.Addr()] = time.Since(begun)
			}
			return nil, syscall.ECONNREFUSED
		}}
		long, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		for _, addr := range []netip.Addr{long, other} {
			w.later.add(laterPort{scan.Result{Target: netip.AddrPortFrom(addr, 25), State: result.StateOpen}, &fingerprint.Identification{Service: result.Service{Role: "unknown"}}})
		}
		w.queue.Put(scan.Result{Target: netip.AddrPortFrom(long, 26), State: result.StateOpen})
		var workers sync.WaitGroup
		workers.Go(func() {
			r, _ := w.queue.Next()
			time.Sleep(2 * laterStart)
			w.queue.Done(r, nil)
		})
		synctest.Wait()
		w.queue.Close()
		w.finishTalks(t.Context(), &workers, func(error) {})
		if asked[other] != laterStart || asked[long] < 2*laterStart || len(w.open) != 2 {
			t.Errorf("asked after %v, %d ports are reported", asked, len(w.open))
		}
	})
}
