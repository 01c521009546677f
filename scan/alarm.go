package scan

import (
	"container/heap"
	"net/netip"
	"time"
)

// An alarm is the time at which a host may be probed again, or must no longer be.
type alarm struct {
	at   time.Duration
	host *host
	ends netip.Addr // the host whose time ends then; else the zero Addr
}

// alarms is a heap of the alarms of all hosts, ordered by time.
type alarms []alarm

// Len implements [heap.Interface].
func (a alarms) Len() int { return len(a) }

// Less implements [heap.Interface].
func (a alarms) Less(i, k int) bool { return a[i].at < a[k].at }

// Swap implements [heap.Interface].
func (a alarms) Swap(i, k int) { a[i], a[k] = a[k], a[i] }

// Push implements [heap.Interface].
func (a *alarms) Push(x any) { *a = append(*a, x.(alarm)) }

// Pop implements [heap.Interface].
func (a *alarms) Pop() any {
	last := (*a)[len(*a)-1]
	(*a)[len(*a)-1] = alarm{}
	*a = (*a)[:len(*a)-1]
	return last
}

// alarm sets an alarm for a host that is up, which resumes it at that time or earlier.
func (s *sweep) alarm(h *host, at time.Duration) {
	if h.up.alarm != 0 && h.up.alarm <= at {
		return
	}
	h.up.alarm = at
	heap.Push(&s.alarms, alarm{at: at, host: h})
}

// ring resumes the hosts whose alarm is due, and ends those whose time is over.
func (s *sweep) ring() {
	var over []*host
	defer func() { s.endTimes(over) }()
	for len(s.alarms) > 0 && s.alarms[0].at <= s.now {
		a := heap.Pop(&s.alarms).(alarm)
		if a.ends.IsValid() {
			over = append(over, s.hosts.hosts[a.ends])
			continue
		}
		if u := a.host.up; u.alarm == a.at { // else an earlier one was set
			u.alarm = 0
			s.resumeHost(a.host)
		}
	}
}
