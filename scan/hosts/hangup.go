package hosts

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// maxEnding is the most that [Slots.Ending] may be.
	maxEnding = 256

	// endTime is how long the other side has for its end of the connection: most
	// daemons need a round trip, and one that answers late the time for its answer.
	endTime = 3 * time.Second

	// maxRest is how many bytes are read meanwhile.
	maxRest = 64 << 10
)

// ending counts the connections that were ended here, but not yet by the other side.
type ending struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n is zero again; nil if nobody waits
}

// HangUp ends a connection in order: it says that nothing more is sent, returns, and
// discards what still comes until the other side has ended the connection too, or its
// time for that is over. What is closed while the other side still sends is reset (RFC
// 1122, Section 4.2.2.13), and a daemon logs that as an error. To the other side nothing
// else differs, so that the connection needs no slot.
func (s *Slots) HangUp(conn net.Conn) error {
	if s.over() {
		return reset(conn)
	}
	half, ok := Base(conn).(interface{ CloseWrite() error })
	if !ok || !s.ending.begin(s.mostEnding()) {
		return conn.Close()
	}
	if half.CloseWrite() != nil {
		s.ending.end()
		return conn.Close()
	}
	go func() {
		defer s.ending.end()
		until := time.Now().Add(endTime)
		if !s.NotAfter.IsZero() && s.NotAfter.Before(until) {
			until = s.NotAfter
		}
		if conn.SetReadDeadline(until) == nil {
			_, _ = io.CopyN(io.Discard, conn, maxRest) // however it ends, it is closed
		}
		if s.over() {
			_ = reset(conn)
			return
		}
		conn.Close()
	}()
	return nil
}

// over reports whether nothing may be sent any more.
func (s *Slots) over() bool { return !s.NotAfter.IsZero() && !time.Now().Before(s.NotAfter) }

// reset ends a connection by RST (RFC 9293, Section 3.10.7) where possible.
func reset(conn net.Conn) error {
	if l, ok := Base(conn).(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0) // best effort: closing ends it too
	}
	return conn.Close()
}

// CanHangUp reports whether one more connection can be ended by [Slots.HangUp] now, and
// not merely be closed.
func (s *Slots) CanHangUp() bool {
	s.ending.mu.Lock()
	defer s.ending.mu.Unlock()
	return s.ending.n < s.mostEnding()
}

// mostEnding returns how many connections may be listened to after their end.
func (s *Slots) mostEnding() int {
	if s.Ending < 1 {
		return maxEnding
	}
	return min(s.Ending, maxEnding)
}

// Await waits until no connection is left that [Slots.HangUp] ended, and the other side
// did not, or ctx is done.
func (s *Slots) Await(ctx context.Context) {
	e := &s.ending
	e.mu.Lock()
	if e.n > 0 && e.none == nil {
		e.none = make(chan struct{})
	}
	none := e.none
	e.mu.Unlock()
	if none == nil {
		return
	}
	select {
	case <-none:
	case <-ctx.Done():
	}
}

// begin counts one more connection. It reports false if there are too many.
func (e *ending) begin(most int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.n >= most {
		return false
	}
	e.n++
	return true
}

func (e *ending) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.n--; e.n == 0 && e.none != nil {
		close(e.none)
		e.none = nil
	}
}

// Base returns the connection below wrappers, which have a method NetConn.
func Base(conn net.Conn) net.Conn {
	for {
		inner, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = inner.NetConn()
	}
}
