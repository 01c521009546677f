package syn

import (
	"math"
	"math/rand/v2"
	"time"
)

// A tally counts probes to pairs that are known to answer from other probes.
type tally struct{ asked, lost uint64 }

// A record is the known loss of each pass of a run. A pass that was given up because
// it was too fast is not in it.
type record struct {
	passes []tally
}

// grow makes room for pass n, counted from 0.
func (r *record) grow(n int) {
	for len(r.passes) <= n {
		r.passes = append(r.passes, tally{})
	}
}

// sum returns the total of all passes.
func (r *record) sum() (all tally) {
	for _, t := range r.passes {
		all.asked += t.asked
		all.lost += t.lost
	}
	return all
}

// chance is the probability that a pair which answers was missed by all passes. Losses
// of different passes count as independent; a pass with few validation probes is
// estimated with the others too, and one with none at 1/2. If all validation probes
// are few, two standard errors are added.
func (r *record) chance() float64 {
	all := r.sum()
	mean := (float64(all.lost) + 0.5) / (float64(all.asked) + 1)
	mean = min(mean+2*math.Sqrt(mean*(1-mean)/float64(all.asked+1)), 1)
	p := 1.0
	for _, t := range r.passes {
		const weight = 4
		p *= (float64(t.lost) + weight*mean) / (float64(t.asked) + weight)
	}
	return p
}

// loss is the fraction of probes lost in all passes, without those that were sent to
// hosts which are gone; 0 if nothing is known.
func (r *record) loss(gone uint64) float64 {
	all := r.sum()
	gone = min(gone, all.lost)
	if all.asked == gone {
		return 0
	}
	return float64(all.lost-gone) / float64(all.asked-gone)
}

// silence returns how many probes in a row must stay without an answer so that loss
// explains it only once in a thousand.
func silence(loss float64) uint8 {
	const least, most, doubt = 3, 20, 0.001
	if loss <= 0 {
		return least
	}
	if loss >= 1 {
		return most
	}
	return uint8(min(max(math.Ceil(math.Log(doubt)/math.Log(loss)), least), most))
}

// dead reports whether all probes were lost, and so many that loss does not explain
// it.
func (t tally) dead(loss float64) bool {
	return t.asked > 0 && t.lost == t.asked && math.Pow(loss, float64(t.asked)) < 0.02
}

// lossless reports whether each pass has many validation probes and almost no loss.
func (r *record) lossless() bool {
	for _, t := range r.passes {
		if t.asked < 200 || t.lost*1000 > t.asked {
			return false
		}
	}
	return len(r.passes) > 0
}

// How many pairs a run may be expected to have missed when it ends.
const (
	missOpen = 0.001 // open ones
	missAny  = 0.01  // ones that would have answered at all
)

// maxPasses is the maximum number of passes, for a network that loses nearly
// everything. With a loss of 60% in each direction it still finds all of 500.
const maxPasses = 30

// passSlots is how many passes are recorded, including those given up.
const passSlots = 2 * maxPasses

// enough reports whether the passes so far suffice: that no more than missOpen open
// ports and missAny answering ones are expected to be missed. If nothing answered
// there is nothing to estimate.
func (r *record) enough(open, answered uint64) bool {
	if answered == 0 || len(r.passes) >= maxPasses {
		return true
	}
	p := r.chance()
	unseen := p / math.Max(1-p, 1e-9)
	return float64(open)*unseen < missOpen && float64(answered)*unseen < missAny
}

// A validation is a pair that is known to answer and is probed again from time to
// time: whether it still answers shows, immediately and at the present rate, how much
// is lost on the path.
type validation struct {
	index uint64
	sent  int64 // when it was last probed, in nanoseconds
	pass  int
	state validationState
}

type validationState uint8

const (
	validationIdle  validationState = iota
	validationAsked                 // no answer yet
	validationHeard                 // answered, but not yet counted
)

// maxValidations is their maximum number; more would not improve the estimate.
const maxValidations = 1024

// validations is a sample of the pairs that have answered. It is not safe for
// concurrent use.
type validations struct {
	all   []validation
	place map[uint64]int
	met   uint64 // pairs offered
	turn  int
	rand  *rand.Rand
}

func newValidations(seed uint64) *validations {
	return &validations{place: map[uint64]int{}, rand: rand.New(rand.NewPCG(seed, 0))}
}

// offer offers a pair that has answered to the sample, which contains each offered
// pair with the same probability (Vitter's algorithm R).
func (w *validations) offer(index uint64) {
	w.met++
	if len(w.all) < maxValidations {
		w.place[index] = len(w.all)
		w.all = append(w.all, validation{index: index})
		return
	}
	k := w.rand.Uint64N(w.met)
	if k >= maxValidations || w.all[k].state != validationIdle {
		return
	}
	delete(w.place, w.all[k].index)
	w.place[index] = int(k)
	w.all[k] = validation{index: index}
}

// ask returns the pair to probe again now, if one is due. None is probed again before
// its last result was counted.
func (w *validations) ask(now int64, pass int) (uint64, bool) {
	for range min(len(w.all), 8) {
		w.turn = (w.turn + 1) % len(w.all)
		if s := &w.all[w.turn]; s.state == validationIdle {
			s.state, s.sent, s.pass = validationAsked, now, pass
			return s.index, true
		}
	}
	return 0, false
}

// undoAsk undoes ask for a pair.
func (w *validations) undoAsk(index uint64) { w.all[w.place[index]].state = validationIdle }

// answered records that a pair answered a probe that was sent at sent, plus or minus a
// tick. It reports whether that was the answer to a validation probe.
func (w *validations) answered(index uint64, sent int64, tick time.Duration) bool {
	k, ok := w.place[index]
	if !ok || w.all[k].state != validationAsked {
		return false
	}
	if d := time.Duration(w.all[k].sent - sent); d > 2*tick || d < -2*tick {
		return false
	}
	w.all[k].state = validationHeard
	return true
}

// count passes to f the result of each probe that was sent before the given time: its
// pair, its pass, when it was sent, and whether it was lost.
func (w *validations) count(before int64, f func(index uint64, pass int, sent int64, lost bool)) {
	for k := range w.all {
		if s := &w.all[k]; s.state != validationIdle && s.sent < before {
			f(s.index, s.pass, s.sent, s.state == validationAsked)
			s.state = validationIdle
		}
	}
}
