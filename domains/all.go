package domains

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// All walks through the records of several domains, as many at once as parallel says, and returns
// them in their order. Progress, if not nil, is called when a domain is done, with how many are; not
// from several goroutines at once, but from other goroutines than the caller's.
func (w *Walker) All(ctx context.Context, names []string, parallel int, progress func(done int)) ([]*Domain, error) {
	found := make([]*Domain, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	var done atomic.Int64
	told := make(chan struct{}, 1)
	for i, name := range names {
		g.Go(func() (err error) {
			if found[i], err = w.Walk(ctx, name); err != nil {
				return err
			}
			if n := int(done.Add(1)); progress != nil {
				told <- struct{}{}
				progress(n)
				<-told
			}
			return nil
		})
	}
	return found, g.Wait()
}
