package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn"
)

// A sweeper is a scanner that tells how far it is.
type sweeper interface {
	scan.Scanner
	Stats() scan.Stats
}

// An engine is the scanner that a run uses, with what there is to say about it.
type engine struct {
	sweeper
	mode string // ModeConnect or ModeSyn
	why  string // why auto chose it; "" if the user did

	syn *syn.Scanner // nil for connect
	own *scope.Space // what is asked by connect though the mode is another; nil if nothing is
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

// recalls reports whether the engine counts what an earlier run found at a
// pair.
func (e *engine) recalls(pair netip.AddrPort) bool {
	if e.syn == nil {
		return false
	}
	if e.own == nil {
		return true
	}
	_, own := e.own.Index(pair)
	return !own
}

// measured is what the engine has learned of how long answers take; nil of one
// that never began.
func (e *engine) measured() *scan.Measured {
	if e == nil {
		return nil
	}
	if e.syn != nil {
		return scan.MeasuredLongest(e.syn.Stats().RoundTrip)
	}
	if c, ok := e.sweeper.(*scan.Connect); ok {
		return c.Measured()
	}
	return nil
}

// failed is why the engine ended before its time, nil if it did not.
func (e *engine) failed() error {
	if e.syn == nil {
		return nil
	}
	return e.syn.Err()
}

// shutOut is whether the targets stopped answering in the middle of the run.
func (e *engine) shutOut() bool { return e.syn != nil && e.syn.Stats().ShutOut }

// synSweeper lets a SYN scanner tell how far it is in the words of both.
type synSweeper struct{ *syn.Scanner }

func (s synSweeper) Stats() scan.Stats { return s.Scanner.Stats().Stats }

// newEngine makes the engine that --mode names. Whatever keeps it from working
// on this machine is said here, before the first packet: a mode that was asked
// for is never replaced by another one.
func newEngine(ctx context.Context, p *Plan, pcap io.Writer) (*engine, error) {
	mode, why := p.opts.Mode, ""
	if mode == ModeAuto {
		mode, why = chooseMode(p.space)
	}
	if mode == ModeSyn {
		e, err := newSyn(ctx, p, pcap)
		if err == nil {
			e.why = why
			return e, nil
		}
		if p.opts.Mode != ModeAuto {
			return nil, err
		}
		why = "single SYNs cannot be sent: " + err.Error()
	}
	connect, err := p.newConnect(p.space)
	if err != nil {
		return nil, err
	}
	return &engine{sweeper: connect, mode: ModeConnect, why: why}, nil
}

// newConnect makes a connect engine for the pairs of the run, or a part of
// them.
func (p *Plan) newConnect(space *scope.Space) (*scan.Connect, error) {
	config := p.connectConfig(p.scope)
	config.Skip, config.Earlier = p.resumed.skip(space), p.resumed.earlier()
	config.HandOn, config.Hosts = !p.opts.NoIdentify, p.hosts
	return scan.NewConnect(config)
}

// retries is the number of further tries as the engines have it: their zero is
// their default.
func (p *Plan) retries() int {
	if p.opts.retries == 0 {
		return -1
	}
	return int(p.opts.retries)
}

// synConfig is what the flags say to the SYN engine.
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
		Hosts:   p.hosts,
		Earlier: p.resumed.earlier(),
		Begin:   p.resumed.begin(),

		Interface: p.opts.Interface,
		NotAfter:  p.lastMoment(),
	}
}

// newSyn opens the sockets of the SYN engine and gives up all other rights.
// The addresses of this machine itself, which no SYN reaches, are left to
// connects.
func newSyn(ctx context.Context, p *Plan, pcap io.Writer) (*engine, error) {
	there, own := p.space, (*scope.Space)(nil)
	s, err := syn.Open(ctx, there, p.synConfig(pcap))
	if errors.As(err, new(*syn.LocalError)) {
		if own, there, err = ownPairs(p.space); err != nil {
			return nil, err
		}
		if there.Len() == 0 {
			return p.newOwn(own)
		}
		s, err = syn.Open(ctx, there, p.synConfig(pcap))
	}
	if err != nil {
		return nil, fault.As(fault.Failed, err)
	}
	e := &engine{sweeper: synSweeper{s}, mode: ModeSyn, syn: s, own: own}
	if own != nil {
		connect, err := p.newConnect(own)
		if err != nil {
			s.Close()
			return nil, err
		}
		e.sweeper = &mixed{connect: connect, syn: synSweeper{s}, own: own, there: there}
	}
	// Only a program without cgo can give its rights up; it loses nothing but
	// a second line of defense.
	if err := syn.DropRights(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		s.Close()
		return nil, fault.As(fault.Failed, err)
	}
	return e, nil
}

