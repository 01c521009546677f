package fingerprint

import (
	"context"
	"math"
	"net"
	"time"

	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/signatures"
)

// A path is what the kernel knows about the path of a connection.
type path struct {
	unacked bool // something that was sent is not acknowledged
	sent    int  // segments that needed an acknowledgement, each counted once
	resent  int  // how often one of them was sent again
	twice   int  // of those, how many the peer had received already
	hungUp  bool // the peer has said that it sends nothing more
	reset   bool // the peer has reset the connection
}

// pathOf asks the kernel about a connection. It reports false if the system does not
// say. Connections other than TCP have no loss; those in memory tell the rest.
func pathOf(c net.Conn) (path, bool) {
	switch c := hosts.Base(c).(type) {
	case *net.TCPConn:
		return kernelPath(c)
	case interface{ Ended() (hungUp, reset bool) }:
		hungUp, reset := c.Ended()
		lost, ok := c.(interface{ Unacked() bool })
		return path{hungUp: hungUp, reset: reset, unacked: ok && lost.Unacked()}, true
	}
	return path{}, true
}

// sendUrgent sends one byte as urgent data, outside of TLS. It reports whether that was
// sent. Connections in memory do it themselves.
func sendUrgent(c net.Conn, b byte) bool {
	return sendBelow(c, func(c net.Conn) bool {
		switch c := c.(type) {
		case *net.TCPConn:
			return kernelUrgent(c, b)
		case interface{ SendUrgent(b byte) bool }:
			return c.SendUrgent(b)
		}
		return false
	})
}

// maxUnacked is how much longer than usual to wait for a reply while the question
// itself is not acknowledged.
const maxUnacked = 8 * time.Second

// unackedPoll is how often the acknowledgment of the question is checked.
const unackedPoll = 200 * time.Millisecond

// stretched returns the total wait for an exchange that began at start, where usual is
// the normal wait: longer while what was sent is not acknowledged, and on a path that
// loses packets as long as it takes to repeat a lost reply.
func (s *session) stretched(w *wire, start time.Time, usual time.Duration) time.Duration {
	if time.Since(start) < usual && s.host.resendTime() == 0 {
		return usual // the kernel is asked once nothing came in its time
	}
	p, ok := pathOf(w.conn)
	if !ok {
		return usual
	}
	s.host.passed(w, p)
	if p.unacked {
		w.unackedAt = time.Now()
		return max(usual, min(time.Since(start)+unackedPoll, usual+maxUnacked))
	}
	if resend := s.host.resendTime(); resend > 0 {
		return max(usual, w.quietSince(start).Sub(start)+resend)
	}
	return usual
}

// quietSince returns since when the peer could have said the next thing: since start,
// since all that was sent is acknowledged, or since it last sent something.
func (w *wire) quietSince(start time.Time) time.Time {
	for _, t := range []time.Time{w.unackedAt, w.receivedAt} {
		if t.After(start) {
			start = t
		}
	}
	return start
}

// markIncomplete records whether any part of an exchange that has just ended may be lost: then
// missing parts, and how it ended, show nothing.
func (s *session) markIncomplete(ctx context.Context, w *wire, ex *Exchange, word string, start time.Time) {
	if w.late {
		s.id.late.Store(true)
	}
	p, ok := pathOf(w.conn)
	if ok {
		s.host.passed(w, p)
	}
	lossy := s.host.resendTime()
	switch ex.End {
	case signatures.EndError:
		ex.Incomplete = true
	case signatures.EndSilence:
		ex.Incomplete = s.silenceInconclusive(ctx, w, ex, start, lossy)
	case signatures.EndReset:
		// A reset may overtake data that was sent before it.
		ex.Incomplete = len(ex.Reply) == 0 && lossy > 0
	}
	if ok && p.unacked && ex.End == signatures.EndSilence {
		s.mu.Lock()
		s.unacked = true
		s.mu.Unlock()
	}
	if ex.End != signatures.EndReply && len(ex.Reply) > 0 && untilLines(word) {
		switch until(word, ex.Sent)(ex.Reply) {
		case begun, partialLine, endless:
			ex.Incomplete = true
		}
	}
}

