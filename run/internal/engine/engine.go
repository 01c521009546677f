// Package engine chooses the scanner of a run, full connections or single SYNs, and
// reports how it works: its progress, its loss, and notices.
package engine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn"
)

// The modes.
const (
	ModeConnect = "connect" // full connections
	ModeSyn     = "syn"     // single SYN segments: Linux, CAP_NET_RAW
	ModeAuto    = "auto"    // one of both; the engine reports which and why
)

// A sweeper is a scanner that reports its progress.
type sweeper interface {
	scan.Scanner
	Stats() scan.Stats
}

// An Engine is the scanner of a run, with the notices about it. Its Scan and Stats are
// those of the scanner.
type Engine struct {
	sweeper

	// Mode is ModeConnect or ModeSyn.
	Mode string

	why string       // why auto chose it; "" if the user did
	syn *syn.Scanner // nil for connect
	own *scope.Space // pairs that are probed by connect although the mode is another one; may be nil
}

// Close closes the sockets. It may be called again.
func (e *Engine) Close() {
	if e.syn != nil {
		e.syn.Close()
	}
}

// Connections returns how many connections may be open at once.
func (e *Engine) Connections() int {
	if c, ok := e.sweeper.(*scan.Connect); ok {
		return c.Concurrency()
	}
	return scan.Connections()
}

// Recalls reports whether the engine counts what an earlier run found at a pair.
func (e *Engine) Recalls(pair netip.AddrPort) bool {
	if e.syn == nil {
		return false
	}
	if e.own == nil {
		return true
	}
	_, own := e.own.Index(pair)
	return !own
}

