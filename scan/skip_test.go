package scan

import (
	"context"
	"testing"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// TestStopWhileSkipping stops a resumed run that has many finished pairs to skip.
func TestStopWhileSkipping(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	scope := scopetest.Set(t, "10.0.0.0/8")
	skipped := 0
	c, err := NewConnect(Config{Scope: scope, Dial: newFakeNet(nil).dial, Skip: func(uint64) bool {
		skipped++
		cancel()
		return true
	}})
	if err != nil {
		t.Fatal(err)
	}
	for r := range c.Scan(ctx, scopetest.Space(t, scope, 25, 143, 783)) {
		t.Errorf("got %+v", r)
	}
	if skipped > 2*stride {
		t.Errorf("%d pairs were skipped after the stop", skipped)
	}
}

// TestBoundedOutOfScope sweeps a space without any address in scope: the results
// must not pile up before they are taken.
func TestBoundedOutOfScope(t *testing.T) {
	c, err := NewConnect(Config{Scope: scopetest.Set(t, "192.0.2.0/24"), Dial: newFakeNet(nil).dial})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r := range c.Scan(t.Context(), scopetest.Space(t, scopetest.Set(t, "10.0.0.0/16"), 25)) {
		if r.State != result.StateSkipped {
			t.Fatalf("got %+v", r)
		}
		if n++; n == 1<<16 {
			continue
		}
		if done := c.Stats().Done; done > uint64(n+2*maxQueued+2*stride) {
			t.Fatalf("%d results wait, %d were taken", done, n)
		}
	}
	if n != 1<<16 {
		t.Errorf("%d results, want %d", n, 1<<16)
	}
}
