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

// An Identifier finds out what answers on open ports. Its fields must not be
// changed once it is in use; Identify may be called by several goroutines.
type Identifier struct {
	// Signatures are the probes and signatures; required.
	Signatures *signatures.Set

	// Allowed is asked right before each connection leaves. If nil,
	// everything is allowed.
	Allowed func(netip.Addr) bool

	// Dial opens a connection. If nil, a net.Dialer's is used.
	Dial func(ctx context.Context, target netip.AddrPort) (net.Conn, error)

	// Pace is called before each connection of a dialogue leaves, and waits
	// until it may. The error is the cause of ctx. If nil, connections leave at
	// once. The time that it takes is not held against a port.
	Pace func(context.Context) error

	// PerPort is how many connections may be open to one port at once. If
	// zero, 3; it is never more than 3.
	PerPort int

	// Slots bounds how many connections may be open to one address at once. A
	// scanner that shares it has counted the connections of its results. If
	// nil, [hosts.NewSlots] of 8.
	Slots *hosts.Slots

	// Concurrency is how many ports are talked to at once. If zero, 256.
	Concurrency int

	// Intrusive allows the probes that may leave traces.
	Intrusive bool

	// Record asks every probe that may be asked, decided or not, so that the
	// transcript is complete.
	Record bool

	// EHLO is the name that is given in EHLO. If empty, "scan.example.invalid"
	// (RFC 2606, Section 2).
	EHLO string

	// GreetingWait is how long a greeting is waited for. If zero, as
	// probes.yaml says (6.5 s: postscreen lets a client wait for 6 s).
	GreetingWait time.Duration

	// GreetingTimeout is how long a port that replied to nothing is listened
	// to. Ports that do reply, to whatever, are not waited for so long. If
	// zero, [DefaultGreetingTimeout]; less than GreetingWait counts as that.
	GreetingTimeout time.Duration

	// Idle is called, if it is set, once a port takes its time: it said nothing so
	// far, or does not come to the end of what it says; and again when one begins to
	// speak that was silent. Whoever bounds the ports under way may begin another
	// then. It must not block.
	Idle func(port netip.AddrPort, silent bool)

	// ConnectTimeout is how long a further connection may take. If zero, 3 s.
	ConnectTimeout time.Duration

	// PortTime is how long the conversations with a port may take in all. One
	// that repeats another may always take 4 s, and the first one inside of TLS
	// or behind a PROXY header 10 s. If zero, 23 s, or as much more as leaves 5 s
	// behind GreetingTimeout.
	PortTime time.Duration

	// NotAfter is the first moment that is too late for anything to be sent:
	// then no connection is opened, nothing is written, and open connections
	// are reset. If zero, there is none.
	NotAfter time.Time

	mu    sync.Mutex
	hosts map[netip.Addr]*host
	slots chan struct{}
	limit *hosts.Slots

	late atomic.Bool // this machine read something later than it was there
}

// DefaultGreetingTimeout is how long a port that replied to nothing is listened
// to unless the Identifier says otherwise.
const DefaultGreetingTimeout = 12 * time.Second

// ErrNotAllowed is the error of a connection that would have left the scope.
var ErrNotAllowed = errors.New("outside of the scope")

// maxPerPort is the most connections to a port at once: more look like an
// attack, and daemons with few children would answer nobody else.
const maxPerPort = 3

// Identify finds out what answers on an open port. It takes over r.Conn, on
// which the first dialogue is held, and closes it; without one it connects.
// The Service is never nil: what could not be found out is absent from it. The
// error says why the port could not be asked at all (out of scope, connection
// refused now, ctx ended), or that this machine had nothing left for some of
// the questions ([dialer.Exhausted]).
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
	if id.Slots == nil && r.Conn != nil {
		if err := h.enter(ctx); err != nil {
			r.Conn.Close()
			return withoutDialogue(result.InconclusiveUnfinished), fmt.Errorf("identifying %v: %w", r.Target, err)
		}
		r.Conn = id.limit.Wrap(r.Target.Addr(), r.Conn)
	}
	left := id.allowance()
	if r.Conn == nil {
		left.conns.Add(-1) // which found it
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
		h.gave(r.Target.Port(), !s.unproductive())
		s = id.again(ctx, s, r)
		h.gave(r.Target.Port(), !s.unproductive())
	}
	if err != nil {
		why := result.InconclusiveNoConnection
		if ctx.Err() != nil {
			why = result.InconclusiveUnfinished
		}
		return withoutDialogue(why), fmt.Errorf("identifying %v: %w", r.Target, err)
	}
	svc := s.service()
	svc.spent = id.portTime() - time.Duration(left.time.Load())
	if ctx.Err() != nil && svc.Inconclusive == "" {
		svc.Inconclusive = result.InconclusiveUnfinished // all that was still to be asked
	}
	if err := s.starvation(); err != nil {
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

// host returns what is kept of an address.
func (id *Identifier) host(addr netip.Addr) *host {
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.hosts == nil {
		id.hosts = make(map[netip.Addr]*host)
		id.slots = make(chan struct{}, orDefault(id.Concurrency, 256))
		if id.limit = id.Slots; id.limit == nil {
			id.limit = hosts.NewSlots(0)
		}
	}
	h := id.hosts[addr]
	if h == nil {
		h = newHost(addr, id.limit)
		id.hosts[addr] = h
	}
	return h
}

// connect opens one more connection, if the scope allows it. Where this machine
// has nothing left for one, it waits until other dialogues have ended.
func (id *Identifier) connect(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	if !id.allows(target.Addr()) {
		return nil, fmt.Errorf("connecting to %v: %w", target, ErrNotAllowed)
	}
	wait := orDefault(id.ConnectTimeout, 3*time.Second)
	if id.host(target.Addr()).resendTime() > 0 {
		wait *= 3 // a SYN that got lost is sent again after 1, 3 and 7 s
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
