package syn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// A Scanner sweeps one Space with single SYN segments. Open opens its sockets, so that
// the rights for that can be dropped afterwards.
type Scanner struct {
	config    Config
	space     *scope.Space
	view      *view
	clock     portClock
	cookie    cookie
	outs      []rawnet.Link
	sources   map[netip.Addr]bool
	netlink   *rawnet.Netlink
	ring      *rawnet.Ring
	resolvers []*resolver       // by out; nil if the link has no header
	senders   [][]rawnet.Sender // by thread and out
	capture   *rawnet.Capture   // nil for none
	expiry    expiry
	patience  time.Duration // maximum wait for hosts that stop answering

	counts counts

	mu  sync.Mutex
	err error
}

// maxPairs is the maximum size of a Space: one bit of memory for each pair, 1 GiB in
// all.
const maxPairs = 1 << 33

// Open makes ready to sweep space: it looks the routes up, opens the sockets
// and finds the routers' hardware addresses. No SYN leaves. The error is a
// *LocalError where space holds addresses of this machine, wraps the kernel's
// answer without the right to raw sockets, and says where the way leads over an
// interface that cannot be used; all have a hint. The Scanner must be closed.
func Open(ctx context.Context, space *scope.Space, config Config) (*Scanner, error) {
	s := &Scanner{config: config, space: space, cookie: newCookie(), expiry: newExpiry(config.NotAfter), patience: outagePatience}
	if err := s.config.check(); err != nil {
		return nil, err
	}
	if space.Len() > maxPairs {
		return nil, fault.Hintf("scan it in parts with --shard", "sweeping %d pairs: too many to keep a bit for each", space.Len())
	}
	if err := s.open(ctx); err != nil {
		s.Close()
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			return nil, rightsError(err)
		}
		return nil, err
	}
	return s, nil
}

func (s *Scanner) open(ctx context.Context) error {
	low, high := ephemeral()
	var err error
	if s.clock, err = newClock(low, high); err != nil {
		return err
	}
	if s.netlink, err = rawnet.OpenNetlink(); err != nil {
		return err
	}
	p, err := newPlanner(s.netlink, &s.config)
	if err != nil {
		return err
	}
	if s.view, err = p.plan(s.space); err != nil {
		return err
	}
	s.outs = p.out
	if err := s.openSockets(low, high); err != nil {
		return err
	}
	s.sources = map[netip.Addr]bool{}
	for way, h := range p.hops {
		s.sources[h.source] = true
		if r := s.resolvers[h.out]; r != nil && way.Gateway.IsValid() {
			from := h.source
			if way.Gateway.Is4() != from.Is4() {
				// An IPv6 router for IPv4: ask it from a link-local address.
				from = linkLocal(r.socket.Link())
			}
			mac, err := r.gateway(ctx, s.netlink, from, way.Gateway)
			if err != nil {
				return err
			}
			h.template.SetDestination(mac)
		}
	}
	if s.config.Pcap != nil {
		s.capture, err = rawnet.NewCapture(s.config.Pcap)
	}
	return err
}

// openSockets opens all sockets of the sweep.
func (s *Scanner) openSockets(low, high uint16) error {
	prog, err := rawnet.AnswerFilter(s.clock.base, s.clock.last(), low, high)
	if err != nil {
		return err
	}
	index := 0 // with several interfaces, receive on all
	if len(s.outs) == 1 {
		index = s.outs[0].Index
	}
	if s.ring, err = rawnet.OpenRing(index, prog); err != nil {
		return err
	}
	for _, out := range s.outs {
		var r *resolver
		if out.Hardware == unix.ARPHRD_ETHER {
			if r, err = openResolver(out, s.expiry); err != nil {
				return err
			}
		}
		s.resolvers = append(s.resolvers, r)
	}
	for thread := range s.config.Threads {
		var row []rawnet.Sender
		for _, out := range s.outs {
			snd, err := rawnet.OpenSender(out, thread)
			if err != nil {
				return err
			}
			row = append(row, snd)
		}
		s.senders = append(s.senders, row)
	}
	return nil
}

// Close closes the sockets. The Scanner cannot be used any more.
func (s *Scanner) Close() {
	if s.netlink != nil {
		s.netlink.Close()
	}
	if s.ring != nil {
		s.ring.Close()
	}
	for _, r := range s.resolvers {
		if r != nil {
			r.close()
		}
	}
	for _, row := range s.senders {
		for _, snd := range row {
			snd.Close()
		}
	}
	s.netlink, s.ring, s.resolvers, s.senders = nil, nil, nil, nil
}

// Err returns why the sweep ended early, once the sequence that Scan returned has
// ended; nil if it did not, or was canceled.
func (s *Scanner) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// ephemeral returns the range of ports that the kernel uses for its own connections
// (net.ipv4.ip_local_port_range).
func ephemeral() (low, high uint16) {
	low, high = 32768, 60999
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		_, _ = fmt.Sscan(strings.TrimSpace(string(b)), &low, &high)
	}
	return low, high
}

// linkLocal returns an IPv6 address of the link that needs no route.
func linkLocal(l rawnet.Link) netip.Addr {
	if i, err := net.InterfaceByIndex(l.Index); err == nil {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() {
				return p.Addr()
			}
		}
	}
	return netip.IPv6Unspecified()
}

// DropRights drops, for the whole process and permanently, every capability, and the
// possibility to get any by running another program. The sockets of an open Scanner
// keep working; other rights of root by capabilities, such as writing into other
// users' directories, are gone. In a program built with cgo it fails.
func DropRights() error { return rawnet.DropRights() }

// check reports an interface that has gone down.
func (s *Scanner) check() error {
	links, err := s.netlink.Links()
	if err != nil {
		return err
	}
	for _, out := range s.outs {
		switch l, ok := links[out.Index]; {
		case !ok:
			return fmt.Errorf("sending on interface %q: %w", out.Name, errors.New("it is gone"))
		case !l.Up:
			return fmt.Errorf("sending on interface %q: %w", out.Name, errors.New("it went down"))
		case !l.Running:
			return fmt.Errorf("sending on interface %q: %w", out.Name, errors.New("it has lost its carrier"))
		}
	}
	return nil
}

// began anchors the clock of the sweeps.
var began = time.Now()

// now is the clock of the sweeps, in nanoseconds since 1970: what the wall clock
// said when the program began, and the time since then by the monotonic clock.
// Somebody who sets the wall clock during a sweep moves no deadline of it.
func now() int64 { return onClock(time.Now()) }

// onClock is a moment, with its monotonic reading, on the clock of the sweeps.
func onClock(t time.Time) int64 { return began.UnixNano() + int64(t.Sub(began)) }

// stampSkew is how far the wall clock, with which the kernel stamps arrivals, was
// ahead of the clock of the sweeps at t.
func stampSkew(t time.Time) int64 { return t.UnixNano() - onClock(t) }

// arrived is when a packet arrived, on the clock of the sweeps, by the stamp that
// the kernel gave it and a look at the ring shortly before it was found. A stamp
// from the future was made before somebody set the wall clock back.
func arrived(stamp int64, look time.Time) int64 {
	if at := stamp - stampSkew(look); at < onClock(look)+int64(time.Second) {
		return at
	}
	return onClock(look)
}
