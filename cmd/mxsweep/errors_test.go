package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/signatures"
)

func TestPrintError(t *testing.T) {
	inner := usagef("do this", "reading %q: %w", "x", errors.New("no such thing"))
	problems := signatures.Problems{
		{File: "a.yaml", Line: 3, Column: 5, Problem: "unknown key", Hint: "remove it"},
		{File: "b.yaml", Line: 1, Column: 1, Problem: "no example"},
	}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"plain", errors.New("broken"), "mxsweep: broken\n"},
		{"hint", inner, "mxsweep: reading \"x\": no such thing\nmxsweep: hint: do this\n"},
		{"hint once", fmt.Errorf("first: %w", fault.As(fault.Usage, inner)), "mxsweep: first: reading \"x\": no such thing\nmxsweep: hint: do this\n"},
		{"joined", errors.Join(inner, errors.New("second")), "mxsweep: reading \"x\": no such thing\nmxsweep: hint: do this\nmxsweep: second\n"},
		{"problems", fault.As(fault.Usage, problems), "mxsweep: a.yaml:3:5: unknown key\nmxsweep: hint: remove it\nmxsweep: b.yaml:1:1: no example\n"},
		{"escapes", errors.New("bad \x1b[31m\u202e\xff ##[error] name"), "mxsweep: bad \\x1b[31m\\u202e\\xff #\\x23[error] name\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			printError(&b, tt.err)
			if b.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), tt.want)
			}
		})
	}
}

func TestCodeOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want gate.ExitCode
	}{
		{nil, 0},
		{errors.New("any"), 3},
		{usagef("", "x"), 2},
		{fmt.Errorf("around: %w", fault.Refusef("", "x")), 5},
		{errors.Join(fault.As(fault.Failed, errors.New("x")), usagef("", "y")), 2},
		{errors.Join(usagef("", "y"), fault.Refusef("", "x")), 5},
	} {
		if got := run.CodeOf(tt.err); got != tt.want {
			t.Errorf("CodeOf(%v) is %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestSignalCode(t *testing.T) {
	for sig, want := range map[syscall.Signal]gate.ExitCode{syscall.SIGHUP: 129, syscall.SIGINT: 130, syscall.SIGQUIT: 131, syscall.SIGTERM: 143} {
		ctx, cancel := context.WithCancelCause(context.Background())
		if _, ok := signalCode(ctx); ok {
			t.Error("a signal before there was one")
		}
		cancel(run.SignalError{Signal: sig})
		if got, ok := signalCode(ctx); !ok || got != want {
			t.Errorf("%v gives %d, want %d", sig, got, want)
		}
	}
}

func TestShard(t *testing.T) {
	for value, ok := range map[string]bool{
		"1/1": true, "2/4": true, "0/4": false, "5/4": false, "1": false, "": false,
		"a/b": false, "1/0": false, "-1/4": false, "1/4/2": false, "99999999999/99999999999": false,
	} {
		var s shardFlag
		if err := s.Set(value); (err == nil) != ok {
			t.Errorf("Set(%q): %v", value, err)
		} else if ok && s.String() != value {
			t.Errorf("%q reads back as %q", value, s.String())
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text   string
		width  int
		indent string
		want   string
	}{
		{"one two  three\nfour", 11, "  ", "  one two\n  three\n  four"},
		{"", 10, "", ""},
		{"add the line `listen = ::1`", 20, "", "add the line\n`listen = ::1`"},
	} {
		if got := wrap(tt.text, tt.width, tt.indent); got != tt.want {
			t.Errorf("%q wraps to %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestSignalWhileReading checks that a command that waits for input ends at the first
// signal.
func TestSignalWhileReading(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"scan", "--dry-run", "-i", "-"},
		{"convert", "-", "-o", "json=" + filepath.Join(dir, "out.json")},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		in, feed := io.Pipe()
		started := make(chan struct{})
		go func() {
			feed.Write([]byte(" \n")) // returns when it was read
			close(started)
		}()
		go func() {
			<-started
			cancel(run.SignalError{Signal: syscall.SIGTERM})
		}()
		var out, errs strings.Builder
		if got := program(ctx, args, in, &out, &errs, func(string) string { return "" }); got != 143 {
			t.Errorf("%s ends with %d, want 143", args[0], got)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s left %v, %v", args[0], left, err)
		}
		feed.Close()
	}
}
