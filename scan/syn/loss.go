package syn

import (
	"math"
	"math/rand/v2"
	"time"
)

// A tally counts probes to pairs of which it is known, from some other probe,
// that they answer.
type tally struct{ asked, lost uint64 }

// A record is what is known of the loss of each pass of a run. A pass that
// was given up because it went too fast is not in it.
type record struct {
	passes []tally
}

// grow makes room for pass n, counted from 0.
func (r *record) grow(n int) {
	for len(r.passes) <= n {
		r.passes = append(r.passes, tally{})
	}
}

// sum is all passes together.
func (r *record) sum() (all tally) {
	for _, t := range r.passes {
		all.asked += t.asked
		all.lost += t.lost
	}
	return all
}

// chance is the probability that a pair which answers was missed by all
// passes. Losses of different passes are taken to be independent; a pass with
// few validation probes is judged by the others too, and one with none at all by a
// coin. Where all validation probes are few, more may get lost than they tell: by two
// standard errors.
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

// loss is the share of probes lost in all passes, but for so many that were
// sent to hosts which are gone; 0 if nothing is known.
func (r *record) loss(gone uint64) float64 {
	all := r.sum()
	gone = min(gone, all.lost)
	if all.asked == gone {
		return 0
	}
	return float64(all.lost-gone) / float64(all.asked-gone)
}

// silence is how many probes in a row must stay without an answer to show that
// it is not for this loss: one in a thousand does by chance.
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

// dead reports whether so many probes would not have been lost by chance, and
// all were.
func (t tally) dead(loss float64) bool {
	return t.asked > 0 && t.lost == t.asked && math.Pow(loss, float64(t.asked)) < 0.02
}

// lossless reports whether each pass has many validation probes and next to no loss.
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

// maxPasses bounds a run through a network that loses nearly everything. At
// six in ten lost both ways it still finds all of 500.
const maxPasses = 30

// passSlots is how many passes are told apart; those given up are in it.
const passSlots = 2 * maxPasses

// enough reports whether the passes so far will do: that no more than
// missOpen open ports and missAny answering ones are expected to be still
// unseen. Where nothing answered there is nothing to judge by.
func (r *record) enough(open, answered uint64) bool {
	if answered == 0 || len(r.passes) >= maxPasses {
		return true
	}
	p := r.chance()
	unseen := p / math.Max(1-p, 1e-9)
	return float64(open)*unseen < missOpen && float64(answered)*unseen < missAny
}

// A validation is a validation probe: a pair that is known to answer and is asked again now and
// then: whether it still does says, at once and at the present rate, how much
// is lost on the way.
type validation struct {
	index uint64
	sent  int64 // when it was last asked, in nanoseconds
	pass  int
	state validationState
}

type validationState uint8

const (
	validationIdle  validationState = iota
	validationAsked                 // no answer yet
	validationHeard                 // answered, but not yet counted
)

// maxValidations bounds them; more would tell nothing more.
const maxValidations = 1024

// validations is a sample of what has answered. It is not safe for concurrent
// use.
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

// offer puts a pair that has answered into the sample, in which each that was
// offered is equally likely to be (Vitter's algorithm R).
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

// ask returns the pair to ask again now, if one is due. None is asked again
// before the last time was counted.
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

// unask takes back that a pair was asked.
func (w *validations) unask(index uint64) { w.all[w.place[index]].state = validationIdle }

// hear notes that a pair answered a probe which left at sent, give or take a
// tick. It reports whether that was a validation probe's answer, awaited.
func (w *validations) hear(index uint64, sent int64, tick time.Duration) bool {
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

// count hands to f what became of each probe that left before the given time:
// which pair it asked, in which pass, when it left, and whether it was lost.
func (w *validations) count(before int64, f func(index uint64, pass int, sent int64, lost bool)) {
	for k := range w.all {
		if s := &w.all[k]; s.state != validationIdle && s.sent < before {
			f(s.index, s.pass, s.sent, s.state == validationAsked)
			s.state = validationIdle
		}
	}
}
