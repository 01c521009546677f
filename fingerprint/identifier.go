package fingerprint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/dialer"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/signatures"
)

// An Identifier finds out what answers on open ports. Its fields must not change once
// it is in use; Identify may be called by several goroutines.
type Identifier struct {
	// Signatures are the probes and signatures; required.
	Signatures *signatures.Set

	// Allowed is called right before each connection is opened. If nil, everything is
	// allowed.
	Allowed func(netip.Addr) bool

	// Dial opens a connection. If nil, a net.Dialer is used.
	Dial func(ctx context.Context, target netip.AddrPort) (net.Conn, error)

	// Pace is called before each connection of a dialogue is opened, and waits until it
	// may be. The error is the cause of ctx. If nil, connections are not delayed. The
	// time of the call does not count for the port.
	Pace func(context.Context) error

	// PerPort is the maximum number of connections to one port at once. If zero, 3,
	// which is also the upper limit.
	PerPort int

	// Slots limits how many connections may be open to one address at once. A scanner
	// that shares it has counted the connections of its results. If nil,
	// [hosts.NewSlots] of 8.
	Slots *hosts.Slots

	// Concurrency is how many dialogues run at once. If zero, 256.
	Concurrency int

	// Intrusive allows the probes that may leave traces.
	Intrusive bool

	// Record sends every probe that is allowed, even after the port is identified, so
	// that the transcript is complete.
	Record bool

	// Digests records the digests of all certificates that a server sends, which TLSA records
	// are compared with.
	Digests bool

	// EHLO is the name that is sent in EHLO. If empty, "scan.example.invalid" (RFC
	// 2606, Section 2).
	EHLO string

	// GreetingWait is the wait for a greeting. If zero, the value of probes.yaml (6.5
	// s: postscreen delays it by 6 s).
	GreetingWait time.Duration

	// GreetingTimeout is how long a port that replied to nothing is listened to. Ports
	// that do reply are not waited for so long. If zero, [DefaultGreetingTimeout]; less
	// than GreetingWait counts as that.
	GreetingTimeout time.Duration

	// Idle, if set, is called once a port is slow: it said nothing so far, or its reply
	// does not end; and again when a silent port begins to speak. Whoever limits the
	// ports under way may then begin another one. It must not block.
	Idle func(port netip.AddrPort, silent bool)

	// ConnectTimeout is how long a further connection may take. If zero, 3 s.
	ConnectTimeout time.Duration

	// PortTime is the time limit of all dialogues with a port. One that repeats another
	// may always take 4 s, and the first one inside of TLS or behind a PROXY header 10
	// s. If zero, 23 s, or as much more as leaves 5 s after GreetingTimeout.
	PortTime time.Duration

	// NotAfter is the first time at which nothing may be sent: no connection is opened,
	// nothing is written, and open connections are reset. If zero, there is none.
	NotAfter time.Time

	mu    sync.Mutex
	hosts map[netip.Addr]*host
	slots chan struct{}
	limit *hosts.Slots

	late atomic.Bool // this machine read something later than it arrived
}

// DefaultGreetingTimeout is how long a port that replied to nothing is listened to by
// default.
const DefaultGreetingTimeout = 12 * time.Second

// ErrNotAllowed is the error of a connection to an address that is not in scope.
var ErrNotAllowed = errors.New("outside of the scope")

// maxPerPort is the maximum number of connections to a port at once: more look like an
// attack, and daemons with few children could answer no one else.
const maxPerPort = 3

