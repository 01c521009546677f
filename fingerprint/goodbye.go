package fingerprint

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

const (
	// byeWait is how long an answer to the goodbye, and the end of the connection, are
	// waited for; most daemons need a round trip.
	byeWait = 300 * time.Millisecond

	// tailWait is how long, beyond a round trip, the other side may take to
	// acknowledge what came after its end, or to reset it. HAProxy with timeout
	// client-fin 1s takes it for a second.
	tailWait = 200 * time.Millisecond

	// briefTail is after how long what was taken once is sent again: socat keeps its
	// socket for half a second (its option -t).
	briefTail = 700 * time.Millisecond
)

// goodbye returns what is sent before closing.
func (s *session) goodbye(last *signatures.Probe) []byte {
	if last == nil || last.Fin {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ex := s.exchanges[last.ID]; last.StartTLS && ex != nil && ex.Handshake == signatures.HandshakeFailed {
		return nil // a line would belong to what is left of the handshake
	}
	if last.ID != signatures.Greeting && last.Layer != signatures.LayerProxy {
		return last.Close
	}
	if g := s.exchanges[signatures.Greeting]; g != nil {
		if is, _ := code(g.Reply); is {
			return []byte("QUIT\r\n")
		}
	}
	return nil
}

// hangUp says goodbye, closes the connection and notes how the other side ended it. A
// line that was left open is ended first: amavisd keeps it for the next client of the
// same child. What shows only what stands in front of the daemon ends with ctx.
func (s *session) hangUp(ctx context.Context, w *wire, goodbye []byte) {
	defer w.conn.Close()
	if w.gone {
		return
	}
	sent := w.send(goodbye)
	if sent && w.midLine && !(w.endsInLF && s.readsLF()) {
		sent = w.send([]byte("\r\n"))
	}
	if !sent || len(goodbye) == 0 {
		return
	}
	w.conn.SetReadDeadline(time.Now().Add(byeWait + 2*s.rtt))
	reply, err := io.ReadAll(io.LimitReader(w.conn, maxReply))
	p := s.id.Signatures.Probe(signatures.Goodbye)
	if err != nil || p == nil || !s.beginTail() {
		return
	}
	defer s.endTail()
	if tail := w.tail(ctx, p.Send, s.rtt); tail != "" {
		s.noteGoodbye(&Exchange{Probe: p.ID, Sent: slices.Concat(goodbye, p.Send), Reply: bytes.Clone(reply[:min(len(reply), maxKept)]), End: signatures.EndClosed, TLS: w.tls, Tail: tail})
	}
}

// readsLF reports whether the lines of the daemon end in LF: it answered one, or its port
// is one of a daemon that takes such lines. To it a CRLF after one is another request,
// which amavisd's AM.PDP logs as an error.
func (s *session) readsLF() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.greetingBegun || s.greets {
		return false
	}
	return s.suggestsQuiet() || slices.ContainsFunc(s.order, func(ex *Exchange) bool {
		return endsInLF(ex.Sent) && len(ex.Reply) > 0 && !likeGreeting(ex.Reply)
	})
}

// beginTail reports whether a connection is to find out what becomes of bytes that come
// after its end: that is not known yet, and no other connection of the port is asking.
// After endTail another one may.
func (s *session) beginTail() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tailing || s.exchanges[signatures.Goodbye] != nil {
		return false
	}
	s.tailing = true
	return true
}

// endTail ends what beginTail began.
func (s *session) endTail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tailing = false
}

// noteGoodbye keeps how a connection ended. It is no answer to a question, and shows
// nothing of how fast the port answers.
func (s *session) noteGoodbye(ex *Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exchanges[ex.Probe] != nil {
		return
	}
	ex.TLS, ex.Proxied, ex.Remote = ex.TLS || s.layer.tls, s.layer.proxy != "", s.first.remote()
	s.exchanges[ex.Probe] = ex
	s.wake()
}

