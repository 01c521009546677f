package fingerprint

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

const (
	// maxReply is the maximum size of a reply that is kept. RFC 5321, Section
	// 4.5.3.1.5 limits a reply line to 512 octets; whole replies of mail daemons
	// stay below 8 KiB.
	maxReply = 16 << 10

	// maxPort is the maximum number of bytes read from one port in total.
	maxPort = 256 << 10

	// settle is how long to wait for further lines of a greeting if the protocol
	// does not define which line is the last.
	settle = 150 * time.Millisecond

	// partialLineWait is how long to wait for the rest of a line after its last
	// byte.
	partialLineWait = 1500 * time.Millisecond
)

// A wire is one connection to a daemon.
type wire struct {
	conn   net.Conn
	budget *atomic.Int64 // bytes that may still be read from the port
	unread []byte        // received, but not yet part of a reply
	before []byte        // received before the first probe was sent
	tls    bool

	onFirstByte func()    // called when the first byte of a reply arrives; may be nil
	latest      time.Time // until when received bytes extend a reply; zero: without limit
	late        bool      // this machine was scheduled late

	path       path      // as last reported to the host
	unackedAt  time.Time // when sent data was last found not acknowledged
	receivedAt time.Time // when the last byte was received

	midLine  bool // the last data sent does not end with CRLF
	endsInLF bool // it ends with LF alone
	gone     bool // the other side has closed the connection

	detached bool // it is not the first of a session, and its slot was released

	state *tls.ConnectionState
}

// send writes b within a second. It returns false if the daemon does not read or
// the connection is closed.
func (w *wire) send(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	w.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, err := w.conn.Write(b)
	w.midLine, w.endsInLF = !bytes.HasSuffix(b, []byte("\r\n")) && !netstring(b), endsInLF(b)
	return err == nil
}

// endsInLF reports whether what is sent ends with LF, without a CR before it.
func endsInLF(b []byte) bool {
	return bytes.HasSuffix(b, []byte("\n")) && !bytes.HasSuffix(b, []byte("\r\n"))
}

// netstring reports whether what is sent is a netstring, or the beginning of its
// length: a daemon that reads netstrings has no lines, and logs a CRLF as an
// error.
func netstring(b []byte) bool {
	rest := bytes.TrimLeft(b, "0123456789")
	return len(rest) < len(b) && (len(rest) == 0 || rest[0] == ':')
}

// read reads until the reply is complete, the wait is over, or the connection
// ends.
func (w *wire) read(ctx context.Context, complete func([]byte) verdict, wait time.Duration) (reply []byte, end string, first, took time.Duration) {
	return w.readWhile(ctx, complete, func() time.Duration { return wait })
}

// A read that returned more than schedulingDelay after its deadline was delayed
// by this machine. The delay is added to the daemon's time, up to
// maxSchedulingDelay in total.
const (
	schedulingDelay    = 20 * time.Millisecond
	maxSchedulingDelay = 2 * time.Second
	finalPoll          = 5 * time.Millisecond
)