// Identify finds out what answers on an open port. It takes ownership of r.Conn, on
// which the first dialogue runs, and closes it; without one it connects. The Service
// is never nil: it lacks what was not found. The error says why no dialogue was
// possible (out of scope, connection refused now, ctx ended), or that this machine ran
// out of resources for some of the questions ([dialer.Exhausted]).
func (id *Identifier) Identify(ctx context.Context, r scan.Result) (*Identification, error) {
	h := id.host(r.Target.Addr())
	r.Conn = bounded(r.Conn, id.NotAfter)
	if !id.allows(r.Target.Addr()) {
		closeQuietly(r.Conn)
		return withoutDialogue(result.InconclusiveNoConnection), fmt.Errorf("identifying %v: %w", r.Target, ErrNotAllowed)
	}
	select {
	case id.slots <- struct{}{}:
	case <-ctx.Done():
		closeQuietly(r.Conn)
		return withoutDialogue(result.InconclusiveUnfinished), fmt.Errorf("identifying %v: %w", r.Target, context.Cause(ctx))
	}
	free := sync.OnceFunc(func() { <-id.slots })
	defer free()
	defer h.talks()()
	if id.Slots == nil && r.Conn != nil {
		if err := h.enter(ctx); err != nil {
			r.Conn.Close()
			return withoutDialogue(result.InconclusiveUnfinished), fmt.Errorf("identifying %v: %w", r.Target, err)
		}
		r.Conn = id.limit.Wrap(r.Target.Addr(), r.Conn)
	}
	left := id.allowance()
	if r.Conn == nil {
		left.conns.Add(-1) // the connection that found it
	}
	s := newSession(id, h, r.Target, r.RTT, r.Conn, left)
	s.idle = func(silent bool) {
		free()
		if id.Idle != nil {
			id.Idle(r.Target, silent)
		}
	}
	err := s.run(ctx)
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrNotAllowed) {
		s, err = id.retryConnect(ctx, s, r, err)
	}
	if err == nil && ctx.Err() == nil && !id.Record {
		h.noteOutcome(r.Target.Port(), !s.unproductive())
		s = id.again(ctx, s, r)
		h.noteOutcome(r.Target.Port(), !s.unproductive())
	}
	if err != nil {
		why := result.InconclusiveNoConnection
		if ctx.Err() != nil {
			why = result.InconclusiveUnfinished
		}
		svc := withoutDialogue(why)
		svc.left = left
		return svc, fmt.Errorf("identifying %v: %w", r.Target, err)
	}
	svc := s.service()
	svc.left = left
	if ctx.Err() != nil && svc.Inconclusive == "" {
		svc.Inconclusive = result.InconclusiveUnfinished // all questions that remained
	}
	if err := s.localError(); err != nil {
		return svc, fmt.Errorf("identifying %v: %w", r.Target, err)
	}
	return svc, nil
}

func unknownService() *Identification {
	return &Identification{Service: result.Service{Role: "unknown"}}
}

// withoutDialogue is the service of a port that no dialogue was held with.
func withoutDialogue(why result.Inconclusive) *Identification {
	return &Identification{Service: result.Service{Role: "unknown", Inconclusive: why}}
}

func closeQuietly(c net.Conn) {
	if c != nil {
		c.Close()
	}
}

func (id *Identifier) allows(addr netip.Addr) bool { return id.Allowed == nil || id.Allowed(addr) }

func (id *Identifier) ehlo() string {
	if id.EHLO == "" {
		return "scan.example.invalid"
	}
	return id.EHLO
}

func orDefault[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// host returns the data about an address.
func (id *Identifier) host(addr netip.Addr) *host {
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.hosts == nil {
		id.hosts = make(map[netip.Addr]*host)
		id.slots = make(chan struct{}, orDefault(id.Concurrency, 256))
		if id.limit = id.Slots; id.limit == nil {
			id.limit = hosts.NewSlots(0)
			id.limit.NotAfter = id.NotAfter
		}
	}
	h := id.hosts[addr]
	if h == nil {
		h = newHost(addr, id.limit)
		id.hosts[addr] = h
	}
	return h
}

// connect opens one more connection, if the scope allows it. If this machine has no
// resources for it, it waits until other dialogues have ended.
func (id *Identifier) connect(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	if !id.allows(target.Addr()) {
		return nil, fmt.Errorf("connecting to %v: %w", target, ErrNotAllowed)
	}
	wait := orDefault(id.ConnectTimeout, 3*time.Second)
	if id.host(target.Addr()).resendTime() > 0 {
		wait *= 3 // a lost SYN is repeated after 1, 3 and 7 s
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for wait := 10 * time.Millisecond; ; wait *= 2 {
		conn, err := id.dialUntil(ctx, target)
		if err == nil || !dialer.Exhausted(err) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait):
		}
	}
}

func (id *Identifier) dial(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	if id.Dial != nil {
		return id.Dial(ctx, target)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", target.String())
}
