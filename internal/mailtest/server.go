// Package mailtest simulates mail daemons on loopback, for tests and for the
// demo, including their idiosyncrasies, byte by byte.
//
// [Listen] starts a [Handler] on a port. [Parse] reads a handler from a script of
// S: and C: lines, [Daemon] returns a built-in script, and types such as
// [DKIMproxy], [Amavis] or [Cluebringer] simulate daemons whose behavior cannot
// be scripted. Every server counts its connections and records what it received,
// so that tests can check what was never sent.
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
	"syscall"
	"time"
)

// A Handler simulates a daemon on one connection. The connection is closed when
// Serve returns.
type Handler interface {
	Serve(c *Conn)
}

// HandlerFunc makes a function a Handler.
type HandlerFunc func(c *Conn)

// Serve calls f.
func (f HandlerFunc) Serve(c *Conn) { f(c) }

// idle is how long a server waits for a silent client. It is far longer than a
// scanner waits and only prevents a test from hanging.
const idle = 2 * time.Minute

// linger is how long a closing server waits for what the client sent before it could
// know about the close.
const linger = time.Millisecond

// grace is how long Close reads from clients that have disconnected, to record
// what they sent last.
const grace = 100 * time.Millisecond

// maxKept is the maximum number of bytes recorded per session.
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
	resets   int
	conns    map[net.Conn]bool
	closed   bool
	empty    chan struct{} // closed when the last connection of a closed server ends
}

type session struct {
	remote   netip.AddrPort
	received []byte
	reset    bool // by the client
}

// A Session is the record of one connection.
type Session struct {
	Remote netip.AddrPort

	// Received is what the client sent, at most 1 MiB of it. Data sent over TLS
	// is recorded decrypted; handshakes are not recorded.
	Received []byte
}

// Listen starts a server for h on address; empty means "127.0.0.1:0". Close ends
// it.
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

// start serves a listener, which belongs to n if n is not nil.
func start(l net.Listener, h Handler, n *Network) *Server {
	s := &Server{listener: l, network: n, handler: h, done: make(chan struct{}), conns: make(map[net.Conn]bool)}
	s.working.Go(s.accept)
	return s
}

// dial connects to a server in the network of this one.
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

// TB is the part of testing.TB that [Serve] needs.
type TB interface {
	Helper()
	Fatal(args ...any)
	Cleanup(func())
}

// Serve starts a server that is closed at the end of the test.
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

// Addr returns the address and port of the server.
func (s *Server) Addr() netip.AddrPort {
	return s.listener.Addr().(*net.TCPAddr).AddrPort()
}

// Connections returns how many connections were accepted so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// MaxOpen returns the maximum number of connections that were open at once.
func (s *Server) MaxOpen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.maxOpen
}

// Resets returns how many connections the client reset, as far as the server has noticed:
// it sent something to a client that had closed its end, or the client left something
// unread.
func (s *Server) Resets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.resets
}

// Sessions returns the records of all connections, in their order. Those of open
// connections are incomplete.
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

// Close closes the server and all of its connections and waits for them. Data
// from clients that have disconnected is read first. Close may be called more
// than once.
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
			// A resource of this machine, such as file descriptors, is exhausted
			// for the moment.
			select {
			case <-s.done:
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		if c := s.register(raw); c != nil {
			s.working.Go(func() {
				defer s.finish(c)
				s.handler.Serve(c)
			})
		}
	}
}

// register registers a connection; it returns nil if the server was closed.
func (s *Server) register(raw net.Conn) *Conn {
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
	c.reader = bufio.NewReader(recorder{c})
	return c
}

// finish closes both directions of the connection, as daemons do: data received after
// that is answered with a RST. It first reads what the client sent before, because a
// close with unread data sends a RST too.
func (s *Server) finish(c *Conn) {
	if c.raw.SetReadDeadline(time.Now().Add(linger)) == nil {
		// Any error ends the connection as well.
		_, err := io.Copy(io.Discard, c.raw)
		s.ended(c.session, err)
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

// ended counts a connection whose client has reset it, according to the error of a read
// or a write.
func (s *Server) ended(e *session, err error) {
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !e.reset {
		e.reset = true
		s.resets++
	}
}

// recorder reads from the connection and records what it received.
type recorder struct{ c *Conn }

func (k recorder) Read(p []byte) (int, error) {
	if err := k.c.raw.SetReadDeadline(time.Now().Add(idle)); err != nil {
		return 0, err
	}
	n, err := k.c.stream.Read(p)
	k.c.server.ended(k.c.session, err)
	k.c.server.keep(k.c.session, p[:n])
	return n, err
}

var _ io.Reader = recorder{}
