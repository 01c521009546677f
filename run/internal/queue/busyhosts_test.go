package queue

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// TestHostsWithManyOpenPorts sweeps hosts with very many open ports and long
// dialogues, with few workers: connections waiting in the queue hold slots that
// earlier ports may need, and yet all ports are handled.
func TestHostsWithManyOpenPorts(t *testing.T) {
	for _, hold := range []time.Duration{2 * time.Second, 8 * time.Second} {
		for seed := range uint64(3) {
			synctest.Test(t, func(t *testing.T) {
				w := busySweep{limit: hosts.NewSlots(8), queue: New(8), hold: hold, seed: seed}
				w.sweep(t)
				if w.found == 0 || w.done != w.found {
					t.Errorf("%v a dialogue, seed %d: %d of %d open ports had their turn", hold, seed, w.done, w.found)
				}
			})
		}
	}
}

// A busySweep is a sweep with dialogues that only take a slot and time.
type busySweep struct {
	limit *hosts.Slots
	queue *Queue
	hold  time.Duration
	seed  uint64

	mu          sync.Mutex
	found, done int
}

// sweep runs until everything is done, or for ten hours of its own time.
func (w *busySweep) sweep(t *testing.T) {
	const hosts, ports, workers = 20, 400, 16
	targets, err := new(scope.Parser).Targets(t.Context(), []string{fmt.Sprintf("192.0.2.1-%d:10001-%d", hosts, 10000+ports)})
	if err != nil {
		t.Fatal(err)
	}
	set, err := scope.New(scope.Bounds{Targets: targets})
	if err != nil {
		t.Fatal(err)
	}
	space, err := scope.NewSpace(set, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := scan.NewConnect(scan.Config{Scope: set, Dial: w.dial, Slots: w.limit, HandOn: true, Concurrency: 4096, Seed: w.seed})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
	defer cancel()
	var talks sync.WaitGroup
	for range workers {
		talks.Go(func() { w.work(ctx) })
	}
	for r := range c.Scan(ctx, space) {
		if r.State == result.StateOpen {
			w.found++
			w.queue.Put(r)
		}
	}
	w.queue.Close()
	talks.Wait()
}

// work does what a worker of the sweep does with slots.
func (w *busySweep) work(ctx context.Context) {
	for {
		r, ok := w.queue.Next()
		if !ok {
			return
		}
		if r.Conn == nil && w.limit.Acquire(ctx, r.Target.Addr()) == nil {
			ours, theirs := net.Pipe()
			theirs.Close()
			r.Conn = w.limit.Wrap(r.Target.Addr(), ours)
		}
		if r.Conn != nil {
			time.Sleep(w.hold)
			r.Conn.Close()
			w.mu.Lock()
			w.done++
			w.mu.Unlock()
		}
		w.queue.Done(r, said)
	}
}

// dial finds one port in three open; the others refuse after a while.
func (w *busySweep) dial(_ context.Context, to netip.AddrPort) (net.Conn, error) {
	if rand.New(rand.NewPCG(w.seed, uint64(to.Port()))).IntN(3) > 0 {
		time.Sleep(1900 * time.Millisecond)
		return nil, syscall.ECONNREFUSED
	}
	time.Sleep(5 * time.Millisecond)
	ours, theirs := net.Pipe()
	go func() {
		io.Copy(io.Discard, theirs)
		theirs.Close()
	}()
	return ours, nil
}
