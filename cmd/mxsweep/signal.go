package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/run"
)

// endingSignals are the signals that end a run with a report. On Windows there
// is no SIGHUP or SIGQUIT: Ctrl-C and Ctrl-Break arrive as SIGINT; closing the
// console, logging off and shutting down as SIGTERM.
func endingSignals() []os.Signal {
	sigs := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) { // nohup(1): the run is to outlive its terminal
		sigs = append(sigs, syscall.SIGHUP)
	}
	return sigs
}

// untilSignal returns a context that ends at the first of endingSignals, with
// a SignalError as its cause. The second signal ends the process at once: the
// first one gives the default behavior back to all of them.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	// A reader that goes away must not end the process before the other
	// outputs are written: with the signal ignored, the write fails instead.
	signal.Ignore(syscall.SIGPIPE)
	ending := endingSignals()
	sigs := make(chan os.Signal, 1)
	signal.Notify(sigs, ending...)
	go func() {
		select {
		case s := <-sigs:
			signal.Reset(ending...)
			cancel(run.SignalError{Signal: s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(sigs)
		cancel(nil)
	}
}

// signalCode returns the exit code for the signal that ended ctx, if one did: 128 plus
// its number, as in a shell.
func signalCode(ctx context.Context) (gate.ExitCode, bool) {
	var s run.SignalError
	if !errors.As(context.Cause(ctx), &s) {
		return 0, false
	}
	return gate.ExitCode(128 + s.Number()), true
}
