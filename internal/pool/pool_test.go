package pool

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func count(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		start := time.Now()
		var got []int
		for r := range Map(t.Context(), 4, count(10), func(_ context.Context, i int) int {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer running.Add(-1)
			time.Sleep(time.Second)
			return i * i
		}) {
			got = append(got, r)
		}
		slices.Sort(got)
		if want := []int{0, 1, 4, 9, 16, 25, 36, 49, 64, 81}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if most.Load() != 4 || time.Since(start) != 3*time.Second {
			t.Errorf("%d ran at once, in %v", most.Load(), time.Since(start))
		}
	})
}

func TestMapStops(t *testing.T) {
	work := func(ctx context.Context, i int) int {
		if i > 0 {
			<-ctx.Done()
		}
		return i
	}
	t.Run("loop left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for range Map(t.Context(), 4, count(1000), work) {
				break
			}
		}) // which fails if a goroutine is left behind
	})
	t.Run("canceled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var got []int
			for r := range Map(ctx, 4, count(1000), work) {
				cancel()
				got = append(got, r)
			}
			if len(got) == 0 || len(got) > 5 {
				t.Errorf("%d calls began", len(got))
			}
		})
	})
}
