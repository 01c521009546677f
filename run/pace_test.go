package run

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(2)
		begun := time.Now()
		var group sync.WaitGroup
		for range 12 {
			group.Go(func() {
				if err := p.wait(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if took := time.Since(begun); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("12 connections at 2 a second took %v", took)
		}
		if n := p.take(); n != 12 || p.take() != 0 {
			t.Errorf("%d connections are counted, want 12", n)
		}
		why := errors.New("the run is over")
		ctx, stop := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Millisecond, func() { stop(why) })
		if err := p.wait(ctx); !errors.Is(err, why) || p.take() != 0 {
			t.Errorf("the wait ended with %v", err)
		}
		var none *pace
		if none = newPace(0); none.wait(t.Context()) != nil || none.take() != 0 {
			t.Error("a rate of 0 holds connections up")
		}
	})
}
