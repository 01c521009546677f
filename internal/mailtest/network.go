package mailtest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// A Network is a network in memory whose connections take no time: servers of
// a test in a bubble of [testing/synctest] are reached through it, for such a
// test waits in its own time only where nothing else is waited for. The zero
// value is empty and ready.
type Network struct {
	mu      sync.Mutex // guards following
	servers map[netip.AddrPort]*memoryListener
}

// firstPort is the first one that a network gives to a server: no service is
// expected there.
const firstPort = 40000

// Listen starts a server for h on a port of 127.0.0.1 in the network. Close
// ends it.
func (n *Network) Listen(h Handler) *Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.servers == nil {
		n.servers = make(map[netip.AddrPort]*memoryListener)
	}
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(firstPort+len(n.servers)))
	l := &memoryListener{at: at, waiting: make(chan net.Conn), closed: make(chan struct{})}
	n.servers[at] = l
	return start(l, h, n)
}

// Serve starts a server for the length of a test.
func (n *Network) Serve(t TB, h Handler) *Server {
	t.Helper()
	s := n.Listen(h)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return s
}

// Dial connects to a server of the network. Elsewhere, and where the server was
// closed, it is refused.
func (n *Network) Dial(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	l := n.servers[target]
	n.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(target), Err: syscall.ECONNREFUSED}
	if l == nil {
		return nil, refused
	}
	ours, theirs := memoryPipe(netip.AddrPortFrom(target.Addr(), firstPort-1), target)
	select {
	case l.waiting <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, fmt.Errorf("dialing %s: %w", target, ctx.Err())
	}
}

// A memoryListener hands a server the connections of a network.
type memoryListener struct {
	at      netip.AddrPort
	waiting chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.waiting:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }
