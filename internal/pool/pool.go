// Package pool runs work on a bounded number of goroutines.
package pool

import (
	"context"
	"iter"
	"sync"
)

// Map calls work for every value of in, on at most n goroutines at once, and
// yields what it returns in the order in which it becomes known. n below 1
// counts as 1.
//
// The sequence ends only when every call has returned. When ctx is done, or
// the loop over the sequence is left, no further value is taken from in and
// the context handed to the calls under way is done too; results of calls that
// had begun are still yielded unless the loop was left.
//
// in is read on a goroutine of its own, one value at a time.
func Map[T, R any](ctx context.Context, n int, in iter.Seq[T], work func(context.Context, T) R) iter.Seq[R] {
	return func(yield func(R) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		results := make(chan R)
		go run(ctx, max(n, 1), in, work, results)
		wanted := true
		for r := range results {
			if wanted && !yield(r) {
				wanted = false
				cancel()
			}
		}
	}
}

// run feeds in to the workers and closes results when all have ended.
func run[T, R any](ctx context.Context, n int, in iter.Seq[T], work func(context.Context, T) R, results chan<- R) {
	var wg sync.WaitGroup
	free := make(chan struct{}, n)
	for v := range in {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			results <- work(ctx, v)
			<-free
		})
	}
	wg.Wait()
	close(results)
}
