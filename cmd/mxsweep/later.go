package main

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"mxsweep/exposure"
	"mxsweep/fingerprint"
	"mxsweep/scan"
)

const (
	// maxLater is how many ports are asked once more when all others are done,
	// and maxLaterHost how many of one host.
	maxLater     = 512
	maxLaterHost = 16
	// laterHosts is how many hosts are asked at once.
	laterHosts = 64
	// laterWait is how long all of it may take.
	laterWait = 30 * time.Second
)

// A laterPort is an open port of which a first dialogue told little.
type laterPort struct {
	result  scan.Result
	service *fingerprint.Service
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
func (l *laterPorts) notices() []exposure.Notice {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == 0 {
		return nil
	}
	ports, keep := "1 open port that said little, or was refused or cut off, was", "keeps its"
	if l.left > 1 {
		ports, keep = fmt.Sprintf("%d open ports that said little, or were refused or cut off, were", l.left), "keep their"
	}
	return []exposure.Notice{exposure.NewNotice(exposure.NoticeNotRepeated, "", nil,
		"%s not talked to once more, and %s first result: at most %d of a host and %d of a run are, in %s.",
		ports, keep, maxLaterHost, maxLater, laterWait)}
}

// postpone keeps a port for later whose dialogue may have failed for want of
// time. It reports whether it did.
func (w *sweep) postpone(ctx context.Context, r scan.Result, service *fingerprint.Service) bool {
	return ctx.Err() == nil && !scan.Starved(r.Err) && w.queue.kind(r.Target.Addr()) == hostOrdinary &&
		w.identifier.Doubtful(r.Target.Addr(), service) && w.later.add(laterPort{r, service})
}

// askLater asks the ports that were kept for later, one at a time of each host,
// and tells what became of them.
func (w *sweep) askLater(ctx context.Context, abort context.CancelCauseFunc) {
	asking, done := context.WithTimeout(ctx, laterWait)
	defer done()
	var hosts sync.WaitGroup
	places := make(chan struct{}, laterHosts)
	for _, ports := range w.later.hosts {
		places <- struct{}{}
		hosts.Go(func() {
			defer func() { <-places }()
			asking, done := w.inHostTime(asking, ports[0].result.Target.Addr())
			defer done()
			for _, p := range ports {
				if service := w.identifier.Again(asking, p.result, p.service); service != p.service {
					p.service, p.result.Err = service, nil
				} else if asking.Err() != nil && ctx.Err() == nil {
					w.later.leave()
				}
				w.tell(ctx, p.result, p.service, abort)
			}
		})
	}
	hosts.Wait()
}

// inHostTime returns a context that is done when the time of a host is over.
func (w *sweep) inHostTime(ctx context.Context, addr netip.Addr) (context.Context, context.CancelFunc) {
	if end, ok := w.plan.hosts.End(addr); ok {
		return context.WithDeadline(ctx, end)
	}
	return context.WithCancel(ctx)
}
