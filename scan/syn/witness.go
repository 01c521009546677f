package syn

import (
	"math/rand/v2"
	"time"
)

// A witness is a pair that is known to answer and is asked again now and
// then: whether it still does says, at once and at the present rate, how much
// is lost on the way.
type witness struct {
	index uint64
	sent  int64 // when it was last asked, in nanoseconds
	pass  int
	state witnessState
}

type witnessState uint8

const (
	witnessIdle  witnessState = iota
	witnessAsked              // no answer yet
	witnessHeard              // answered, but not yet counted
)

// maxWitnesses bounds them; more would tell nothing more.
const maxWitnesses = 1024

// witnesses is a sample of what has answered. It is not safe for concurrent
// use.
type witnesses struct {
	all   []witness
	place map[uint64]int
	met   uint64 // pairs offered
	turn  int
	rand  *rand.Rand
}

func newWitnesses(seed uint64) *witnesses {
	return &witnesses{place: map[uint64]int{}, rand: rand.New(rand.NewPCG(seed, 0))}
}

// offer puts a pair that has answered into the sample, in which each that was
// offered is equally likely to be (Vitter's algorithm R).
func (w *witnesses) offer(index uint64) {
	w.met++
	if len(w.all) < maxWitnesses {
		w.place[index] = len(w.all)
		w.all = append(w.all, witness{index: index})
		return
	}
	k := w.rand.Uint64N(w.met)
	if k >= maxWitnesses || w.all[k].state != witnessIdle {
		return
	}
	delete(w.place, w.all[k].index)
	w.place[index] = int(k)
	w.all[k] = witness{index: index}
}

// ask returns the pair to ask again now, if one is due. None is asked again
// before the last time was counted.
func (w *witnesses) ask(now int64, pass int) (uint64, bool) {
	for range min(len(w.all), 8) {
		w.turn = (w.turn + 1) % len(w.all)
		if s := &w.all[w.turn]; s.state == witnessIdle {
			s.state, s.sent, s.pass = witnessAsked, now, pass
			return s.index, true
		}
	}
	return 0, false
}

// unask takes back that a pair was asked.
func (w *witnesses) unask(index uint64) { w.all[w.place[index]].state = witnessIdle }

// hear notes that a pair answered a probe which left at sent, give or take a
// tick. It reports whether that was a witness's answer, awaited.
func (w *witnesses) hear(index uint64, sent int64, tick time.Duration) bool {
	k, ok := w.place[index]
	if !ok || w.all[k].state != witnessAsked {
		return false
	}
	if d := time.Duration(w.all[k].sent - sent); d > 2*tick || d < -2*tick {
		return false
	}
	w.all[k].state = witnessHeard
	return true
}

// count hands to f what became of each probe that left before the given time:
// which pair it asked, in which pass, when it left, and whether it was lost.
func (w *witnesses) count(before int64, f func(index uint64, pass int, sent int64, lost bool)) {
	for k := range w.all {
		if s := &w.all[k]; s.state != witnessIdle && s.sent < before {
			f(s.index, s.pass, s.sent, s.state == witnessAsked)
			s.state = witnessIdle
		}
	}
}
