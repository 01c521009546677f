package syn

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestEnough plays sweeps through networks that lose a share of the probes,
// and counts what they miss.
func TestEnough(t *testing.T) {
	for _, c := range []struct {
		loss        float64
		open        int
		validations int // of a pass
		most        int // passes
	}{{0, 200, 50, 3}, {0.01, 200, 50, 5}, {0.1, 200, 50, 8}, {0.36, 200, 50, 16}, {0.5, 200, 50, 25}, {0.01, 8, 1, 8}, {0.36, 8, 1, 25}, {0.64, 8, 1, 30}} {
		missed, runs, passes := 0, 300, 0
		random := rand.New(rand.NewPCG(5, 6))
		for range runs {
			open, found := c.open, 0
			var r record
			for {
				r.grow(len(r.passes))
				here := 0
				for range open {
					if random.Float64() >= c.loss {
						here++
					}
				}
				// What was found now had been lost before; and those found
				// before are validation probes.
				for i := range r.passes[:len(r.passes)-1] {
					r.passes[i].asked += uint64(here)
					r.passes[i].lost += uint64(here)
				}
				last := &r.passes[len(r.passes)-1]
				last.asked += uint64(here)
				for range min(found, c.validations) {
					last.asked++
					if random.Float64() < c.loss {
						last.lost++
					}
				}
				open, found = open-here, found+here
				if len(r.passes) > 2 && r.enough(uint64(found), uint64(found)) {
					break
				}
			}
			missed += open
			passes = max(passes, len(r.passes))
		}
		t.Logf("loss %v: %d of %d missed, at most %d passes", c.loss, missed, c.open*runs, passes)
		if missed > 3 || passes > c.most {
			t.Errorf("loss %v, %d open: %d missed in %d runs, %d passes", c.loss, c.open, missed, runs, passes)
		}
	}
}

// TestGovernor puts a governor in front of networks and looks at where the
// rate ends up.
func TestGovernor(t *testing.T) {
	for name, c := range map[string]struct {
		ceiling float64
		lost    func(rate float64) float64
		low     float64
		high    float64
	}{
		"nothing lost": {math.Inf(1), func(float64) float64 { return 0 }, 3e6, 3e6},
		"a fifth lost": {math.Inf(1), func(float64) float64 { return 0.2 }, 3e6, 3e6},
		"a queue":      {math.Inf(1), func(r float64) float64 { return math.Max(0, 1-20000/r) }, 5000, 25000},
		"both": {math.Inf(1), func(r float64) float64 {
			return 1 - 0.9*math.Min(1, 50000/r)
		}, 10000, 70000},
		"a host that shuts us out": {math.Inf(1), func(float64) float64 { return 1 }, 3e6, 3e6},
		"a narrow queue":           {math.Inf(1), func(r float64) float64 { return math.Max(0, 1-1500/r) }, 300, 2000},
		"a slow user":              {100, func(float64) float64 { return 0.3 }, 100, 100},
	} {
		g := newGovernor(c.ceiling)
		random := rand.New(rand.NewPCG(7, 8))
		at := int64(0)
		rate := 0.0
		for range 3000 {
			at += int64(10 * time.Millisecond)
			rate = math.Min(g.rate, 3e6) // the machine does no more
			for range 5 {
				g.count(at, random.Float64() < c.lost(rate))
			}
			g.judge(at, rate, false)
		}
		if rate < c.low || rate > c.high {
			t.Errorf("%s: the rate is %.0f (%s), want %.0f to %.0f", name, rate, g.why, c.low, c.high)
		}
	}
}

// TestGovernorOutage has nothing come through for a while, and then all again.
func TestGovernorOutage(t *testing.T) {
	g := newGovernor(math.Inf(1))
	at, blocked := int64(0), false
	for i := range 3000 {
		at += int64(10 * time.Millisecond)
		for range 5 {
			g.count(at, i > 100 && i < 1000)
		}
		g.judge(at, math.Min(g.rate, 3e6), false)
		blocked = blocked || g.blocked()
	}
	if !blocked || g.blocked() || g.base > tolerable || g.rate < 1e6 {
		t.Errorf("was blocked: %t; is: %t, base %.2f, %.0f a second", blocked, g.blocked(), g.base, g.rate)
	}
}

func TestValidations(t *testing.T) {
	w := newValidations(1)
	for i := range uint64(5000) {
		w.offer(i)
	}
	if len(w.all) != maxValidations || len(w.place) != maxValidations {
		t.Fatalf("%d validations, %d places", len(w.all), len(w.place))
	}
	asked := map[uint64]int64{}
	for at := int64(1); at <= maxValidations; at++ {
		i, ok := w.ask(at*1e6, 2)
		if _, twice := asked[i]; !ok || twice {
			t.Fatalf("ask: %d, %t", i, ok)
		}
		asked[i] = at * 1e6
	}
	if _, ok := w.ask(1e12, 2); ok {
		t.Error("asked again before its time")
	}
	answered := 0
	for i, at := range asked {
		if answered < 1000 && w.answered(i, at, time.Millisecond) {
			answered++
		}
		if w.answered(i, at-1e9, time.Millisecond) {
			t.Error("answered an answer to another probe")
		}
	}
	var got tally
	w.count(1e12, func(_ uint64, pass int, _ int64, lost bool) {
		got.asked++
		if lost {
			got.lost++
		}
		if pass != 2 {
			t.Errorf("pass %d", pass)
		}
	})
	if answered != 1000 || got != (tally{maxValidations, maxValidations - 1000}) {
		t.Errorf("answered %d, counted %+v", answered, got)
	}
	if _, ok := w.ask(1e12, 3); !ok {
		t.Error("none to ask again")
	}
}

func TestPacer(t *testing.T) {
	var p pacer
	if p.take(1e9, 1e6) != 0 || p.batch(64) != 64 || !math.IsInf(p.rate(), 1) {
		t.Error("the zero pacer holds up")
	}
	p.set(100000)
	at, sent := int64(1e9), 0
	for range 10000 {
		n := p.batch(64)
		if d := p.take(at, n); d > 0 {
			at += int64(d)
		}
		sent += n
	}
	rate := float64(sent) / (float64(at-1e9) / 1e9)
	if rate < 99000 || rate > 101000 {
		t.Errorf("%.0f a second", rate)
	}
	// A pause is not made up for but for a moment.
	at += 1e9
	burst := 0
	for p.take(at, 1) <= 0 {
		burst++
	}
	if burst > 600 {
		t.Errorf("%d at once behind a pause", burst)
	}
	p.set(300)
	if n := p.batch(64); n != 1 {
		t.Errorf("%d at once at 300 a second", n)
	}
}
