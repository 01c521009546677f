package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// TestTimeLeft compares the time left that follows from the share of the probing with
// the time that a sweep takes: after its first fifth it is never off by more than
// twice, and a second, also where probes get lost.
func TestTimeLeft(t *testing.T) {
	const silent, closed, open = 0, 1, 2
	for _, tt := range []struct {
		name   string
		target string
		ports  int
		rate   float64
		state  func(to netip.AddrPort) int
		loss   float64 // of the packets each way
	}{
		{"silent host", "192.0.2.1", 118, 1000, func(netip.AddrPort) int { return silent }, 0},
		{"few open", "192.0.2.1", 125, 1000, func(to netip.AddrPort) int { return open * b2i(to.Port()%25 == 0) }, 0},
		{"10 of 32", "192.0.2.0/27", 125, 1000, func(to netip.AddrPort) int { return closed * b2i(to.Addr().As4()[3]%3 == 0) }, 0},
		{"10 of 32, no rate", "192.0.2.0/27", 125, 0, func(to netip.AddrPort) int { return closed * b2i(to.Addr().As4()[3]%3 == 0) }, 0},
		{"all refuse", "192.0.2.0/27", 125, 1000, func(netip.AddrPort) int { return closed }, 0},
		{"nobody", "192.0.2.0/26", 100, 1000, func(netip.AddrPort) int { return silent }, 0},
		{"few open, 2% loss", "192.0.2.1", 125, 1000, func(to netip.AddrPort) int { return open * b2i(to.Port()%25 == 0) }, 0.02},
		{"few open, 5% loss", "192.0.2.1", 125, 1000, func(to netip.AddrPort) int { return open * b2i(to.Port()%25 == 0) }, 0.05},
		{"10 of 32, 2% loss", "192.0.2.0/27", 125, 1000, func(to netip.AddrPort) int { return closed * b2i(to.Addr().As4()[3]%3 == 0) }, 0.02},
		{"10 of 32, 5% loss", "192.0.2.0/27", 125, 1000, func(to netip.AddrPort) int { return closed * b2i(to.Addr().As4()[3]%3 == 0) }, 0.05},
		{"all refuse, 5% loss", "192.0.2.0/27", 125, 1000, func(netip.AddrPort) int { return closed }, 0.05},
	} {
		t.Run(tt.name, func(t *testing.T) {
			loss := tt.loss
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, 2))
				var mu sync.Mutex
				lost := func() bool {
					mu.Lock()
					defer mu.Unlock()
					return min(random.Float64(), random.Float64()) < loss
				}
				dial := func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
					state := tt.state(to)
					if state == silent || lost() {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					time.Sleep(20 * time.Millisecond)
					if state == closed {
						return nil, syscall.ECONNREFUSED
					}
					a, b := net.Pipe()
					b.Close()
					return a, nil
				}
				ports := make([]uint16, tt.ports)
				for i := range ports {
					ports[i] = uint16(10000 + i)
				}
				set := scopetest.Set(t, tt.target)
				c, err := scan.NewConnect(scan.Config{Scope: set, Rate: tt.rate, Dial: dial})
				if err != nil {
					t.Fatal(err)
				}
				type sample struct{ at, left float64 }
				var samples []sample
				begun := time.Now()
				done := make(chan struct{})
				go func() {
					defer close(done)
					for range c.Scan(t.Context(), scopetest.Space(t, set, ports...)) {
					}
				}()
				for running := true; running; {
					select {
					case <-done:
						running = false
					case <-time.After(100 * time.Millisecond):
						at := time.Since(begun).Seconds()
						st := c.Stats()
						if share := connectShare(st, 0); share > 0 {
							samples = append(samples, sample{at, at*(1-share)/share + st.Wait.Seconds()})
						}
					}
				}
				took := time.Since(begun).Seconds()
				worst := ""
				for _, s := range samples {
					if left := took - s.at; s.at > took/5 && (s.left > 2*left+1 || s.left < left/2-1) {
						worst += fmt.Sprintf(" at %.1f s: %.1f s instead of %.1f s;", s.at, s.left, left)
					}
				}
				if worst != "" {
					t.Errorf("of %.1f s,%s", took, worst)
				}
				t.Logf("%.1f s, %d samples", took, len(samples))
			})
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
