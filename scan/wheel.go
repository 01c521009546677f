package scan

import "time"

// A wheel holds probes that have to be checked again, each at a time within the next
// half second. What is to be done is decided at that time, because the timeouts change
// with every answer.
type wheel struct {
	spokes [256]int32 // the first probe of each list, or none
	turn   int64      // spokes passed so far
	count  int
}

// grain is the time between two spokes.
const grain = 2 * time.Millisecond

// none is the end of a list of probes.
const none int32 = -1

func newWheel() wheel {
	w := wheel{}
	for i := range w.spokes {
		w.spokes[i] = none
	}
	return w
}

// add puts a probe on the spoke for the time at, or on the farthest one.
func (w *wheel) add(probes []probe, i int32, at time.Duration) {
	spoke := min(max(int64(at/grain)+1, w.turn+1), w.turn+int64(len(w.spokes))-1)
	k := int32(spoke % int64(len(w.spokes)))
	p := &probes[i]
	p.spoke, p.before, p.behind = k, none, w.spokes[k]
	if p.behind != none {
		probes[p.behind].before = i
	}
	w.spokes[k] = i
	w.count++
}

// remove takes a probe off the wheel.
func (w *wheel) remove(probes []probe, i int32) {
	p := &probes[i]
	if p.before != none {
		probes[p.before].behind = p.behind
	} else {
		w.spokes[p.spoke] = p.behind
	}
	if p.behind != none {
		probes[p.behind].before = p.before
	}
	p.spoke = none
	w.count--
}

// due removes the probes whose time has come by now, and adds them to list.
func (w *wheel) due(probes []probe, now time.Duration, list []int32) []int32 {
	end := int64(now / grain)
	if w.count == 0 {
		w.turn = max(w.turn, end)
		return list
	}
	for steps := 0; w.turn < end; steps++ {
		if steps == len(w.spokes) { // all have been passed
			w.turn = end
			break
		}
		w.turn++
		for k := w.turn % int64(len(w.spokes)); w.spokes[k] != none; {
			i := w.spokes[k]
			w.remove(probes, i)
			list = append(list, i)
		}
	}
	return list
}

// next returns the time of the next spoke with a probe. It reports false if there is
// none.
func (w *wheel) next() (time.Duration, bool) {
	if w.count == 0 {
		return 0, false
	}
	for turn := w.turn + 1; ; turn++ {
		if w.spokes[turn%int64(len(w.spokes))] != none {
			return time.Duration(turn) * grain, true
		}
	}
}