// silenceInconclusive reports whether a silence shows nothing: the bytes sent were not
// acknowledged, or the host's path loses packets. Then no wait is long enough: a
// server without a round-trip time of the connection repeats a lost packet after 1, 3
// and 7 s at the earliest (RFC 6298, Sections 2.1 and 5.7). If the system does not
// say, a connection to the host that was opened meanwhile, or anything it sent, proves
// that the path works.
func (s *session) silenceInconclusive(ctx context.Context, w *wire, ex *Exchange, start time.Time, lossy time.Duration) bool {
	if lossy > 0 {
		return true
	}
	if len(ex.Sent) == 0 {
		return false // nothing was sent that could be acknowledged
	}
	if p, ok := pathOf(w.conn); ok {
		return p.unacked
	}
	return !s.host.alive(start) && !s.knock(ctx)
}

// knock reports whether the port accepts a further connection, on which nothing is
// sent.
func (s *session) knock(ctx context.Context) bool {
	if s.left.conns.Add(-1) < 0 {
		s.left.conns.Add(1)
		return false
	}
	if s.host.enter(ctx) != nil {
		s.left.conns.Add(1)
		return false
	}
	defer s.host.leave()
	conn, err := s.id.connect(ctx, s.target)
	if err != nil {
		return false
	}
	_ = s.host.limit.HangUp(conn) // nothing was sent
	s.host.signs()
	return true
}

// passed records the loss of a connection's segments since the last call.
func (h *host) passed(w *wire, p path) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent += p.sent - w.path.sent
	h.resent += p.resent - w.path.resent
	h.twice += p.twice - w.path.twice
	w.path = p
}

// resendTimes is how long it takes until a lost reply was sent two, three, ... times,
// with the minimum retransmission timeout of 200 ms, which doubles each time (RFC
// 6298, Section 5.5, with Linux's minimum).
var resendTimes = []time.Duration{300 * time.Millisecond, 700 * time.Millisecond, 1500 * time.Millisecond, 3200 * time.Millisecond, 6500 * time.Millisecond}

// maxMissed is the accepted probability that a reply was sent and never arrived.
const maxMissed = 0.003

// lossyShare is the maximum number of segments per repeated one on a path that counts
// as losing packets. A busy peer causes a few repetitions because it reads
// acknowledgments late.
const lossyShare = 20

// lossy reports whether the path loses packets. A segment that had arrived when it was
// sent again (RFC 2883) shows that an acknowledgment was lost, or only late: once or
// twice shows nothing. The caller holds the lock.
func (h *host) lossy() bool {
	if h.resent*lossyShare < h.sent+h.resent {
		return false
	}
	return h.resent > h.twice || h.twice > maxTwice
}

// maxTwice is how many segments may arrive twice before the path counts as losing
// packets.
const maxTwice = 2

// resendTime returns the wait for a reply that may have been lost. It is zero if no
// segment was ever repeated.
func (h *host) resendTime() time.Duration {
	if h == nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.lossy() {
		return 0
	}
	// A segment is sent again if it or its acknowledgement was lost.
	either := float64(h.resent) / float64(h.sent+h.resent)
	oneWay := 1 - math.Sqrt(1-min(either, 0.9))
	times := int(math.Ceil(math.Log(maxMissed) / math.Log(max(oneWay, 1e-6))))
	return resendTimes[min(max(times-2, 0), len(resendTimes)-1)]
}

// alive reports whether the host has sent anything since a time.
func (h *host) alive(since time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.sign.Before(since)
}

// signs records that the host has sent something.
func (h *host) signs() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sign = time.Now()
}
