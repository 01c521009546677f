package main

import "mxsweep/scan"

// newScanner makes the engine that --mode names. Whatever keeps it from
// working on this machine is said here, before the first packet.
func newScanner(p *plan) (sweeper, error) {
	retries := int(p.flags.retries)
	if retries == 0 {
		retries = -1 // the Config's zero is its default
	}
	return scan.NewConnect(scan.Config{
		Scope:       p.scope,
		Rate:        float64(p.flags.rate),
		Concurrency: int(p.flags.concurrency),
		PerHost:     int(p.flags.perHost),
		Timeout:     p.flags.timeout,
		Retries:     retries,
		Seed:        p.seed,
		HandOn:      !p.flags.noIdentify,
	})
}
