package mailtest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// A Network is an in-memory network whose connections take no time. Tests in a
// [testing/synctest] bubble reach their servers through it, because the bubble's
// clock advances only if no goroutine waits for the real network. The zero
// Network is empty and ready to use.
type Network struct {
	mu      sync.Mutex // guards following
	servers map[netip.AddrPort]*memoryListener
}

// firstPort is the first port that a network assigns to a server: no service is
// expected there.
const firstPort = 40000

// Listen starts a server for h on a port of 127.0.0.1 in the network. Close ends
// it.
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

// Serve starts a server that is closed at the end of the test.
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

// Dial connects to a server of the network. Connections to other addresses, and
// to closed servers, are refused.
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

// A memoryListener accepts the connections of a network for a server.
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
