package run

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/queue"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/signatures"
)

// TestFewWorkers has policyd-weight, which hangs up on some questions and is silent to
// the others, serve few connections at once on a host with many ports and one processor.
// Its silence is then due to the load, or to the other connections to it: it is named
// once it is asked alone.
func TestFewWorkers(t *testing.T) {
	for _, h := range []*busyHost{
		{workers: 1, daemons: 5, silent: 0, work: 20 * time.Millisecond},
		{workers: 2, daemons: 5, silent: 3, work: 20 * time.Millisecond},
		{workers: 1, daemons: 40, silent: 3, work: 200 * time.Millisecond},
		{workers: 2, daemons: 40, silent: 3, work: 100 * time.Millisecond},
		{workers: 3, daemons: 80, silent: 0, work: 200 * time.Millisecond},
		{workers: 8, daemons: 80, silent: 3, work: 200 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%d workers, %d daemons, %d silent, %v", h.workers, h.daemons, h.silent, h.work), func(t *testing.T) {
			synctest.Test(t, h.test)
		})
	}
}

// A busyHost has policyd-weight with so many workers beside mail servers and silent
// ports. Each mail server needs the processor for some time when a connection begins,
// and policyd-weight for half of that before it hangs up.
type busyHost struct {
	workers, daemons, silent int
	work                     time.Duration

	processor, free *semaphore.Weighted
	conns           atomic.Int32 // connections to policyd-weight
}

const weightPort = 12525

// test sweeps the host in the time of the test.
func (h *busyHost) test(t *testing.T) {
	var network mailtest.Network
	servers := h.play(t, &network)
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	w := coverageSweep(t, Shard{})
	w.plan.set, w.early, w.queue = set, func(exposure.Subject) error { return nil }, queue.New(4)
	w.identifier = &fingerprint.Identifier{
		Signatures: set, Slots: hosts.NewSlots(0), Concurrency: identifiers(8192),
		Idle: func(a netip.AddrPort, silent bool) { w.queue.Idle(a, silent) },
		Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return network.Dial(ctx, servers[to.Port()])
		},
	}
	ports := slices.Sorted(maps.Keys(servers))
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(ports), func(i, j int) { ports[i], ports[j] = ports[j], ports[i] })
	for _, port := range ports {
		w.queue.Put(scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), State: result.StateOpen})
	}
	w.queue.Close()
	var workers sync.WaitGroup
	for range w.identifier.Concurrency {
		workers.Go(func() { w.identify(t.Context(), func(error) {}) })
	}
	var talked time.Time // the end of the first dialogues
	first := make(chan struct{})
	go func() {
		workers.Wait()
		talked = time.Now()
		close(first)
	}()
	w.finishTalks(t.Context(), &workers, func(error) {})
	<-first
	if took := time.Since(talked); took > laterWait {
		t.Errorf("ports were asked once more for %v, want at most %v", took, laterWait)
	}
	for _, p := range w.sorted() {
		if p.Target.Port() == weightPort && p.Service.Product != "policyd-weight" {
			t.Errorf("product is %q (inconclusive %q), want policyd-weight\n%v", p.Service.Product, p.Service.Inconclusive, p.Service.Transcript)
		}
	}
	if n := h.conns.Load(); n > 10 {
		t.Errorf("it had %d connections, want at most 10", n)
	}

}

// play starts the servers of the host.
func (h *busyHost) play(t *testing.T, network *mailtest.Network) map[uint16]netip.AddrPort {
	t.Helper()
	postfix, err := mailtest.Daemon("postfix-reinjection")
	if err != nil {
		t.Fatal(err)
	}
	h.processor, h.free = semaphore.NewWeighted(1), semaphore.NewWeighted(int64(h.workers))
	servers := map[uint16]netip.AddrPort{weightPort: network.Serve(t, mailtest.HandlerFunc(h.weight)).Addr()}
	for i := range h.daemons {
		servers[uint16(20000+i)] = network.Serve(t, mailtest.HandlerFunc(func(c *mailtest.Conn) {
			h.spend(h.work)
			postfix.Serve(c)
		})).Addr()
	}
	for i := range h.silent {
		servers[uint16(21000+i)] = network.Serve(t, mailtest.HandlerFunc((*mailtest.Conn).Swallow)).Addr()
	}
	return servers
}

// weight plays policyd-weight on one connection, which waits for a worker first.
func (h *busyHost) weight(c *mailtest.Conn) {
	h.conns.Add(1)
	if h.free.Acquire(context.Background(), 1) != nil {
		return
	}
	defer h.free.Release(1)
	(&mailtest.Policy{Name: "policyd-weight"}).Serve(c)
	h.spend(h.work / 2)
}

// spend takes some time of the processor.
func (h *busyHost) spend(d time.Duration) {
	if h.processor.Acquire(context.Background(), 1) == nil {
		time.Sleep(d)
		h.processor.Release(1)
	}
}
