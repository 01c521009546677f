package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"mxsweep/exposure"
)

// A signalError is the cause of a context that a signal cancelled.
type signalError struct{ sig os.Signal }

func (e signalError) Error() string { return fmt.Sprintf("stopped by %s", e.sig) }

// untilSignal returns a context that ends at the first SIGINT or SIGTERM, with
// a signalError as its cause. The second signal ends the process at once: the
// first one gives the default behaviour back to both.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	// A reader that goes away must not end the process before the other
	// outputs are written: with the signal ignored, the write fails instead.
	signal.Ignore(syscall.SIGPIPE)
	sigs := make(chan os.Signal, 1)
	signal.Notify(sigs, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-sigs:
			signal.Reset(os.Interrupt, syscall.SIGTERM)
			cancel(signalError{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(sigs)
		cancel(nil)
	}
}

// signalCode is the exit code for the signal that ended ctx, if one did.
func signalCode(ctx context.Context) (exposure.ExitCode, bool) {
	var s signalError
	if !errors.As(context.Cause(ctx), &s) {
		return 0, false
	}
	if s.sig == syscall.SIGTERM {
		return exitTerminate, true
	}
	return exitInterrupt, true
}
