package syn

import (
	"testing"

	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// TestResetChange follows the TTL of the segments of one host: only a change for good
// counts, and only if pairs that were refused before are refused with the new one.
func TestResetChange(t *testing.T) {
	type step struct {
		times int
		place uint32 // of the first one; the next ones follow unless again is set
		ttl   uint8
		kind  rawnet.Kind
		again bool
	}
	before := step{10, 0, 64, rawnet.KindReset, false}
	after := step{10, 10, 63, rawnet.KindReset, false}
	confirmed := step{8, 0, 63, rawnet.KindReset, true}
	for name, c := range map[string]struct {
		steps []step
		sure  bool
	}{
		"for good":                 {[]step{before, after, confirmed}, true},
		"few before":               {[]step{{3, 0, 64, rawnet.KindReset, false}, after, confirmed}, false},
		"few behind":               {[]step{before, {3, 10, 63, rawnet.KindReset, false}, confirmed}, false},
		"not confirmed":            {[]step{before, after}, false},
		"seldom confirmed":         {[]step{before, after, {7, 0, 63, rawnet.KindReset, true}}, false},
		"by port":                  {[]step{before, after, {8, 0, 64, rawnet.KindReset, true}}, false},
		"another port asked again": {[]step{before, after, {8, 10, 63, rawnet.KindReset, true}}, false},
		"for a while":              {[]step{before, after, {1, 20, 64, rawnet.KindReset, false}, {9, 21, 63, rawnet.KindReset, false}, confirmed}, false},
		"a third one":              {[]step{before, after, {1, 20, 62, rawnet.KindReset, false}, confirmed}, false},
		"still accepts":            {[]step{before, after, {1, 20, 63, rawnet.KindSynAck, false}, confirmed}, false},
		"had accepted":             {[]step{{1, 30, 64, rawnet.KindSynAck, false}, before, after, confirmed}, true},
	} {
		table := newHostTable(false)
		h, _ := table.add(100, 50)
		at := int64(0)
		for _, s := range c.steps {
			for n := range s.times {
				place := s.place
				if !s.again {
					place += uint32(n)
				}
				at += 1000
				if !s.again {
					h.answers(place, s.kind)
				}
				table.ttl(h, place, rawnet.Answer{Kind: s.kind, TTL: s.ttl}, !s.again, at, 10)
				table.answered(h, at, 10)
			}
		}
		change := table.resets[100]
		if got := change != nil && change.sure(); got != c.sure {
			t.Errorf("%s: %t, %+v", name, got, change)
		}
		if c.sure && (len(change.pairs) != 10 || change.pairs[0] != 110 || change.since < 11000 || change.since > 12000) {
			t.Errorf("%s: %+v", name, change)
		}
		if change == nil && table.taken != 0 {
			t.Errorf("%s: %d pairs are remembered of nothing", name, table.taken)
		}
	}
}
