package syn

import (
	"math"
	"testing"
)

// TestTooFew tells for which silent pairs all probes may have got lost: only those
// of hosts that are up, by what was asked of each and by what tells of the loss.
func TestTooFew(t *testing.T) {
	_, space := spaceOf(t, []uint16{25, 26}, "10.91.16.0/30")
	v := newViewer(space)
	for r, ports := range space.Ranges() {
		if err := v.add(r, ports, func() (*hop, error) { return &hop{}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		once           bool
		passes         int
		found          uint64 // in the last pass
		asked, control tally  // in each pass
		gone           uint8  // controls of a host that is gone
		probes         uint8  // of the host that is up
		few            bool
	}{
		"nothing lost":                    {true, 1, 100, tally{5, 0}, tally{4, 0}, 0, 0, false},
		"nothing known":                   {true, 1, 0, tally{}, tally{}, 0, 0, false},
		"validations lost":                {true, 1, 100, tally{10, 5}, tally{}, 0, 0, true},
		"controls lost":                   {true, 1, 100, tally{}, tally{10, 5}, 0, 0, true},
		"little lost":                     {true, 1, 100, tally{90, 3}, tally{10, 1}, 0, 0, false},
		"asked twice":                     {true, 2, 100, tally{90, 20}, tally{10, 2}, 0, 0, false},
		"another host is gone":            {true, 1, 100, tally{10, 0}, tally{10, 9}, 9, 0, false},
		"asked again with care":           {true, 1, 100, tally{10, 5}, tally{}, 0, 10, false},
		"asked again too seldom":          {true, 1, 100, tally{10, 9}, tally{}, 0, 10, true},
		"many passes":                     {false, 3, 0, tally{100, 20}, tally{10, 9}, 0, 0, false},
		"many passes that lose":           {false, 30, 0, tally{100, 95}, tally{}, 0, 0, true},
		"many passes, to a host gone too": {false, 30, 0, tally{100, 95}, tally{}, 94, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := &run{s: &Scanner{view: &v.view}, hosts: newHostTable(c.once)}
			r.pass.number.Store(int32(c.passes - 1))
			r.loss.found[c.passes-1].Store(c.found)
			for pass := range c.passes {
				r.loss.asked[pass], r.hosts.passes[pass] = c.asked, c.control
			}
			h, _ := r.hosts.add(2, 2)
			h.probes = c.probes
			gone := uint64(c.gone)
			if !c.once {
				gone *= uint64(c.passes)
			}
			r.hosts.gone = gone
			r.publishFinalLoss()
			m := r.missed()
			for i := range space.Len() {
				if err := m.tooFew(i); (err != nil) != (c.few && (i == 2 || i == 3)) {
					t.Errorf("pair %d, loss %.3f in %d passes: %v", i, m.loss, m.passes, err)
				}
			}
			if m.loss < 0 || math.IsNaN(m.loss) {
				t.Errorf("loss %v", m.loss)
			}
		})
	}
}