// wideSweep is the number of pairs from which on single SYNs pay off.
const wideSweep = 1 << 16

// chooseMode picks an engine for a space and says why.
func chooseMode(space *scope.Space) (mode, why string) {
	if runtime.GOOS != "linux" {
		return ModeConnect, "single SYNs need Linux"
	}
	if len(space.Zoned()) > 0 {
		return ModeConnect, "a link-local target needs full connections"
	}
	if space.Len() < wideSweep {
		return ModeConnect, fmt.Sprintf("there are fewer than %d ports in all", wideSweep)
	}
	own, there, err := ownPairs(space)
	switch {
	case err != nil:
		return ModeConnect, "the routes cannot be read: " + err.Error()
	case there.Len() < wideSweep:
		return ModeConnect, fmt.Sprintf("all but %d ports are of this machine itself", there.Len())
	case own.Len() > 0:
		return ModeSyn, fmt.Sprintf("%d ports in all, those of this machine itself left out, are many", there.Len())
	default:
		return ModeSyn, fmt.Sprintf("%d ports in all are many", there.Len())
	}
}

// loss is the share of the probes or their answers that got lost, as far as it
// is known; 0 of an engine that never began.
func (e *engine) loss() float64 {
	switch {
	case e == nil:
		return 0
	case e.syn != nil:
		return e.syn.Stats().Loss
	}
	totals := e.sweeper.Stats()
	return share(totals.Lost, totals.Answered+totals.Lost)
}

// settled says at which rate single SYNs were sent in the end, and why. A sweep
// that is over at once has no rate.
func settled(st *syn.Stats) string {
	switch rate := fmt.Sprintf("%.0f", st.Settled); {
	case st.Why == "":
		return ""
	case rate == "0":
		return "The sweep was over before it settled on a rate: " + st.Why + "."
	default:
		return "The sweep settled on " + rate + " SYNs a second: " + st.Why + "."
	}
}

// notices are what the reader should know of how the engine worked.
//
// Where the open ports are talked to, what replies says more about a host than
// how many of its ports are open.
func (e *engine) notices(identified bool) []result.Notice {
	var all []result.Notice
	note := func(code, target, format string, args ...any) {
		all = append(all, exposure.NewNotice(code, target, nil, format, args...))
	}
	if e.why != "" {
		note(exposure.NoticeEngine, "", "--mode auto chose %s: %s.", e.mode, e.why)
	}
	if e.own != nil {
		note(exposure.NoticeEngine, "", "Addresses of this machine itself were asked with full connections (pairs of address and port: %d): single SYNs do not reach them.", e.own.Len())
	}
	totals := e.sweeper.Stats()
	all = append(all, blockedHosts(totals)...)
	if e.syn == nil {
		if totals.Lost > 0 {
			note(exposure.NoticeEngine, "", "%.2f %% of the probes or their answers got lost; what stayed silent was asked again.", 100*e.loss())
		}
		return all
	}
	st := e.syn.Stats()
	if text := settled(&st); text != "" {
		note(exposure.NoticeEngine, "", "%s", text)
	}
	if st.Loss > 0 {
		again := ""
		if st.Pass > 1 {
			again = fmt.Sprintf("; what stayed silent was asked again, in %d passes in all", st.Pass)
		}
		note(exposure.NoticeEngine, "", "%.2f %% of the probes or their answers got lost%s.", 100*st.Loss, again)
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
	if identified {
		return all
	}
	slices.SortFunc(st.WildcardHosts, netip.Addr.Compare)
	for _, host := range st.WildcardHosts {
		note(exposure.NoticeWildcard, host.String(), "%s has every port open that was asked for.", host)
	}
	if more := st.Wildcards - uint64(len(st.WildcardHosts)); more > 0 {
		note(exposure.NoticeWildcard, "", "%d further hosts have every port open that was asked for.", more)
	}
	return all
}
