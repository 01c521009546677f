package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mxsweep/mxsweep/exposure/gate"
)

// A stopError is the cause of a context that ended because the run had to
// stop, and not because something failed: what was found is reported, and the
// run is incomplete.
type stopError interface {
	error
	stopsRun()
}

// A timeUpError is the cause of a context that --max-time ended.
type timeUpError struct{ after time.Duration }

func (e timeUpError) Error() string {
	return fmt.Sprintf("ended after %s, as --max-time says", e.after)
}

// stopsRun implements [stopError].
func (timeUpError) stopsRun() {}

// An expiredError is the cause of a context that the end of the authorization
// ended.
type expiredError struct{ notAfter time.Time }

func (e expiredError) Error() string {
	return "the authorization ended at " + e.notAfter.UTC().Format(time.RFC3339)
}

// stopsRun implements [stopError].
func (expiredError) stopsRun() {}

// stopped reports whether ctx ended because the run had to stop.
func stopped(ctx context.Context) bool {
	return errors.As(context.Cause(ctx), new(stopError))
}

// lead is how long before the end of the authorization the last packet leaves,
// so that a sender that this machine lets run late is still in time.
const lead = 100 * time.Millisecond

// lastMoment is the moment from which on nothing may be sent; the zero Time if
// there is none.
func (p *plan) lastMoment() time.Time {
	if p.policy == nil || p.policy.Authorization == nil || p.policy.Authorization.NotAfter.IsZero() {
		return time.Time{}
	}
	return p.policy.Authorization.NotAfter.Add(-lead)
}

// bounded returns a context that ends with the authorization of the run, and
// when --max-time is over, counted from begun.
func (p *plan) bounded(ctx context.Context, begun time.Time) (context.Context, context.CancelFunc) {
	cancels := []context.CancelFunc{}
	end := func(at time.Time, why error) {
		bounded, cancel := context.WithDeadlineCause(ctx, at, why)
		ctx, cancels = bounded, append(cancels, cancel)
	}
	if at := p.lastMoment(); !at.IsZero() {
		end(at, expiredError{p.policy.Authorization.NotAfter})
	}
	if max := p.flags.maxTime; max > 0 {
		end(begun.Add(max), timeUpError{max})
	}
	return ctx, func() {
		for _, cancel := range cancels {
			cancel()
		}
	}
}

// noteStop tells the gate what ended the run before all was asked.
func noteStop(ctx context.Context, facts *gate.RunFacts) {
	if code, ok := signalCode(ctx); ok {
		facts.Signal = int(code) - 128
	}
	var up timeUpError
	if errors.As(context.Cause(ctx), &up) {
		facts.TimeUp = up.after
	}
	var expired expiredError
	if errors.As(context.Cause(ctx), &expired) {
		facts.Expired = expired.notAfter
	}
}
