package syn

import "net/netip"

// refuses reports whether a SYN to an address may not leave because the time of
// the host is over. If it may leave, its time begins at the latest now.
func (r *run) refuses(a netip.Addr) bool {
	c := r.s.config.Hosts
	if c.Refuses(a) {
		r.s.counts.unproven.Store(true) // a later run has to ask anew
		return true
	}
	c.Begin(a)
	return false
}

// inTime returns those of pairs whose hosts have time left, so that nothing
// waits for its turn that is not sent.
func (r *run) inTime(pairs []uint64) []uint64 {
	if r.s.config.Hosts == nil {
		return pairs
	}
	kept := make([]uint64, 0, len(pairs))
	for _, i := range pairs {
		if a := r.s.view.at(i).Addr(); !r.s.config.Hosts.Over(a) || !r.refuses(a) {
			kept = append(kept, i)
		}
	}
	return kept
}

// late reports whether a host that is up may not be asked any more because its
// time is over. With silent pairs left, which a control would have to prove, it
// is short of time.
func (r *run) late(h *upHost) bool {
	c := r.s.config.Hosts
	if c == nil {
		return false
	}
	a := r.s.view.at(h.first).Addr()
	return c.Over(a) && (r.silentOf(h) == 0 || r.refuses(a))
}

// short reports whether the host of pair i was short of time.
func (r *run) short(i uint64) bool {
	c := r.s.config.Hosts
	return c != nil && c.Short(r.s.view.at(i).Addr())
}
