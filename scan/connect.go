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

// Config configures a [Connect] scanner. Only Scope is required.
type Config struct {
	// Scope is checked before each probe is sent and for each answer.
	Scope *scope.Set

	// Rate is the maximum number of probes per second to all hosts together. If
	// zero, the answers determine it: where probes get lost, fewer are pending at
	// once.
	Rate float64

	// Others, if not nil, returns how many connections the rest of the program
	// has opened since the last call. They count towards Rate.
	Others func() int

	// Concurrency is the maximum number of pending probes. If zero, as many as
	// the limit on open files allows, less a reserve.
	Concurrency int

	// PerHost is the maximum number of connections to one address, counting
	// probes that may still be answered. Probes that have been silent for longer
	// than answers take do not count: they are unlikely to open a connection. The
	// more of them a host has, the more probes are pending there. If zero, 8.
	PerHost int

	// Slots counts the connections to each address. A result with a connection
	// keeps its slot until the connection is closed. If nil, connections are not
	// counted, and PerHost limits only the pending probes.
	Slots *hosts.Slots

	// Clock limits the time spent on each host. A pair without a result by then
	// is StateUnknown with ReasonHostTimeout. If nil, there is no limit.
	Clock *hosts.Clock

	// Timeout is the maximum wait for one answer. The actual wait depends on how
	// long other answers of the host, its network or all networks took. If zero,
	// 3 seconds. During a wait of more than a second the kernel retransmits the
	// SYN once (RFC 6298, Section 2.1), which counts neither as a probe nor
	// towards Rate.
	Timeout time.Duration

	// Retries is how often a probe without an answer is repeated. It is repeated
	// more often where answers show that probes get lost, once more where there
	// are too few answers to know, and less often, but at least once, where many
	// answers show that none get lost. If these come from the same network, Rate
	// is set and the sweep is not too large, most ports of a host that sends
	// nothing are probed once. If zero, 2. If negative, it is never repeated.
	Retries int

	// Seed determines the order of the probes: the same seed gives the same
	// order.
	Seed uint64

	// Skip reports whether the pair at a place of the order is not to be probed,
	// because an earlier run finished it (see journal.File.Skip). Such a pair has
	// no result. If nil, all pairs are probed.
	Skip func(place uint64) bool

	// Earlier yields the results of earlier runs of the same sweep. A host that
	// was up then counts as up in this run: its silence proves nothing unless it
	// still answers. If nil, there are none.
	Earlier iter.Seq[Result]

	// Measured is what an earlier scan of these targets measured. If nil, nothing
	// is known.
	Measured *Measured

	// NotAfter is when the authorization ends. From then on no probe is sent,
	// open connections are reset, and pairs without a result are StateUnknown,
	// with an [ExpiredError]. If zero, it does not end.
	NotAfter time.Time

	// HandOn passes open connections on in the results; the receiver must close
	// them. Otherwise they are closed by RST, so that neither end keeps any
	// state.
	HandOn bool

	// Waiting is the maximum number of open connections in results that have not
	// been received yet. Further open ports have a result without a connection.
	// If zero, 256.
	Waiting int

	// Dial opens connections, for tests. If nil, the method of the platform is
	// used.
	Dial dialer.Func
}

// late reports whether the authorization has ended.
func (c *Config) late() bool { return !c.NotAfter.IsZero() && !time.Now().Before(c.NotAfter) }

// withDefaults replaces zero values by defaults, and limits Concurrency to what
// the limit on open files allows.
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

// Connect is a [Scanner] that probes with TCP connections, as any client of a
// service does. It needs no privileges.
type Connect struct {
	cfg    Config
	dialer dialer.Dialer

	begun atomic.Bool

	// slowRefusals is set if a refusal may take longer than other answers (see
	// slowRefusal).
	slowRefusals bool

	// longestPause is the longest single pause of a host whose controls stay
	// silent; tests set a shorter one.
	longestPause time.Duration

	mu       sync.Mutex
	stats    Stats
	measured *Measured // set when the scan has ended
}

// NewConnect returns a scanner. It fails if cfg is invalid or this platform
// cannot scan; nothing is sent.
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
// the limit on open files, less a reserve for other work.
func Connections() int { return fileBudget(dialer.FreeFiles()) }

// fileBudget returns how many of the free file descriptors the scan may use: a
// quarter is left to the rest of the program, and more than the maximum is of no
// use.
func fileBudget(free int) int {
	const most = 16384
	return max(1, min(free-free/4, most))
}

// Concurrency returns the maximum number of pending probes: Config.Concurrency,
// or less if the limit on open files requires it.
func (c *Connect) Concurrency() int { return c.cfg.Concurrency }

// Stats returns the totals so far. It is safe for concurrent use.
func (c *Connect) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Scan implements [Scanner]. The sequence can be ranged over once; after that it
// is empty.
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
				batch[i] = Result{} // releases the connection
			}
		}
	}
}

// errLeft ends a sweep whose caller no longer takes results.
var errLeft = errors.New("the results are no longer taken")