// tail sends bytes on a connection that the other side has ended, and tells what became
// of them: one of the Tail constants, or "" where nothing proves either. A packet that
// got lost proves nothing, nor does a system that does not tell of acknowledgments.
func (w *wire) tail(ctx context.Context, b []byte, rtt time.Duration) string {
	if p, ok := w.awaitPath(ctx, rtt+tailWait, func(p path) bool { return p.hungUp }); !ok || !p.hungUp || p.reset || p.unacked {
		return "" // a proxy that ends TLS may keep the connection
	}
	line := func() bool { return w.send(b) }
	begun := time.Now()
	switch w.tailOnce(ctx, line, rtt) {
	case signatures.TailReset:
		return signatures.TailReset
	case signatures.TailTaken:
	default:
		return ""
	}
	if !pause(ctx, briefTail-time.Since(begun)) {
		return ""
	}
	// An urgent byte first: a proxy that read another line would try to send it on, and
	// end everything because the daemon is gone.
	urgent := func() bool {
		return w.conn.SetWriteDeadline(time.Now().Add(time.Second)) == nil && sendUrgent(w.conn, '\n')
	}
	switch w.tailOnce(ctx, urgent, rtt) {
	case signatures.TailReset:
		return signatures.TailBriefly
	case signatures.TailTaken:
		return w.reader(ctx, line, rtt)
	}
	return ""
}

// reader tells how the other side reads, which has just taken an urgent byte. What
// calls recv(2) passes over that byte, reads the next line, fails to send it to the
// daemon that is gone, and ends the connection: only what comes after that is reset.
// What calls splice(2) of Linux (net/ipv4/tcp.c, tcp_read_sock) is stopped by the byte
// and keeps the connection. Where the line itself is reset, or got lost, nobody knows.
func (w *wire) reader(ctx context.Context, line func() bool, rtt time.Duration) string {
	const most = 3 // on a busy host the end takes a moment
	for i := range most {
		switch w.tailOnce(ctx, line, rtt) {
		case signatures.TailReset:
			if i == 0 {
				return signatures.TailTaken // a firewall made the byte an ordinary one
			}
			return signatures.TailRead
		case signatures.TailTaken:
		default:
			return signatures.TailTaken
		}
	}
	return signatures.TailSpliced
}

// tailOnce sends bytes and waits until they are acknowledged or reset.
func (w *wire) tailOnce(ctx context.Context, send func() bool, rtt time.Duration) string {
	if !send() {
		if p, ok := pathOf(w.conn); ok && p.reset {
			return signatures.TailReset
		}
		return ""
	}
	p, ok := w.awaitPath(ctx, rtt+tailWait, func(p path) bool { return p.reset })
	switch {
	case !ok || p.unacked && !p.reset:
		return ""
	case p.reset:
		return signatures.TailReset
	}
	return signatures.TailTaken
}

// awaitPath asks the kernel about the connection until a condition holds or the wait
// is over, and returns what it said last. It reports false if the system does not say,
// or ctx is done.
func (w *wire) awaitPath(ctx context.Context, wait time.Duration, until func(path) bool) (path, bool) {
	const shortest, longest = time.Millisecond, 16 * time.Millisecond
	over := time.Now().Add(wait)
	for next := shortest; ; next = min(2*next, longest) {
		p, ok := pathOf(w.conn)
		if !ok || until(p) || !time.Now().Before(over) {
			return p, ok
		}
		if !pause(ctx, next) {
			return path{}, false
		}
	}
}

// pause waits for a while. It reports false if ctx is done before.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// endSending tells the other side that nothing more is sent, and listens on.
func (w *wire) endSending() {
	sendBelow(w.conn, func(c net.Conn) bool {
		half, ok := c.(interface{ CloseWrite() error })
		return ok && half.CloseWrite() == nil // one that is gone already ends the reading
	})
}
