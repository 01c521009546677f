package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// A pace lets the connections of dialogues leave at the rate of the run, and
// counts them, so that the engine sends as much less. The nil pace lets them
// leave at once.
type pace struct {
	limit *rate.Limiter
	spent atomic.Int64
}

// newPace makes a pace of so many connections a second; none of 0.
func newPace(perSecond uint) *pace {
	if perSecond == 0 {
		return nil
	}
	return &pace{limit: rate.NewLimiter(rate.Limit(perSecond), max(1, atMost(perSecond)/100))}
}

// wait waits until one more connection may leave.
func (p *pace) wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	if err := p.limit.Wait(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("waiting for --rate: %w", err)
	}
	p.spent.Add(1)
	return nil
}

// take returns how many connections have left since it was last called.
func (p *pace) take() int {
	if p == nil {
		return 0
	}
	return int(p.spent.Swap(0))
}
