package syn

import (
	"time"

	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// up records that the host itself answered pair i, a SYN that was sent at sent; first
// is whether it is the first answer of the pair, fresh whether sent is reliable.
func (r *run) up(i uint64, p *addrRange, a rawnet.Answer, first bool, sent int64, fresh bool) {
	k := a.Kind
	begin, pairs := r.s.view.host(i, p)
	t := r.hosts
	// findRefusing finds hosts that only refuse, if they have silent pairs.
	later := k == rawnet.KindReset && pairs <= firstStep && r.s.config.Earlier == nil
	if later && t.unknown(begin) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h, added := t.find(begin), false
	if h == nil {
		if later {
			return
		}
		if h, added = t.add(begin, pairs); h == nil {
			return
		}
		h.since = sent
	}
	place := uint32(i - begin)
	switch {
	case k == rawnet.KindICMP:
		h.rejects(place, a.ICMP)
	case first || h.tcp == noPlace:
		h.answers(place, k)
		if n := len(p.ports); k == rawnet.KindSynAck && n >= wildcardPorts && int(h.open) == n {
			host, _ := p.split(i)
			r.s.counts.wildcard(p.addr(host))
		}
	}
	slack := 2 * r.s.clock.tick()
	if fresh && a.TTL != 0 {
		t.ttl(h, place, a, first, sent, int64(slack))
	}
	awaited := h.asked != 0 && (place == h.tcp || place == h.other || place == h.reject) && time.Duration(sent-h.asked).Abs() <= slack
	// A host that has banned the scanner may reject it, also on its open ports: if it
	// has answered with segments, its ICMP errors count as silence.
	banned := k == rawnet.KindICMP && h.tcp != noPlace
	if (fresh || awaited) && !banned {
		t.answered(h, sent, slack)
	}
	if added && pairs > firstStep && r.pass.sending.Load() {
		t.plan(t.ids[begin], r.answered.unset(begin, uint64(pairs)), r.pass.place.Load(), r.walk.length())
	}
}

// findRefusing adds the hosts of few pairs that have refused some of them and are
// silent on others. Where most hosts refuse everything, storing each as soon as it
// answers would take more memory and time than all other work.
func (r *run) findRefusing() {
	if r.s.config.Earlier != nil {
		return // a bit does not show what was silent in an earlier run
	}
	t, v, begun := r.hosts, r.s.view, r.pass.starts[0].Load()
	t.mu.Lock()
	defer t.mu.Unlock()
	for k := range v.ranges {
		p := &v.ranges[k]
		if len(p.ports) > firstStep || p.hop.err != nil {
			continue
		}
		i, end := p.start, min(p.start+p.pairs(), v.count)
		if i >= v.count { // before the shard: it wrapped
			i = 0
		}
		for i = r.answered.next(i, end); i < end; i = r.answered.next(i, end) {
			first, pairs := v.host(i, p)
			if t.find(first) == nil && r.answered.unset(first, uint64(pairs)) > 0 {
				if h, _ := t.add(first, pairs); h != nil {
					h.answers(uint32(i-first), rawnet.KindReset)
					if i = r.answered.next(i+1, first+uint64(pairs)); i < first+uint64(pairs) {
						h.answers(uint32(i-first), rawnet.KindReset)
					}
					h.proof = begun
				}
			}
			i = first + uint64(pairs)
		}
	}
}

// planControls plans the controls of a pass that begins at a count of the walk.
func (r *run) planControls(from uint64) {
	t := r.hosts
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due = t.due[:0]
	for id := range t.all {
		if h := &t.all[id]; h.pairs > firstStep {
			t.plan(uint32(id), r.silentOf(h), from, r.walk.length())
		}
	}
}

// silentOf returns how many pairs of a host have not answered.
func (r *run) silentOf(h *upHost) uint64 { return r.answered.unset(h.first, uint64(h.pairs)) }

// control sends the control that is due before a count of the walk, if there is one.
func (t *transmitter) control(count uint64, at int64, sport uint16) {
	r, table := t.run, t.run.hosts
	r.pass.place.Store(count)
	table.mu.Lock()
	id, ok := table.next(count)
	var i uint64
	if ok {
		h := &table.all[id]
		table.expire(h, at-int64(r.timeout()), silence(r.s.counts.lossNow()), false)
		var place uint32
		if place, ok = h.control(at); ok && h.asked == 0 && !r.late(h) {
			h.ask(place, at, t.pass)
		} else {
			ok = false
		}
		i = h.first + uint64(place)
		h.step = min(2*h.step, lastStep)
		table.plan(id, r.silentOf(h), count, r.walk.length())
	}
	table.mu.Unlock()
	if ok {
		r.s.counts.controls.Add(1)
		r.pass.pacer.take(at, 1)
		t.put(i, sport)
	}
}

// control probes the hosts that are up and have silent pairs, or only those that did
// not answer their last control, after a pass.
func (r *run) control(pass int, again bool) {
	if r.pass.restart.Load() {
		return // all pairs of the pass are probed again
	}
	r.findRefusing()
	before := now() - int64(r.timeout())
	enough := silence(r.s.counts.lossNow())
	r.askControls(pass, r.pick(func(h *upHost) bool {
		r.hosts.expire(h, before, enough, false)
		return h.asked == 0 && (!again || h.missed > 0) && r.silentOf(h) > 0
	}))
}

// pick returns the hosts that f selects of those that may still be probed.
func (r *run) pick(f func(h *upHost) bool) []uint32 {
	t := r.hosts
	t.mu.Lock()
	defer t.mu.Unlock()
	var ids []uint32
	for id := range t.all {
		if h := &t.all[id]; !r.late(h) && f(h) {
			ids = append(ids, uint32(id))
		}
	}
	return ids
}

// askControls probes one pair of each host that is known to answer.
func (r *run) askControls(pass int, ids []uint32) {
	t := &transmitter{run: r, senders: r.s.senders[0], pass: pass}
	if err := t.controls(ids); err != nil && err != errStopped {
		r.fail(err)
	}
}

// controls sends the controls of hosts.
func (t *transmitter) controls(ids []uint32) error {
	r := t.run
	for len(ids) > 0 {
		if err := t.hold(); err != nil {
			return err
		}
		n := min(len(ids), r.pass.pacer.batch(rawnet.BatchSize))
		if err := t.sleep(r.pass.pacer.take(now(), n)); err != nil {
			return err
		}
		at := now()
		sport := r.s.clock.port(at)
		for _, i := range r.hosts.ask(ids[:n], at, t.pass) {
			r.s.counts.controls.Add(1)
			t.put(i, sport)
		}
		if err := t.flush(); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// ask records that the controls of hosts are sent, and returns their pairs. Hosts that
// cannot be probed at the moment are left out.
func (t *hostTable) ask(ids []uint32, at int64, pass int) []uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	pairs := make([]uint64, 0, len(ids))
	for _, id := range ids {
		h := &t.all[id]
		if place, ok := h.control(at); ok && h.asked == 0 {
			h.ask(place, at, pass)
			pairs = append(pairs, h.first+uint64(place))
		}
	}
	return pairs
}
