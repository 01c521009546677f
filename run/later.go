package run

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/queue"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

const (
	// maxLater is how many ports are asked once more when all others are done,
	// and maxLaterHost how many of one host.
	maxLater     = 512
	maxLaterHost = 16
	// laterHosts is how many hosts are asked at once.
	laterHosts = 64
	// laterWait is how long all of it may take once no dialogue is under way.
	laterWait = 30 * time.Second
	// laterSilent is how many ports of a host that replied to nothing are asked,
	// whatever comes of it: where there are more, a firewall may accept for them.
	laterSilent = 4
	// laterStart is how long after the last dialogue began those that are left
	// are no load any more: ports that reply to nothing have been listened to for
	// the greeting timeout of 12 s by then, and the others send byte by byte.
	laterStart = 13 * time.Second
)

// A laterPort is an open port of which a first dialogue told little.
type laterPort struct {
	result  scan.Result
	service *fingerprint.Identification
}

// laterPorts are those that are asked once more when no other dialogue is under
// way. The dialogues of a run may themselves be what a host, or the machine that
// scans, was too busy with.
type laterPorts struct {
	mu    sync.Mutex
	hosts map[netip.Addr][]laterPort
	count int
	left  int // ports beyond the bounds, which are not asked once more
}

// add keeps a port for later. It reports false, and counts the port, where there
// are too many.
func (l *laterPorts) add(p laterPort) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	addr := p.result.Target.Addr()
	if l.count >= maxLater || len(l.hosts[addr]) >= maxLaterHost {
		l.left++
		return false
	}
	if l.hosts == nil {
		l.hosts = make(map[netip.Addr][]laterPort)
	}
	l.hosts[addr] = append(l.hosts[addr], p)
	l.count++
	return true
}

// leave counts a port for which there was no time.
func (l *laterPorts) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left++
}

// notices tell how many ports were not asked once more.
func (l *laterPorts) notices() []result.Notice {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == 0 {
		return nil
	}
	ports, keep := "1 open port with an incomplete dialogue was", "keeps its"
	if l.left > 1 {
		ports, keep = fmt.Sprintf("%d open ports with incomplete dialogues were", l.left), "keep their"
	}
	return []result.Notice{exposure.NewNotice(exposure.NoticeNotRepeated, "", nil,
		"%s not tried again, and %s first result: at most %d per host and %d per run are tried again, in %s.",
		ports, keep, maxLaterHost, maxLater, laterWait)}
}

// postpone keeps a port for later whose dialogue may have failed for want of
// time. It reports whether it did.
func (w *sweep) postpone(ctx context.Context, r scan.Result, service *fingerprint.Identification) bool {
	return ctx.Err() == nil && !dialer.Exhausted(r.Err) && w.queue.Kind(r.Target.Addr()) == queue.Ordinary &&
		w.identifier.Doubtful(r.Target.Addr(), service) && w.later.add(laterPort{r, service})
}

// take returns the ports that are kept of hosts that are not busy, and keeps them
// no more.
func (l *laterPorts) take(busy func(netip.Addr) bool) [][]laterPort {
	l.mu.Lock()
	defer l.mu.Unlock()
	var free [][]laterPort
	for addr, ports := range l.hosts {
		if !busy(addr) {
			free = append(free, ports)
			delete(l.hosts, addr)
		}
	}
	return free
}

// finishTalks waits for the dialogues that are under way, and asks the ports that
// were kept for later: those of hosts with no dialogue under way once the youngest
// one has run for a while, the others behind all.
func (w *sweep) finishTalks(ctx context.Context, workers *sync.WaitGroup, abort context.CancelCauseFunc) {
	asking, done := context.WithCancel(ctx)
	defer done()
	ended := make(chan struct{})
	go func() {
		workers.Wait()
		close(ended)
	}()
	early := make(chan struct{})
	go func() {
		defer close(early)
		select {
		case <-ended:
			return
		case <-w.queue.Empty():
		}
		select {
		case <-ended:
		case <-time.After(time.Until(w.queue.LastTaken().Add(laterStart))):
			w.askLater(ctx, asking, w.later.take(w.queue.Busy), abort)
		}
	}()
	<-ended
	defer time.AfterFunc(laterWait, done).Stop()
	<-early
	w.askLater(ctx, asking, w.later.take(func(netip.Addr) bool { return false }), abort)
}

// askLater asks ports that were kept for later, one at a time of each host, and
// tells what became of them. Asking is done when their time is over, ctx when that
// of the run is.
func (w *sweep) askLater(ctx, asking context.Context, hosts [][]laterPort, abort context.CancelCauseFunc) {
	var group sync.WaitGroup
	places := make(chan struct{}, laterHosts)
	for _, ports := range hosts {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			asking, done := w.inHostTime(asking, ports[0].result.Target.Addr())
			defer done()
			w.askHostLater(ctx, asking, ports, abort)
		})
	}
	group.Wait()
}

// askHostLater asks the ports of one host, in the time that it has for that: at first
// those that said something, then those whose number suggests what to ask. Of more than
// laterSilent ports that said nothing, none is asked behind one that is silent again.
func (w *sweep) askHostLater(ctx, asking context.Context, ports []laterPort, abort context.CancelCauseFunc) {
	told := func(p laterPort) bool { return p.service.Inconclusive != result.InconclusiveNoReply }
	silent := slices.DeleteFunc(slices.Clone(ports), told)
	slices.SortStableFunc(silent, func(a, b laterPort) int {
		switch suggested := a.service.Suggested(); {
		case suggested == b.service.Suggested():
			return 0
		case suggested:
			return -1
		}
		return 1
	})
	inTime, done := asking, func() {}
	if most := w.identifier.AgainTime(ports[0].result.Target.Addr()); most > 0 {
		inTime, done = context.WithTimeout(asking, most)
	}
	defer done()
	enough := false
	for _, p := range append(slices.DeleteFunc(ports, func(p laterPort) bool { return !told(p) }), silent...) {
		if !enough || told(p) {
			service := w.identifier.Again(inTime, p.result, p.service)
			switch {
			case service != p.service:
				p.service, p.result.Err = service, nil
			case asking.Err() != nil && ctx.Err() == nil:
				w.later.leave()
			default:
				enough = enough || len(silent) > laterSilent && !told(p)
			}
		}
		w.tell(ctx, p.result, p.service, abort)
	}
}

// inHostTime returns a context that is done when the time of a host is over.
func (w *sweep) inHostTime(ctx context.Context, addr netip.Addr) (context.Context, context.CancelFunc) {
	if end, ok := w.plan.hosts.End(addr); ok {
		return context.WithDeadline(ctx, end)
	}
	return context.WithCancel(ctx)
}
