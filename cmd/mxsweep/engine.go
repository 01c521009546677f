package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"mxsweep/exposure"
	"mxsweep/scan"
	"mxsweep/scan/syn"
)

// The words of --mode.
const (
	modeConnect = "connect"
	modeSyn     = "syn"
	modeAuto    = "auto"
)

// A sweeper is a scanner that tells how far it is.
type sweeper interface {
	scan.Scanner
	Stats() scan.Stats
}

// An engine is the scanner that a run uses, with what there is to say about it.
type engine struct {
	sweeper
	mode string // modeConnect or modeSyn
	why  string // why auto chose it; "" if the user did

	syn   *syn.Scanner    // nil for connect
	limit *scan.HostLimit // of the connections to each address
}

// close gives the sockets back. It may be called again.
func (e *engine) close() {
	if e.syn != nil {
		e.syn.Close()
	}
}

// connections is how many connections may be open at once.
func (e *engine) connections() int {
	if c, ok := e.sweeper.(*scan.Connect); ok {
		return c.Concurrency()
	}
	return scan.Connections()
}

// failed is why the engine ended before its time, nil if it did not.
func (e *engine) failed() error {
	if e.syn == nil {
		return nil
	}
	return e.syn.Err()
}

// synSweeper lets a SYN scanner tell how far it is in the words of both.
type synSweeper struct{ *syn.Scanner }

func (s synSweeper) Stats() scan.Stats { return s.Scanner.Stats().Stats }

// newEngine makes the engine that --mode names. Whatever keeps it from working
// on this machine is said here, before the first packet: a mode that was asked
// for is never replaced by another one.
func newEngine(ctx context.Context, p *plan, pcap io.Writer) (*engine, error) {
	mode, why := p.flags.mode.value, ""
	if mode == modeAuto {
		mode, why = chooseMode(p.space)
	}
	if mode == modeSyn {
		e, err := newSyn(ctx, p, pcap)
		if err == nil {
			e.why = why
			return e, nil
		}
		if p.flags.mode.value != modeAuto {
			return nil, err
		}
		why = "single SYNs cannot be sent: " + err.Error()
	}
	limit := scan.NewHostLimit(int(p.flags.perHost))
	connect, err := scan.NewConnect(scan.Config{
		Scope:       p.scope,
		Rate:        float64(p.flags.rate),
		Concurrency: int(p.flags.concurrency),
		PerHost:     int(p.flags.perHost),
		Limit:       limit,
		Timeout:     p.flags.timeout,
		Retries:     p.retries(),
		Seed:        p.seed,
		Skip:        p.resumed.skip(),
		HandOn:      !p.flags.noIdentify,
	})
	if err != nil {
		return nil, err
	}
	return &engine{sweeper: connect, mode: modeConnect, why: why, limit: limit}, nil
}

// retries is the number of further tries as the engines have it: their zero is
// their default.
func (p *plan) retries() int {
	if p.flags.retries == 0 {
		return -1
	}
	return int(p.flags.retries)
}

// synConfig is what the flags say to the SYN engine.
func (p *plan) synConfig(pcap io.Writer) syn.Config {
	return syn.Config{
		Scope:   p.scope,
		Rate:    float64(p.flags.rate),
		Retries: p.retries(),
		Timeout: p.flags.timeout,
		Threads: int(p.flags.threads),
		Seed:    p.seed,
		Pcap:    pcap,
		Earlier: p.resumed.earlier(),
	}
}

// newSyn opens the sockets of the SYN engine and gives up all other rights.
func newSyn(ctx context.Context, p *plan, pcap io.Writer) (*engine, error) {
	s, err := syn.Open(ctx, p.space, p.synConfig(pcap))
	if err != nil {
		return nil, coded(exitError, err)
	}
	// Only a program without cgo can give its rights up; it loses nothing but
	// a second line of defence.
	if err := syn.DropRights(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		s.Close()
		return nil, coded(exitError, err)
	}
	return &engine{sweeper: synSweeper{s}, mode: modeSyn, syn: s, limit: scan.NewHostLimit(int(p.flags.perHost))}, nil
}

// wideSweep is the number of pairs from which on single SYNs pay off.
const wideSweep = 1 << 16

// chooseMode picks an engine for a space and says why.
func chooseMode(space *scan.Space) (mode, why string) {
	if runtime.GOOS != "linux" {
		return modeConnect, "single SYNs need Linux"
	}
	if space.Len() < wideSweep {
		return modeConnect, fmt.Sprintf("%d ports in all are few", space.Len())
	}
	local, err := syn.Local(space)
	switch {
	case err != nil:
		return modeConnect, "the routes cannot be read: " + err.Error()
	case len(local.Ranges()) > 0:
		return modeConnect, "addresses of this machine itself are among the targets"
	default:
		return modeSyn, fmt.Sprintf("%d ports in all are many", space.Len())
	}
}

// notices are what the reader should know of how the engine worked.
func (e *engine) notices() []exposure.Notice {
	var all []exposure.Notice
	note := func(code, target, format string, args ...any) {
		all = append(all, exposure.NewNotice(code, target, nil, format, args...))
	}
	if e.why != "" {
		note(exposure.NoticeEngine, "", "--mode auto chose %s: %s.", e.mode, e.why)
	}
	if e.syn == nil {
		return all
	}
	st := e.syn.Stats()
	if st.Why != "" {
		note(exposure.NoticeEngine, "", "The sweep settled on %.0f SYNs a second: %s.", st.Settled, st.Why)
	}
	if st.Loss > 0 {
		note(exposure.NoticeEngine, "", "%.2f %% of the probes or their answers got lost; what stayed silent was asked again in %d passes.", 100*st.Loss, st.Pass)
	}
	var odd []string
	for _, o := range []struct {
		n    uint64
		what string
	}{{st.WrongAck, "that acknowledge nothing of ours"}, {st.OtherPort, "to other ports of ours"}, {st.OutOfScope, "from outside of the scope"}} {
		if o.n > 0 {
			odd = append(odd, fmt.Sprintf("%d %s", o.n, o.what))
		}
	}
	if len(odd) > 0 {
		note(exposure.NoticeEngine, "", "Answers were not believed: %s.", strings.Join(odd, ", "))
	}
	for _, host := range st.WildcardHosts {
		note(exposure.NoticeWildcard, host.String(), "%s has every port open that was asked for.", host)
	}
	return all
}
