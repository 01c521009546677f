package syn

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestArrivalTimeOnSweepClock reads the stamps of arrivals on the clock of the sweeps.
func TestArrivalTimeOnSweepClock(t *testing.T) {
	look := time.Now()
	for _, c := range []struct {
		name  string
		stamp time.Duration // after the look, by the wall clock
		want  time.Duration // after the look
	}{
		{"just before the look", -time.Millisecond, -time.Millisecond},
		{"at the look", 0, 0},
		{"while the ring was read", 3 * time.Millisecond, 3 * time.Millisecond},
		{"before the wall clock was set back", 17 * time.Second, 0},
		{"before the wall clock was set forward", -17 * time.Second, -17 * time.Second},
	} {
		if got := arrived(look.Add(c.stamp).UnixNano(), look); got != onClock(look)+int64(c.want) {
			t.Errorf("%s: %v after the look, want %v", c.name, time.Duration(got-onClock(look)), c.want)
		}
	}
}

// TestWallClock keeps the sweeps from counting time by the wall clock, which
// somebody may set while a sweep runs: only the anchor of the clock, the stamps
// of the kernel and not_after are read by it.
func TestWallClock(t *testing.T) {
	allowed := map[string]int{"scanner_linux.go": 2, "rate.go": 2}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), ".UnixNano()"); n != allowed[f.Name()] {
			t.Errorf("%s reads the wall clock in %d places, %d are known", f.Name(), n, allowed[f.Name()])
		}
	}
}
