package scan

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// TestLongest compares the estimate for a sweep without any answer with sweeps
// without any answer.
func TestLongest(t *testing.T) {
	for _, tt := range []struct {
		targets string
		ports   string
		cfg     Config
		want    time.Duration
	}{
		// 118 ports of a host: 8, 16, 32 and all others, 0.15 s apart; then tries of 0.4,
		// 0.4 and 3 s.
		{"192.0.2.1", "10000-10117", Config{Concurrency: 128}, 4250 * time.Millisecond},
		{"192.0.2.1", "10000-10117", Config{Concurrency: 128, PerHost: 118}, 3800 * time.Millisecond},
		{"192.0.2.1", "10000-10117", Config{Concurrency: 128, PerHost: 118, Retries: -1}, 3 * time.Second},
		{"192.0.2.1", "10000-10117", Config{Concurrency: 128, PerHost: 118, Timeout: 700 * time.Millisecond, Retries: 3}, 1900 * time.Millisecond},
		// 256 hosts with one port, 64 at once: 4 rounds.
		{"192.0.2.0/24", "25", Config{Concurrency: 64}, 15200 * time.Millisecond},
		{"192.0.2.0/24", "25", Config{Concurrency: 256, Rate: 4}, 192 * time.Second},
	} {
		t.Run(fmt.Sprintf("%s %s", tt.targets, tt.want), func(t *testing.T) {
			space, cfg := silentSweep(t, tt.targets, tt.ports, tt.cfg)
			if got := Longest(space, cfg).Round(time.Millisecond); got != tt.want {
				t.Fatalf("reckoned %s, want %s", got, tt.want)
			}
			synctest.Test(t, func(t *testing.T) {
				c, err := NewConnect(cfg)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				for range c.Scan(t.Context(), space) {
				}
				took := time.Since(start)
				if took > tt.want*11/10+time.Second || took < tt.want/2 {
					t.Errorf("took %s, reckoned %s", took, tt.want)
				}
			})
		})
	}
	space, cfg := silentSweep(t, "2001:db8::/80", "1-65535", Config{Retries: math.MaxInt32, Timeout: time.Hour, Concurrency: 1})
	if got := Longest(space, cfg); got != math.MaxInt64 {
		t.Errorf("a sweep without an end is reckoned to take %s", got)
	}
}

// silentSweep returns the space and the configuration of a sweep without any
// answer.
func silentSweep(t *testing.T, targets, ports string, cfg Config) (*scope.Space, Config) {
	t.Helper()
	list, err := new(scope.Parser).Targets(t.Context(), []string{targets})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Scope, err = scope.New(scope.Bounds{Targets: list}); err != nil {
		t.Fatal(err)
	}
	asked, err := scope.ParsePorts(ports, nil)
	if err != nil {
		t.Fatal(err)
	}
	space, err := scope.NewSpace(cfg.Scope, asked)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dial = func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
		<-ctx.Done()
		return nil, context.DeadlineExceeded
	}
	return space, cfg
}
