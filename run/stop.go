package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/mxsweep/mxsweep/exposure/gate"
)

// A stopError is the cause of a context that ended because the run had to stop,
// not because something failed: the results so far are reported, and the run is
// incomplete.
type stopError interface {
	error
	stopsRun()
}

// A SignalError is the cause with which to cancel the context of a run when a
// signal is received: the results so far are reported, with the signal. With any
// other cause the run fails.
type SignalError struct{ Signal os.Signal }

// Error implements error.
func (e SignalError) Error() string { return fmt.Sprintf("stopped by %s", e.Signal) }

// Number returns the number of the signal; that of SIGINT if the system has none.
func (e SignalError) Number() int {
	if n, ok := e.Signal.(syscall.Signal); ok {
		return int(n)
	}
	return int(syscall.SIGINT)
}

// stopsRun implements [stopError].
func (SignalError) stopsRun() {}

// A timeUpError is the cause of a context that reached --max-time.
type timeUpError struct{ after time.Duration }

func (e timeUpError) Error() string {
	return fmt.Sprintf("stopped after %s by --max-time", e.after)
}

// stopsRun implements [stopError].
func (timeUpError) stopsRun() {}

// An expiredError is the cause of a context that reached the end of the
// authorization.
type expiredError struct{ notAfter time.Time }

func (e expiredError) Error() string {
	return "the authorization expired at " + e.notAfter.UTC().Format(time.RFC3339)
}

// stopsRun implements [stopError].
func (expiredError) stopsRun() {}

// stopped reports whether ctx ended because the run had to stop.
func stopped(ctx context.Context) bool {
	return errors.As(context.Cause(ctx), new(stopError))
}

// lead is how long before the end of the authorization the last packet is sent,
// so that a sender that is scheduled late is still in time.
const lead = 100 * time.Millisecond

// lastMoment returns the time from which on nothing may be sent; the zero Time if
// there is none.
func (p *Plan) lastMoment() time.Time {
	if p.policy == nil || p.policy.Authorization == nil || p.policy.Authorization.NotAfter.IsZero() {
		return time.Time{}
	}
	return p.policy.Authorization.NotAfter.Add(-lead)
}

// bounded returns a context that ends with the authorization of the run, and when
// --max-time has passed since the plan was started.
func (p *Plan) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	cancels := []context.CancelFunc{}
	end := func(at time.Time, why error) {
		bounded, cancel := context.WithDeadlineCause(ctx, at, why)
		ctx, cancels = bounded, append(cancels, cancel)
	}
	if at := p.lastMoment(); !at.IsZero() {
		end(at, expiredError{p.policy.Authorization.NotAfter})
	}
	if max := p.opts.MaxTime; max > 0 {
		end(p.begun.Add(max), timeUpError{max})
	}
	return ctx, func() {
		for _, cancel := range cancels {
			cancel()
		}
	}
}

// noteStop records in facts what ended the run before all pairs were probed.
func noteStop(ctx context.Context, facts *gate.RunFacts) {
	var stopped SignalError
	if errors.As(context.Cause(ctx), &stopped) {
		facts.Signal = stopped.Number()
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
