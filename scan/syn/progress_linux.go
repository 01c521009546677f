package syn

// begin is where the first pass of the run begins.
func (r *run) begin() Progress {
	b := r.s.config.Begin
	if b.Pairs != r.s.view.count || b.Pass < 0 || b.Pass >= passSlots || b.Asked > r.walk.length() {
		return Progress{}
	}
	return b
}

// enterPass says that a pass is under way, and asked up to a count of the walk.
// Whoever looks meanwhile sees less than there is, never more.
func (r *run) enterPass(pass int, from uint64) {
	for i := range r.at {
		r.at[i].Store(from)
	}
	r.s.counts.reached.Store(0)
	r.s.counts.pass.Store(int32(pass + 1))
	r.s.counts.reached.Store(from)
}

// reach says that a transmitter is done with all that it took in front of a
// count of the walk.
func (r *run) reach(number int, count uint64) {
	r.at[number].Store(count)
	for i := range r.at {
		count = min(count, r.at[i].Load())
	}
	r.s.counts.reached.Store(count)
}

// Progress returns how far the sweep is. It may be called at any time, by any
// goroutine. Once silent pairs are found to prove nothing it is at the
// beginning again: a later run has to ask them anew.
func (s *Scanner) Progress() Progress {
	c := &s.counts
	for {
		if c.unproven.Load() {
			return Progress{Pairs: c.planned.Load()}
		}
		pass := c.pass.Load()
		asked := c.reached.Load()
		if c.pass.Load() != pass {
			continue
		}
		return Progress{Pass: int(max(pass, 1) - 1), Asked: asked, Pairs: c.planned.Load()}
	}
}
