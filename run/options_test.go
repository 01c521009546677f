package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/policy"
)

// TestResolve checks that an option overrides the policy, and the policy the
// default, also with the value none.
func TestResolve(t *testing.T) {
	retries := 7
	file := &policy.Policy{
		Ports:  "smtp",
		Limits: policy.Limits{Rate: 50, Concurrency: 9, PerHost: 3, Retries: &retries, Timeout: time.Second},
	}
	said := Options{Ports: []string{"25"}, Rate: -1, Concurrency: 5, PerHost: 2, Retries: -1, Timeout: 2 * time.Second}
	type numbers struct {
		ports                               string
		rate, concurrency, perHost, retries uint
		timeout                             time.Duration
	}
	for _, tt := range []struct {
		name string
		opts Options
		file *policy.Policy
		want numbers
	}{
		{"defaults", Options{}, nil, numbers{"internal", 1000, 0, 8, 2, 3 * time.Second}},
		{"policy", Options{}, file, numbers{"smtp", 50, 9, 3, 7, time.Second}},
		{"options", said, file, numbers{"25", 0, 5, 2, 0, 2 * time.Second}},
		{"empty policy", Options{}, &policy.Policy{}, numbers{"internal", 1000, 0, 8, 2, 3 * time.Second}},
	} {
		s := tt.opts.resolve(tt.file)
		got := numbers{strings.Join(s.Ports, ","), s.rate, s.concurrency, s.perHost, s.retries, s.Timeout}
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// TestOptionsAreChecked checks that invalid values are usage errors, all reported
// at once, and nothing is written.
func TestOptionsAreChecked(t *testing.T) {
	audit := filepath.Join(t.TempDir(), "audit.jsonl")
	_, err := Scan(t.Context(), Options{
		Targets: []string{"127.0.0.1"}, NoPolicy: true, AuditLog: audit,
		Mode: "udp", Timeout: 2 * time.Hour, Retries: 21, Threads: 2, Shard: Shard{Index: 3, Count: 2}, NoIdentify: true, Intrusive: true,
	})
	if CodeOf(err) != gate.ExitUsage {
		t.Fatalf("the error is %v", err)
	}
	for _, what := range []string{`unknown mode "udp"`, "2h0m0s", `"--retries": 21`, "threads", `"--shard": 3/2`, "intrusive", "--no-identify"} {
		if !strings.Contains(err.Error(), what) {
			t.Errorf("no %q in %v", what, err)
		}
	}
	if _, err := os.Stat(audit); err == nil {
		t.Error("the audit log was made")
	}
}

// TestRefusedRun checks that a run that is not allowed is recorded in the audit
// log, and sends nothing.
func TestRefusedRun(t *testing.T) {
	dir := t.TempDir()
	scope, audit := filepath.Join(dir, "scope"), filepath.Join(dir, "audit.jsonl")
	if err := os.WriteFile(scope, []byte("192.0.2.0/24\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	outcome, err := Scan(t.Context(), Options{Targets: []string{"127.0.0.1"}, Scope: scope, NoPolicy: true, AuditLog: audit})
	if outcome != nil || !Refused(err) {
		t.Fatalf("%+v, %v", outcome, err)
	}
	text, err := os.ReadFile(audit)
	if err != nil || !strings.Contains(string(text), "127.0.0.1 is outside the scope") {
		t.Errorf("the audit log is %q, %v", text, err)
	}
}

// TestStoppedRun checks that a run stopped by a signal has an outcome with the
// signal; one whose context ends for another cause fails, but has an outcome as
// well.
func TestStoppedRun(t *testing.T) {
	for _, tt := range []struct {
		cause error
		code  gate.ExitCode
		fails bool
	}{
		{SignalError{Signal: os.Interrupt}, 128 + 2, false},
		{errors.New("the caller had enough"), gate.ExitError, true},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		opts := Options{Targets: []string{"127.0.0.1"}, Ports: []string{"1-64"}, Rate: 1, NoIdentify: true, FailOn: "none", NoPolicy: true,
			Watch: func(func() Progress) func() {
				cancel(tt.cause)
				return func() {}
			}}
		outcome, err := Scan(ctx, opts)
		if outcome == nil || outcome.Decision.Code != tt.code || (err != nil) != tt.fails || tt.fails && !errors.Is(err, tt.cause) {
			t.Errorf("%v: %+v, %v", tt.cause, outcome, err)
		}
	}
}

// TestPolicyBounds checks that the limits of values are the same in a policy and
// in options.
func TestPolicyBounds(t *testing.T) {
	for text, o := range map[string]Options{
		"retries: 20":          {Retries: 20},
		"retries: 21":          {Retries: 21},
		"retries: 50":          {Retries: 50},
		"rate: 100000000":      {Rate: 100_000_000},
		"rate: 100000001":      {Rate: 100_000_001},
		"concurrency: 1000000": {Concurrency: 1_000_000},
		"concurrency: 1000001": {Concurrency: 1_000_001},
		"per_host: 1000000":    {PerHost: 1_000_000},
		"per_host: 1000001":    {PerHost: 1_000_001},
		"timeout: 1h":          {Timeout: time.Hour},
		"timeout: 61m":         {Timeout: 61 * time.Minute},
		"timeout: 10m":         {Timeout: 10 * time.Minute},
	} {
		_, err := policy.Load("p.yaml", []byte("version: 1\nlimits: {"+text+"}\n"), policy.Context{})
		if asOption := o.check(); (err == nil) != (asOption == nil) {
			t.Errorf("%s: error %v, as an option %v", text, err, asOption)
		}
	}
}