// readWhile is read with a wait that may grow during the read.
func (w *wire) readWhile(ctx context.Context, complete func([]byte) verdict, wait func() time.Duration) (reply []byte, end string, first, took time.Duration) {
	start := time.Now()
	var late time.Duration // added because of scheduling delays
	looked, extended := false, false
	stop := context.AfterFunc(ctx, func() { w.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	deadline := start.Add(wait())
	reply, w.unread = w.unread, nil
	buf := make([]byte, 1024) // small, because thousands of reads may wait at a time
	for {
		limit, settling, ended := w.until(complete(reply), deadline)
		if ended != "" {
			return reply, ended, first, time.Since(start)
		}
		if len(reply) >= maxReply || w.budget.Load() <= 0 {
			return reply, signatures.EndLimit, first, time.Since(start)
		}
		w.conn.SetReadDeadline(limit)
		if ctx.Err() != nil {
			return reply, signatures.EndSilence, first, time.Since(start)
		}
		n, err := w.conn.Read(buf)
		if n == 0 && err != nil && !extended && ctx.Err() == nil && endOf(err) == signatures.EndSilence && continued(reply) {
			extended = true
			deadline = time.Now().Add(moreLines)
			continue
		}
		if n == 0 && err != nil && !settling && ctx.Err() == nil && endOf(err) == signatures.EndSilence {
			if longer := start.Add(wait() + late); longer.After(deadline) && longer.After(time.Now()) {
				deadline, looked = longer, false
				continue
			}
		}
		if n == 0 && err != nil && !settling && ctx.Err() == nil && endOf(err) == signatures.EndSilence && len(reply) == 0 {
			// Data received after the deadline, but before this machine ran
			// again, is still to be read.
			if since := time.Since(limit); !looked {
				looked = true
				if since > schedulingDelay {
					w.late = true
				}
				if since > schedulingDelay && late < maxSchedulingDelay {
					late = min(late+since, maxSchedulingDelay)
				}
				deadline = time.Now().Add(finalPoll)
				if longer := start.Add(wait() + late); longer.After(deadline) {
					deadline = longer
				}
				continue
			}
		}
		if n = min(n, maxReply-len(reply)); n > 0 {
			w.receivedAt = time.Now()
		}
		if n > 0 && len(reply) == 0 {
			first = time.Since(start)
			if w.onFirstByte != nil {
				w.onFirstByte()
			}
		}
		reply = append(reply, buf[:n]...)
		w.budget.Add(-int64(n))
		if err == nil {
			continue
		}
		end = endOf(err)
		if end == signatures.EndSilence && settling && ctx.Err() == nil {
			end = signatures.EndReply
		}
		w.gone = end != signatures.EndSilence && end != signatures.EndReply
		return reply, end, first, time.Since(start)
	}
}

// until returns how long to wait for the rest of a reply with verdict v, and
// whether that is only to detect its end; ended says how the reply ended, "" if
// it may continue.
func (w *wire) until(v verdict, deadline time.Time) (limit time.Time, settling bool, ended string) {
	switch v {
	case done:
		return deadline, false, signatures.EndReply
	case endless:
		return deadline, false, signatures.EndLimit
	case maybe:
		if t := time.Now().Add(settle); t.Before(deadline) {
			return t, true, ""
		}
	case partialLine:
		return w.runsOn(time.Now().Add(partialLineWait), deadline), false, ""
	case begun:
		if t := w.runsOn(time.Now().Add(partialLineWait), deadline); t.After(deadline) {
			return t, false, ""
		}
	}
	return deadline, false, ""
}

// runsOn returns until when a reply may continue that would be waited for until
// t; deadline is that of the first byte.
func (w *wire) runsOn(t, deadline time.Time) time.Time {
	latest := w.latest
	if latest.Before(deadline) {
		latest = deadline
	}
	if !w.latest.IsZero() && latest.Before(t) {
		return latest
	}
	return t
}

// moreLines is how much longer to wait for a reply that announced more lines:
// postscreen delays the last one by 6 s and, on a busy machine, some more.
const moreLines = 2 * time.Second

// continued reports whether the reply announces more lines (RFC 5321, Section
// 4.2.1).
func continued(reply []byte) bool {
	line, whole := lastLine(reply)
	is, last := code(line)
	return whole && is && !last
}

// endOf says how a connection ended, by the error of a read.
func endOf(err error) string {
	var netErr net.Error
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return signatures.EndSilence
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), alerted(err):
		return signatures.EndClosed
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return signatures.EndReset
	}
	return signatures.EndError
}

// remote reports whether the two ends of the connection are on different hosts,
// according to their addresses.
func (w *wire) remote() bool {
	if w == nil {
		return false
	}
	ours, ok := w.conn.LocalAddr().(*net.TCPAddr)
	theirs, also := w.conn.RemoteAddr().(*net.TCPAddr)
	return ok && also && !ours.IP.IsLoopback() && !theirs.IP.IsLoopback() && !ours.IP.Equal(theirs.IP)
}