// Measured returns what the engine has learned about round-trip times and loss; nil
// for one that never began.
func (e *Engine) Measured() *scan.Measured {
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

// Failed returns why the engine ended early, nil if it did not.
func (e *Engine) Failed() error {
	if e.syn == nil {
		return nil
	}
	return e.syn.Err()
}

// SendsSYNs reports whether single SYNs are sent.
func (e *Engine) SendsSYNs() bool { return e.syn != nil }

// BlockedMidScan is whether the targets stopped answering in the middle of the run.
func (e *Engine) BlockedMidScan() bool { return e.syn != nil && e.syn.Stats().BlockedMidScan }

// synSweeper adapts the progress of a SYN scanner.
type synSweeper struct{ *syn.Scanner }

func (s synSweeper) Stats() scan.Stats { return s.Scanner.Stats().Stats }

// A Config has the pairs to probe, and the settings.
type Config struct {
	Mode  string       // one of the modes
	Space *scope.Space // the pairs of the run
	Syn   syn.Config   // for single SYNs
	Pcap  string       // the capture file, for messages; "" for none

	// Connect is the config of full connections to the pairs of the run, or to a
	// part of them.
	Connect func(space *scope.Space) scan.Config
}

// newConnect makes a scanner of full connections.
func (c *Config) newConnect(space *scope.Space) (*scan.Connect, error) {
	return scan.NewConnect(c.Connect(space))
}

// New makes the engine that a mode names. Whatever keeps it from working on this
// machine is said here, before the first packet: a mode that was asked for is never
// replaced by another one.
func New(ctx context.Context, c Config) (*Engine, error) {
	mode, why := c.Mode, ""
	if mode == ModeAuto {
		mode, why = ChooseMode(c.Space)
	}
	if mode == ModeSyn {
		e, err := c.newSyn(ctx)
		if err == nil {
			e.why = why
			return e, nil
		}
		if c.Mode != ModeAuto {
			return nil, err
		}
		why = "a SYN scan is not possible: " + err.Error()
	}
	connect, err := c.newConnect(c.Space)
	if err != nil {
		return nil, err
	}
	e := Connect(connect)
	e.why = why
	return e, nil
}

// Connect is the engine of a scanner of full connections.
func Connect(c *scan.Connect) *Engine { return &Engine{sweeper: c, Mode: ModeConnect} }

// newSyn opens the sockets of the SYN engine and gives up all other rights.
// The addresses of this machine itself, which no SYN reaches, are left to
// connects.
func (c *Config) newSyn(ctx context.Context) (*Engine, error) {
	there, own := c.Space, (*scope.Space)(nil)
	s, err := syn.Open(ctx, there, c.Syn)
	if errors.As(err, new(*syn.LocalError)) {
		if own, there, err = OwnPairs(c.Space); err != nil {
			return nil, err
		}
		if there.Len() == 0 {
			return c.newOwn(own)
		}
		s, err = syn.Open(ctx, there, c.Syn)
	}
	if err != nil {
		return nil, fault.As(fault.Failed, err)
	}
	e := &Engine{sweeper: synSweeper{s}, Mode: ModeSyn, syn: s, own: own}
	if own != nil {
		connect, err := c.newConnect(own)
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

// ChooseMode picks an engine for a space and says why.
func ChooseMode(space *scope.Space) (mode, why string) {
	if runtime.GOOS != "linux" {
		return ModeConnect, "a SYN scan needs Linux"
	}
	if len(space.Zoned()) > 0 {
		return ModeConnect, "a link-local target needs full connections"
	}
	if space.Len() < wideSweep {
		return ModeConnect, fmt.Sprintf("there are fewer than %d ports in total", wideSweep)
	}
	own, there, err := OwnPairs(space)
	switch {
	case err != nil:
		return ModeConnect, "the routes cannot be read: " + err.Error()
	case there.Len() < wideSweep:
		return ModeConnect, fmt.Sprintf("all but %d ports belong to this machine itself", there.Len())
	case own.Len() > 0:
		return ModeSyn, fmt.Sprintf("there are %d ports in total, without those of this machine itself", there.Len())
	default:
		return ModeSyn, fmt.Sprintf("there are %d ports in total", there.Len())
	}
}

// Loss is the share of the probes or their answers that got lost, as far as it
// is known; 0 of an engine that never began.
func (e *Engine) Loss() float64 {
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
		return "The sweep ended before it reached a stable rate: " + st.Why + "."
	default:
		return "The sweep settled at " + rate + " SYNs per second: " + st.Why + "."
	}
}

// Notices are what the reader should know of how the engine worked.
//
// Where the open ports are talked to, what replies says more about a host than
// how many of its ports are open.
func (e *Engine) Notices(identified bool) []result.Notice {
	var all []result.Notice
	note := func(code, target, format string, args ...any) {
		all = append(all, exposure.NewNotice(code, target, nil, format, args...))
	}
	if e.why != "" {
		note(exposure.NoticeEngine, "", "--mode auto chose %s: %s.", e.Mode, e.why)
	}
	if e.own != nil {
		note(exposure.NoticeEngine, "", "Addresses of this machine itself were scanned with full connections (pairs of address and port: %d): a SYN scan cannot reach them.", e.own.Len())
	}
	totals := e.sweeper.Stats()
	all = append(all, blockedHosts(totals)...)
	if e.syn == nil {
		if totals.Lost > 0 {
			note(exposure.NoticeEngine, "", "%.2f %% of the probes or their answers were lost; silent ports were probed again.", 100*e.Loss())
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
			again = fmt.Sprintf("; silent ports were probed again, in %d passes in total", st.Pass)
		}
		note(exposure.NoticeEngine, "", "%.2f %% of the probes or their answers were lost%s.", 100*st.Loss, again)
	}
	var odd []string
	for _, o := range []struct {
		n    uint64
		what string
	}{{st.WrongAck, "that acknowledge none of our probes"}, {st.OtherPort, "to other local ports"}, {st.OutOfScope, "from outside the scope"}} {
		if o.n > 0 {
			odd = append(odd, fmt.Sprintf("%d %s", o.n, o.what))
		}
	}
	if len(odd) > 0 {
		note(exposure.NoticeEngine, "", "Ignored answers: %s.", strings.Join(odd, ", "))
	}
	if identified {
		return all
	}
	slices.SortFunc(st.WildcardHosts, netip.Addr.Compare)
	for _, host := range st.WildcardHosts {
		note(exposure.NoticeWildcard, host.String(), "%s has all requested ports open.", host)
	}
	if more := st.Wildcards - uint64(len(st.WildcardHosts)); more > 0 {
		note(exposure.NoticeWildcard, "", "%s all requested ports open.", wording.Amount(more, "more host has", "more hosts have"))
	}
	return all
}
