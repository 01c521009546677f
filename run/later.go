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
	// maxLater is the maximum number of ports with a second dialogue at the end,
	// and maxLaterHost the maximum for one host.
	maxLater     = 512
	maxLaterHost = 16
	// laterHosts is for how many hosts this is done at the same time.
	laterHosts = 64
	// laterWait is the time limit for all of them, once no other dialogue is in
	// progress.
	laterWait = 30 * time.Second
	// laterSilent is how many ports of a host that replied to nothing get a
	// second dialogue in any case: if there are more, or the host replies
	// nowhere, a firewall may have accepted the connections.
	laterSilent = 4
	// laterStart is how long after the start of the last dialogue the remaining
	// ones are no load any more: by then the greeting timeout of 12 s is over for
	// silent ports, and the others send byte by byte.
	laterStart = 13 * time.Second
)

// A laterPort is an open port whose first dialogue was inconclusive.
type laterPort struct {
	result  scan.Result
	service *fingerprint.Identification
}

// laterPorts are the ports that get a second dialogue when no other is in
// progress, because the dialogues of the run may have overloaded the host or this
// machine.
type laterPorts struct {
	mu    sync.Mutex
	hosts map[netip.Addr][]laterPort
	count int
	left  int // ports beyond the limits, without a second dialogue
}

// add adds a port. If there are too many it reports false, and counts the port as
// left out.
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

// notices returns a notice about the ports without a second dialogue.
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

// postpone adds a port whose dialogue may have failed because of overload. It
// reports whether it did.
func (w *sweep) postpone(ctx context.Context, r scan.Result, service *fingerprint.Identification) bool {
	return ctx.Err() == nil && !dialer.Exhausted(r.Err) && w.queue.Kind(r.Target.Addr()) == queue.Ordinary &&
		w.identifier.Doubtful(r.Target.Addr(), service) && w.later.add(laterPort{r, service})
}

// take removes and returns the ports of hosts that are not busy.
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

// finishTalks waits for the dialogues in progress, and starts the second ones:
// once the last dialogue has run for a while those with hosts that are not busy,
// and after all dialogues the others.
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

// askLater runs second dialogues, one at a time for each host, and reports their
// results. asking is done when their time limit is reached, ctx when that of the
// run is.
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

// askHostLater runs the second dialogues with the ports of one host, within its
// time limit, starting with those that replied before, then those whose number
// suggests a probe. If there are more than laterSilent silent ones, or the host
// replies nowhere, it stops after the first that is silent again.
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
	mostlySilent := len(silent) > laterSilent || w.queue.Kind(ports[0].result.Target.Addr()) == queue.RepliesNowhere
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
				enough = enough || mostlySilent && !told(p)
			}
		}
		w.tell(ctx, p.result, p.service, abort)
	}
}

// inHostTime returns a context that is done when the time limit of a host is
// reached.
func (w *sweep) inHostTime(ctx context.Context, addr netip.Addr) (context.Context, context.CancelFunc) {
	if end, ok := w.plan.hosts.End(addr); ok {
		return context.WithDeadline(ctx, end)
	}
	return context.WithCancel(ctx)
}
