package scan

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestWheel compares the wheel with a list of times.
func TestWheel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	w := newWheel()
	probes := make([]probe, 200)
	at := map[int32]time.Duration{}
	now := time.Duration(0)
	for range 5000 {
		now += time.Duration(r.IntN(int(5 * time.Millisecond)))
		if i := int32(r.IntN(len(probes))); at[i] == 0 {
			at[i] = now + time.Duration(1+r.IntN(int(400*time.Millisecond)))
			w.add(probes, i, at[i])
		} else if r.IntN(3) == 0 {
			w.remove(probes, i)
			delete(at, i)
		}
		if next, ok := w.next(); ok != (len(at) > 0) || ok && next > now+600*time.Millisecond {
			t.Fatalf("next is %v at %v, %v", next, now, ok)
		}
		for _, i := range w.due(probes, now, nil) {
			if at[i] == 0 || at[i] > now {
				t.Fatalf("%v came at %v", at[i], now)
			}
			delete(at, i)
		}
		for i, want := range at {
			if want < now-3*grain {
				t.Fatalf("probe %d is overdue since %v at %v", i, want, now)
			}
		}
	}
	if w.count != len(at) {
		t.Errorf("the wheel counts %d, %d are there", w.count, len(at))
	}
}
