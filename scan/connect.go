package scan

import (
	"context"
	"errors"
	"iter"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsweep/mxsweep/scan/dialer"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// Config says how a [Connect] scanner works. Only Scope must be set.
type Config struct {
	// Scope is asked before each probe and on each answer.
	Scope *scope.Set

	// Rate is how many probes a second may leave, to all hosts together. If
	// zero, as many as the answers show to be safe: where probes get lost
	// there are fewer at once.
	Rate float64

	// Others, if not nil, returns how many connections others have opened since
	// it was last asked. They count towards Rate.
	Others func() int

	// Concurrency is how many probes may await an answer at once. If zero, as
	// many as the limit on open files allows, with room left for others.
	Concurrency int

	// PerHost is how many connections one address may have open, counting probes
	// whose answer may still come. Those that were silent for longer than answers
	// take open nothing: they do not count, and the more of them there are, the more
	// probes are pending there. If zero, 8.
	PerHost int

	// Slots counts the connections to each address, which a result that is
	// handed on keeps until its connection is closed. If nil, they are not
	// counted, and only PerHost bounds those that await an answer.
	Slots *hosts.Slots

	// Clock bounds the time of each host. What was not settled in it is
	// StateUnknown with ReasonHostTimeout. If nil, there is no bound.
	Clock *hosts.Clock

	// Timeout is the longest that one answer is awaited. The real wait
	// depends on how long other answers of the host, its net, or all nets
	// took. If zero, 3 seconds. A wait of more than a second has the kernel
	// repeat the SYN once by itself (RFC 6298, Section 2.1), which counts
	// neither as a probe nor for Rate.
	Timeout time.Duration

	// Retries is how often a probe without an answer is sent again. Where
	// answers show that probes get lost it is sent more often, where few
	// answers tell of it, once more than this, and where many answers show that
	// none get lost, less often, but at least once. If zero, 2. If negative, it
	// is never sent again.
	Retries int

	// Seed is the order of the probes: the same seed, the same order.
	Seed uint64

	// Skip reports whether the pair at a place of the order needs no asking,
	// because an earlier run was done with it: journal.File.Skip. It has no
	// result then. If nil, all pairs are asked.
	Skip func(place uint64) bool

	// Earlier are the results of earlier runs of the same sweep. A host that
	// was up then is up for this run: its silence proves nothing unless it
	// still answers. If nil, there are none.
	Earlier iter.Seq[Result]

	// Measured is what an earlier scan of these targets has learned of them.
	// If nil, nothing is known.
	Measured *Measured

	// NotAfter is when the leave to ask ends. No probe leaves after it, what
	// is open is reset, and pairs that have no result by then are
	// StateUnknown, with an [ExpiredError]. If zero, it never ends.
	NotAfter time.Time

	// HandOn puts open connections into the results, whose taker must close
	// them. Otherwise they are closed by RST, so that nothing of them stays
	// at either end.
	HandOn bool

	// Waiting is how many open connections may wait to be taken. A port found
	// open beyond that has a result without a connection. If zero, 256.
	Waiting int

	// Dial opens connections, for tests. If nil, the platform's own way is
	// used.
	Dial dialer.Func
}

// late reports whether the leave to ask has ended.
func (c *Config) late() bool { return !c.NotAfter.IsZero() && !time.Now().Before(c.NotAfter) }

// withDefaults fills in what is zero, and bounds Concurrency by the limit on open
// files.
func (cfg Config) withDefaults() Config {
	if cfg.PerHost == 0 {
		cfg.PerHost = 8
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 3 * time.Second
	}
	if cfg.Retries == 0 {
		cfg.Retries = 2
	}
	if cfg.Waiting == 0 {
		cfg.Waiting = 256
	}
	most := fileBudget(dialer.FreeFiles())
	if cfg.Concurrency == 0 || cfg.Concurrency > most {
		cfg.Concurrency = most
	}
	return cfg
}

// Connect is a [Scanner] that asks with TCP connections, as any client of a
// service does. It needs no privilege.
type Connect struct {
	cfg    Config
	dialer dialer.Dialer

	begun atomic.Bool

	// slowRefusals is set where a refusal may take longer than other answers
	// (see slowRefusal).
	slowRefusals bool

	// longestPause is how long a host whose controls stay silent is left alone,
	// in one piece; a test waits less.
	longestPause time.Duration

	mu       sync.Mutex
	stats    Stats
	measured *Measured // once the scan has ended
}

// NewConnect returns a scanner. Whatever fails for the run as a whole fails
// here, before the first packet.
func NewConnect(cfg Config) (*Connect, error) {
	if cfg.Scope == nil {
		return nil, errors.New("a scan without a scope")
	}
	if cfg.Rate < 0 || math.IsNaN(cfg.Rate) || cfg.Concurrency < 0 || cfg.PerHost < 0 || cfg.Timeout < 0 || cfg.Waiting < 0 {
		return nil, errors.New("a rate, concurrency, per-host limit or timeout below zero")
	}
	cfg = cfg.withDefaults()
	c := &Connect{cfg: cfg, slowRefusals: runtime.GOOS == "windows" || cfg.Dial != nil, longestPause: longestPause}
	if cfg.Dial != nil {
		c.dialer = dialer.NewFunc(cfg.Dial)
		return c, nil
	}
	var err error
	c.dialer, err = dialer.New(cfg.Concurrency)
	return c, err
}

// Connections returns how many connections this process may have open at once:
// as many as it may have files, less a reserve for other work.
func Connections() int { return fileBudget(dialer.FreeFiles()) }

// fileBudget returns how many of the files that may be opened the scan may
// use: a quarter is left to the rest of the program, and a machine has no use
// for more than the cap.
func fileBudget(free int) int {
	const most = 16384
	return max(1, min(free-free/4, most))
}

// Concurrency returns how many probes may await an answer at once: what was
// asked for, or less if the limit on open files says so.
func (c *Connect) Concurrency() int { return c.cfg.Concurrency }

// Stats returns the totals so far. It may be called at any time.
func (c *Connect) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Scan implements [Scanner]. What it returns can be ranged over once; further
// times it is empty.
func (c *Connect) Scan(ctx context.Context, space *scope.Space) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		if c.begun.Swap(true) {
			return
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		s := newSweep(c, space)
		var worker sync.WaitGroup
		worker.Go(func() { s.run(ctx) })
		defer worker.Wait()
		defer cancel(errLeft)
		wanted := true
		var batch []Result
		for {
			if batch = s.out.take(batch); batch == nil {
				return
			}
			for i := range batch {
				if batch[i].Conn != nil {
					s.out.yielded()
					if !wanted || c.cfg.late() {
						dialer.Abort(batch[i].Conn)
						batch[i].Conn = nil
					}
				}
				if wanted && !yield(batch[i]) {
					wanted = false
					cancel(errLeft)
				}
				batch[i] = Result{} // let go of the connection
			}
		}
	}
}

// errLeft ends a sweep whose results nobody takes any more.
var errLeft = errors.New("the results are no longer taken")
