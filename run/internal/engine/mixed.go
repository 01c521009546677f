package engine

import (
	"context"
	"iter"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn"
)

// A mixed sweeper probes the pairs of this machine's own addresses with full
// connections, and then all others with single SYNs.
type mixed struct {
	connect, syn sweeper
	own, there   *scope.Space // the spaces of the two
}

// Scan implements [scan.Scanner] for the space from which the two parts were
// made.
func (m *mixed) Scan(ctx context.Context, _ *scope.Space) iter.Seq[scan.Result] {
	return func(yield func(scan.Result) bool) {
		for r := range m.connect.Scan(ctx, m.own) {
			if !yield(r) {
				return
			}
		}
		if ctx.Err() != nil {
			return
		}
		for r := range m.syn.Scan(ctx, m.there) {
			if !yield(r) {
				return
			}
		}
	}
}

// Stats returns the totals of both.
func (m *mixed) Stats() scan.Stats {
	a, b := m.connect.Stats(), m.syn.Stats()
	blocked := append(a.Blocked[:len(a.Blocked):len(a.Blocked)], b.Blocked...)
	return scan.Stats{
		Planned: m.own.Len() + m.there.Len(), Done: a.Done + b.Done, Sent: a.Sent + b.Sent,
		Answered: a.Answered + b.Answered, Open: a.Open + b.Open, Lost: a.Lost + b.Lost,
		Inflight: a.Inflight + b.Inflight, Rate: b.Rate,
		Controls: a.Controls + b.Controls, BlockedPairs: a.BlockedPairs + b.BlockedPairs,
		BlockedHosts: a.BlockedHosts + b.BlockedHosts, Blocked: blocked[:min(len(blocked), scan.MaxBlocked)],
		SilentTwice: a.SilentTwice && b.SilentTwice,
	}
}

// newOwn returns the engine for a sweep of only this machine's own addresses.
func (c *Config) newOwn(own *scope.Space) (*Engine, error) {
	if c.Pcap != "" {
		return nil, fault.Usagef("omit --pcap", "capturing SYN segments in %q: all targets are this machine itself, which is scanned with full connections", c.Pcap)
	}
	connect, err := c.newConnect(own)
	if err != nil {
		return nil, err
	}
	e := Connect(connect)
	e.own = own
	return e, nil
}

// OwnPairs splits a space into the pairs of this machine itself and the others.
func OwnPairs(space *scope.Space) (own, there *scope.Space, _ error) {
	set, err := syn.Local(space)
	if err != nil {
		return nil, nil, err
	}
	return space.Split(set)
}
