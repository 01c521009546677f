package scan

import (
	"math"
	"time"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// Longest returns how long a connect sweep of space takes if nothing answers, which is
// the longest case on a network without loss: each pair is awaited as often as Retries
// says, at most PerHost at an address and Concurrency in all, and no faster than Rate.
// It sends nothing. Zero limits in cfg have their defaults; longer times than the
// longest Duration are reported as that.
func Longest(space *scope.Space, cfg Config) time.Duration {
	cfg = cfg.withDefaults()
	tries := 1 + max(cfg.Retries, 0)
	silent := cfg.Timeout.Seconds() // the last try, in seconds, which do not overflow
	for try := 1; try < tries; try++ {
		if wait := blindWait(try, cfg.Timeout); try <= 5 {
			silent += wait.Seconds()
		} else {
			silent += wait.Seconds() * float64(tries-try) // all other tries are awaited equally long
			break
		}
	}
	most := 0
	for _, ports := range space.Ranges() {
		most = max(most, len(ports))
	}
	seconds := max(
		turns(float64(most), min(cfg.PerHost, cfg.Concurrency))*silent,
		turns(float64(space.Len()), cfg.Concurrency)*silent,
	)
	if cfg.Rate > 0 {
		seconds = max(seconds, float64(space.Len())*float64(tries)/cfg.Rate)
	}
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds * float64(time.Second))
}

// turns returns how many batches of atOnce it takes to finish all pairs.
func turns(pairs float64, atOnce int) float64 { return math.Ceil(pairs / float64(atOnce)) }
