// Package mailtest plays mail daemons on loopback, for tests and for the
// demo: habits included, byte by byte.
//
// [Listen] starts a [Handler] on a port. [Parse] reads a handler from a
// script of S: and C: lines, [Daemon] names one of the scripts that come with
// the package, and types such as [DKIMproxy], [Amavis] or [Cluebringer] play
// daemons whose habits do not fit into a script. Every server counts its
// connections and keeps what it was sent, so that a test can assert what was
// never said.
package mailtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A Handler plays a daemon on one connection. The connection is closed when
// Serve returns.
type Handler interface {
	Serve(c *Conn)
}

// HandlerFunc lets a function be a Handler.
type HandlerFunc func(c *Conn)

// Serve calls f.
func (f HandlerFunc) Serve(c *Conn) { f(c) }

// idle is how long a server waits for a client that says nothing. It is far
// beyond what a scanner waits and only keeps a lost test from hanging.
const idle = 2 * time.Minute

// linger is how long a closing server waits for what the client sent before it could
// know of the end.
const linger = time.Millisecond

// grace is how long Close lets clients that have hung up be read to their end,
// so that what they sent last is kept.
const grace = 100 * time.Millisecond

// maxKept is how many bytes of a session are kept for assertions.
const maxKept = 1 << 20

// A Server is one listening port.
type Server struct {
	listener net.Listener
	network  *Network // nil for that of the system
	handler  Handler
	done     chan struct{}
	working  sync.WaitGroup

	mu       sync.Mutex // guards following
	sessions []*session
	open     int
	maxOpen  int
	conns    map[net.Conn]bool
	closed   bool
	empty    chan struct{} // closed when the last connection of a closed server ends
}

type session struct {
	remote   netip.AddrPort
	received []byte
}

// A Session is what a server saw of one connection.
type Session struct {
	Remote netip.AddrPort

	// Received is what the client sent, at most 1 MiB of it. Bytes that came
	// through TLS stand here as they were inside; a handshake does not.
	Received []byte
}

// Listen starts a server for h on address; empty means "127.0.0.1:0". Close
// ends it.
func Listen(address string, h Handler) (*Server, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", address, err)
	}
	return start(l, h, nil), nil
}

// start serves what comes to a listener, of a network in memory if there is one.
func start(l net.Listener, h Handler, n *Network) *Server {
	s := &Server{listener: l, network: n, handler: h, done: make(chan struct{}), conns: make(map[net.Conn]bool)}
	s.working.Go(s.accept)
	return s
}

// dial connects to a server from where this one is.
func (s *Server) dial(address string, limit time.Duration) (net.Conn, error) {
	if s.network == nil {
		return net.DialTimeout("tcp", address, limit)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("dialing %q: %w", address, err)
	}
	return s.network.Dial(ctx, target)
}

// TB is what a test offers to [Serve].
type TB interface {
	Helper()
	Fatal(args ...any)
	Cleanup(func())
}

// Serve starts a server for the length of a test.
func Serve(t TB, h Handler) *Server {
	t.Helper()
	s, err := Listen("", h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return s
}

// Addr is the address and port that the server listens on.
func (s *Server) Addr() netip.AddrPort {
	return s.listener.Addr().(*net.TCPAddr).AddrPort()
}

// Connections is how many connections were accepted so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// MaxOpen is the largest number of connections that were open at once.
func (s *Server) MaxOpen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.maxOpen
}

// Sessions returns what the server saw, in the order of the connections.
// Those that are still open are as far as they got.
func (s *Server) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Session, len(s.sessions))
	for i, e := range s.sessions {
		all[i] = Session{e.remote, slices.Clone(e.received)}
	}
	return all
}

// Received returns what all connections sent, one after another.
func (s *Server) Received() []byte {
	var all []byte
	for _, e := range s.Sessions() {
		all = append(all, e.Received...)
	}
	return all
}

// Close ends the server and all of its connections and waits for them. What
// clients sent that have hung up is read first. Close may be called more than
// once.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.empty = make(chan struct{})
	if len(s.conns) == 0 {
		close(s.empty)
	}
	s.mu.Unlock()
	err := s.listener.Close()
	close(s.done)
	select {
	case <-s.empty:
	case <-time.After(grace):
	}
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.working.Wait()
	return err
}

func (s *Server) accept() {
	for {
		raw, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// This machine lacks something for now, say a free descriptor.
			select {
			case <-s.done:
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		if c := s.enter(raw); c != nil {
			s.working.Go(func() {
				defer s.leave(c)
				s.handler.Serve(c)
			})
		}
	}
}

// enter takes a connection into the books; nil if the server was closed.
func (s *Server) enter(raw net.Conn) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		raw.Close()
		return nil
	}
	e := &session{remote: raw.RemoteAddr().(*net.TCPAddr).AddrPort()}
	s.sessions = append(s.sessions, e)
	s.conns[raw] = true
	s.open++
	s.maxOpen = max(s.maxOpen, s.open)
	c := &Conn{server: s, session: e, raw: raw, stream: raw}
	c.reader = bufio.NewReader(keeper{c})
	return c
}

// leave closes the connection for good, as daemons do: what comes after that is
// answered with a RST. What the client sent before is read first, for a close over
// unread bytes is a RST too.
func (s *Server) leave(c *Conn) {
	if c.raw.SetReadDeadline(time.Now().Add(linger)) == nil {
		// The end of this is the end of the connection, whatever it is.
		_, _ = io.Copy(io.Discard, c.raw)
	}
	c.raw.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c.raw)
	s.open--
	if s.closed && len(s.conns) == 0 {
		close(s.empty)
	}
}

func (s *Server) keep(e *session, p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.received = append(e.received, p[:min(len(p), maxKept-len(e.received))]...)
}

// keeper reads from the connection and keeps what came.
type keeper struct{ c *Conn }

func (k keeper) Read(p []byte) (int, error) {
	if err := k.c.raw.SetReadDeadline(time.Now().Add(idle)); err != nil {
		return 0, err
	}
	n, err := k.c.stream.Read(p)
	k.c.server.keep(k.c.session, p[:n])
	return n, err
}

var _ io.Reader = keeper{}
