package run

import (
	"io"

	"github.com/mxsweep/mxsweep/run/internal/engine"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn"
)

// engineConfig returns the config of the sweep's engine from the options.
func (p *Plan) engineConfig(pcap io.Writer) engine.Config {
	return engine.Config{Mode: p.opts.Mode, Space: p.space, Syn: p.synConfig(pcap), Pcap: p.opts.Pcap, Connect: func(space *scope.Space) scan.Config {
		config := p.connectConfig(p.scope)
		config.Skip, config.Earlier = p.resumed.skip(space), p.resumed.earlier()
		config.HandOn, config.Clock = !p.opts.NoIdentify, p.hosts
		return config
	}}
}

// retries returns the number of further tries for the engines, for which zero is the
// default.
func (p *Plan) retries() int {
	if p.opts.retries == 0 {
		return -1
	}
	return int(p.opts.retries)
}

// synConfig returns the config of the SYN engine.
func (p *Plan) synConfig(pcap io.Writer) syn.Config {
	return syn.Config{
		Scope:   p.scope,
		Rate:    float64(p.opts.rate),
		Others:  p.pace.take,
		Retries: p.retries(),
		Timeout: p.opts.Timeout,
		Threads: int(p.opts.threads),
		Seed:    p.seed,
		Pcap:    pcap,
		Clock:   p.hosts,
		Earlier: p.resumed.earlier(),
		Begin:   p.resumed.begin(),

		Interface: p.opts.Interface,
		NotAfter:  p.lastMoment(),
	}
}

// connectConfig returns the config of an engine of full connections, for pairs within
// a scope.
func (p *Plan) connectConfig(scope *scope.Set) scan.Config {
	return scan.Config{
		Scope:       scope,
		Rate:        float64(p.opts.rate),
		Concurrency: atMost(p.opts.concurrency),
		PerHost:     atMost(p.opts.perHost),
		Slots:       p.limit,
		Others:      p.pace.take,
		Timeout:     p.opts.Timeout,
		Retries:     p.retries(),
		Seed:        p.seed,
		NotAfter:    p.lastMoment(),
	}
}
