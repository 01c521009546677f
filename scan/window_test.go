package scan

import (
	"testing"
	"time"
)

// TestWindow simulates a network that answers 500 probes per 100 ms and loses the
// rest, and networks that lose at random.
func TestWindow(t *testing.T) {
	run := func(answered func(size int) int) (least, last int) {
		w := window{size: 16384, most: 16384}
		least = w.size
		for round := range 300 {
			n := w.size
			good := min(answered(n), n)
			owed := n - good
			for i := range n {
				if i < good {
					lost := owed / (good - i)
					owed -= lost
					w.answer(lost)
				}
				w.end(time.Duration(round) * 100 * time.Millisecond)
			}
			least = min(least, w.size)
		}
		return least, w.size
	}
	if least, last := run(func(int) int { return 500 }); least < 128 || last > 1000 {
		t.Errorf("with room for 500 it is %d at least, and %d at last", least, last)
	}
	if least, _ := run(func(n int) int { return n * 7 / 10 }); least < 4000 {
		t.Errorf("with loss at random it falls to %d", least)
	}
	if least, _ := run(func(n int) int { return n * 99 / 100 }); least != 16384 {
		t.Errorf("with hardly any loss it falls to %d", least)
	}
	w := window{size: 100, most: 100}
	if w.shrink(3); w.size != 3 {
		t.Errorf("it is %d", w.size)
	}
	for range 20 * windowEnds {
		w.end(0)
	}
	if w.size != 100 {
		t.Errorf("after a local failure it opens to %d", w.size)
	}
}
