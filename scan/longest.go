package scan

import (
	"math"
	"time"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// Longest returns how long a connect sweep of space takes if nothing answers, which is
// the longest case on a network without loss: each pair is awaited as often as Retries
// says, at first PerHost at an address and then twice as many each time, at most
// Concurrency in all, and no faster than Rate. It sends nothing. Zero limits in cfg
// have their defaults; longer times than the longest Duration are reported as that.
func Longest(space *scope.Space, cfg Config) time.Duration {
	cfg = cfg.withDefaults()
	tries := 1 + max(cfg.Retries, 0)
	// In seconds from here on: they do not overflow.
	silent := cfg.Timeout.Seconds() + float64(tries-1)*min(blindFirst, cfg.Timeout).Seconds()
	most := 0
	for _, ports := range space.Ranges() {
		most = max(most, len(ports))
	}
	seconds := max(
		blindStart(most, cfg).Seconds()+silent,
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

// blindStart is how long it takes until the last of so many silent ports of a host is
// asked for the first time.
func blindStart(ports int, cfg Config) time.Duration {
	start := time.Duration(0)
	for asked := cfg.PerHost; asked < ports; asked += cfg.PerHost + asked {
		start += min(unknownAnswerTime, cfg.Timeout)
	}
	return start
}

// turns returns how many batches of atOnce it takes to finish all pairs.
func turns(pairs float64, atOnce int) float64 { return math.Ceil(pairs / float64(atOnce)) }
