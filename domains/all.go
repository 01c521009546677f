package domains

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// All walks through the records of several domains, as many at once as parallel says, and returns
// them in their order. Progress, if not nil, is called when a domain is done, with how many are; not
// from several goroutines at once, but from other goroutines than the caller's.
//
// Those that are in the file of an earlier run are taken from there; kept may be nil.
func (w *Walker) All(ctx context.Context, names []string, parallel int, kept *Progress, progress func(done int)) ([]*Domain, error) {
	found := make([]*Domain, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	var done atomic.Int64
	told := make(chan struct{}, 1)
	for i, name := range names {
		g.Go(func() (err error) {
			if found[i] = kept.find(name); found[i] != nil {
				w.classify(found[i]) // the scope may be another one
			} else {
				if found[i], err = w.Walk(ctx, name); err == nil {
					err = kept.save(found[i])
				}
			}
			if err != nil {
				return err
			}
			if progress != nil {
				told <- struct{}{}
				progress(int(done.Add(1)))
				<-told
			}
			return nil
		})
	}
	return found, g.Wait()
}
