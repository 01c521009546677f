package fingerprint

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/scan/dialer"
	"github.com/mxsweep/mxsweep/signatures"
)

// maxPatience limits the wait for slow daemons if the probe itself would not wait so
// long.
const maxPatience = earlyFactor * maxSlowness

// maxSlowPort is the same if the port itself was slow, for example because it starts a
// process for each connection.
const maxSlowPort = 4 * time.Second

// dialogue sends a probe on its own connection, and then those that continue on the
// connection and are still useful.
func (s *session) dialogue(ctx context.Context, p *signatures.Probe) {
	var w *wire
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.running--
		if p.ID == signatures.Greeting && s.detached || w != nil && w.detached {
			s.host.endDetached()
		}
		if p.Quiet > 0 {
			s.asking--
		}
		if s.proving == p.ID {
			s.proving = ""
		}
		if followsHeader(p) {
			s.entering--
		}
		s.wake()
	}()
	if p.ID != signatures.Greeting && !s.enterHost(ctx) {
		return
	}
	var err error
	if w, err = s.connect(ctx, p); err != nil {
		s.failed(p, err)
		return
	}
	if p.Layer == signatures.LayerProxy {
		s.askHeader(ctx, w, p)
		s.hangUp(ctx, w, s.goodbye(p))
		return
	}
	var held []string // probes that were asked on this connection
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, p := range held {
			s.open[p] = false
		}
	}()
	root := p
	if p.ID == signatures.Greeting {
		s.listen(ctx, w)
	} else if !s.begins(ctx, w, p) || !s.provesSilence(ctx, w, p) {
		if !s.greetsInstead(w, p) {
			s.hangUp(ctx, w, nil)
			return
		}
		root = s.id.Signatures.Probe(signatures.Greeting)
		s.listen(ctx, w)
	}
	var last *signatures.Probe
	for next := root; next != nil && !s.entered(w); next = s.next(ctx, next, w, root) {
		last, held = next, append(held, next.ID)
		if next.ID != signatures.Greeting { // which was listened for
			s.ask(ctx, w, next)
		}
	}
	if s.entered(w) {
		return
	}
	s.hangUp(ctx, w, s.goodbye(last))
}

// enterHost waits for the host's other ports, if it must. Questions that wait at the
// same time count once.
func (s *session) enterHost(ctx context.Context) bool {
	s.mu.Lock()
	s.goesOutside()
	s.mu.Unlock()
	err := s.pace(ctx)
	if err == nil {
		err = s.host.enter(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.comesInside()
	return err == nil
}

// goesOutside records that a question, or the port, waits for other ports of the host.
// The caller holds the lock.
func (s *session) goesOutside() {
	if s.outside++; s.outside == 1 {
		s.since = time.Now()
	}
}

// comesInside records that the wait is over. The caller holds the lock.
func (s *session) comesInside() {
	if s.outside--; s.outside == 0 {
		s.delayed += time.Since(s.since)
	}
}

// waited returns how long questions have waited for other ports of the host.
func (s *session) waited() time.Duration {
	if s.outside > 0 {
		return s.delayed + time.Since(s.since)
	}
	return s.delayed
}

// connect opens the connection of a probe, inside of the session's layer. Closing it
// releases its host slot.
func (s *session) connect(ctx context.Context, p *signatures.Probe) (*wire, error) {
	if p.ID == signatures.Greeting && s.wire != nil {
		return s.wire, nil
	}
	if p.ID == signatures.Greeting && s.conn != nil {
		return &wire{conn: s.conn, budget: &s.left.bytes}, nil
	}
	conn, err := s.id.connect(ctx, s.target)
	if err != nil {
		s.host.leave()
		return nil, err
	}
	s.host.signs()
	conn = s.host.limit.Wrap(s.target.Addr(), conn)
	w := &wire{conn: conn, budget: &s.left.bytes}
	if p.Layer == signatures.LayerProxy {
		return w, nil // which begins with another header
	}
	if s.layer.proxy != "" {
		w.send(s.fill(w, []byte(s.layer.proxy)))
	}
	if s.layer.tls && s.handshake(ctx, w, 3*time.Second) != nil {
		conn.Close()
		return nil, errHandshake
	}
	return w, nil
}

// failed records a probe whose connection failed.
func (s *session) failed(p *signatures.Probe, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.ID == signatures.Greeting {
		s.dialErr = err
		s.greetingDecided = true
	}
	if dialer.Exhausted(err) {
		s.localErr = err
	}
	if err != errHandshake {
		s.left.conns.Add(1) // no connection was made
	}
	if p.ID != signatures.Greeting && !s.retried[p.ID] {
		// The answers to the first questions matter much, and one failed connection
		// shows little.
		s.retried[p.ID], s.missed[p.ID] = true, true
		delete(s.asked, p.ID)
		return
	}
	s.noteLocked(&Exchange{Probe: p.ID, End: signatures.EndError, Incomplete: s.host.resendTime() > 0})
}

// ask performs one exchange on an open connection.
func (s *session) ask(ctx context.Context, w *wire, p *signatures.Probe) {
	ex := &Exchange{Probe: p.ID, TLS: w.tls, Greeting: w.before, Fin: p.Fin}
	w.before = nil
	ex.Sent = s.fill(w, p.Send)
	if p.Enters != nil && p.Enters.Layer == signatures.LayerTLS {
		s.enterTLS(ctx, w, ex, p)
		return
	}
	defer s.watch(w)()
	start := time.Now()
	if len(ex.Sent) > 0 && !w.send(ex.Sent) {
		w.gone = true
	}
	if p.Fin {
		w.endSending()
	}
	ex.Reply, ex.End, ex.First, ex.Took = s.readReply(ctx, w, until(p.Read.Until, ex.Sent), func() time.Duration { return s.patience(p) })
	if untilLines(p.Read.Until) {
		ex.Reply = skipBlank(ex.Reply)
	}
	if ctx.Err() != nil && len(ex.Reply) == 0 && ex.End == signatures.EndSilence {
		return // incomplete: shows nothing
	}
	s.markIncomplete(ctx, w, ex, p.Read.Until, start)
	s.late(p, ex)
	if p.StartTLS && positive(ex.Reply, ex.Sent) {
		ex.Handshake = signatures.HandshakeComplete
		if err := s.handshake(ctx, w, p.Read.Wait+2*s.rtt); err != nil {
			ex.Handshake, ex.End = signatures.HandshakeFailed, handshakeEnd(err)
			ex.Incomplete = s.handshakeIncomplete(w, ex, err)
		}
		if ctx.Err() != nil && ex.Handshake == signatures.HandshakeFailed {
			return
		}
	}
	if p.Enters != nil && s.believed(ctx, w, ex, p) {
		s.enter(w, layer{proxy: string(p.Send)}, ex)
		return
	}
	s.mu.Lock()
	s.open[p.ID] = !w.gone && ex.Handshake != signatures.HandshakeFailed
	s.mu.Unlock()
	s.note(ex)
}

// fill replaces what stands for other bytes in what a probe sends: our name, and, for a
// PROXY header, the true addresses of the connection (PROXY protocol, Section 2.1).
func (s *session) fill(w *wire, send []byte) []byte {
	send = bytes.ReplaceAll(send, []byte("{ehlo}"), []byte(s.id.ehlo()))
	if !bytes.Contains(send, []byte("{addresses}")) {
		return send
	}
	addresses := "UNKNOWN"
	ours, ok := w.conn.LocalAddr().(*net.TCPAddr)
	theirs, also := w.conn.RemoteAddr().(*net.TCPAddr)
	if ok && also {
		from, to := ours.AddrPort(), theirs.AddrPort()
		family := "TCP6"
		if from.Addr().Unmap().Is4() {
			family = "TCP4"
		}
		addresses = fmt.Sprintf("%s %s %s %d %d", family, from.Addr().Unmap().WithZone(""), to.Addr().Unmap().WithZone(""), from.Port(), to.Port())
	}
	return bytes.ReplaceAll(send, []byte("{addresses}"), []byte(addresses))
}

// patience returns how long to wait for the reply to the probe: longer if the host, or
// this port, was slow before. A shorter silence would show nothing
// ([session.timedOutEarly]).
func (s *session) patience(p *signatures.Probe) time.Duration {
	s.mu.Lock()
	slowest, host := s.slowest, min(earlyFactor*s.hostSlow(), maxPatience)
	s.mu.Unlock()
	port := min(earlyFactor*slowest+slowest/2, maxSlowPort)
	if s.calm && slowest == 0 {
		port = calmWait
	}
	return max(p.Read.Wait, host, port) + 2*s.rtt
}

// hostSlow returns how late the host answers, as far as that matters to the port: one
// that was heard while no other dialogue was under way shows itself how slow it is. The
// caller holds the lock.
func (s *session) hostSlow() time.Duration {
	if s.calm && s.slowest > 0 {
		return 0
	}
	return s.host.slow()
}

// believed reports whether the daemon accepted our PROXY header as one. A daemon that
// greets late also answers the header, as an unknown command.
func (s *session) believed(ctx context.Context, w *wire, ex *Exchange, p *signatures.Probe) bool {
	if !p.Enters.Reply.Match(ex.Reply) || w.gone {
		return false
	}
	s.mu.Lock()
	s.entering++
	s.mu.Unlock()
	rest, _, _, _ := w.read(ctx, until("bytes", nil), 2*settle+2*s.rtt)
	ex.Reply = append(ex.Reply, rest...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entering--
	s.wake()
	return len(rest) == 0 && !w.gone && !s.greetingBegun
}

// late moves a greeting that came while a question to a silent port was waiting for
// its answer to the greeting. What equals the greeting on a connection that had one is
// an answer.
func (s *session) late(p *signatures.Probe, ex *Exchange) {
	if p.Connection != signatures.OwnConnection {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.exchanges[signatures.Greeting]
	if g == nil || len(g.Reply) == 0 || len(ex.Greeting) > 0 || s.open[ex.Probe] {
		return
	}
	if rest, ok := bytes.CutPrefix(ex.Reply, g.Reply); ok {
		ex.Greeting, ex.Reply = g.Reply, rest
	}
}

// next returns the probe that continues on the connection, or nil.
func (s *session) next(ctx context.Context, last *signatures.Probe, w *wire, root *signatures.Probe) *signatures.Probe {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil || w.gone || s.stopped() || s.unanswered(last) {
		return nil
	}
	s.decide()
	for _, p := range s.id.Signatures.Probes {
		if !s.wanted[p.ID] || s.asked[p.ID] || !s.follows(p, last, root) || signatures.All(p.After, s) != signatures.True {
			continue
		}
		s.asked[p.ID] = true
		return p
	}
	return nil
}

// unanswered reports whether the reply to a question has not come, or not completely:
// the next bytes on the connection belong to it, and would be taken for the answer to
// the next question.
func (s *session) unanswered(p *signatures.Probe) bool {
	ex := s.exchanges[p.ID]
	if ex == nil || p.ID == signatures.Greeting || ex.End != signatures.EndSilence || !untilLines(p.Read.Until) {
		return false
	}
	v := until(p.Read.Until, ex.Sent)(ex.Reply)
	return v != done && v != maybe
}

// follows reports whether a probe continues where another has just ended.
func (s *session) follows(p, last, root *signatures.Probe) bool {
	switch p.Connection {
	case signatures.OwnConnection:
		return false
	case signatures.FirstConnection:
		// After STARTTLS the connection is another one.
		return root.ID == signatures.Greeting && !last.StartTLS
	}
	return p.Connection == last.ID
}

func (s *session) stopped() bool { return s.inner != nil || s.quietOver }

// positive reports whether a reply grants what was asked for with sent: with a
// code (RFC 5321, Section 4.2.1), +OK (RFC 1939, Section 3), OK (RFC 5804,
// Section 1.2) or a tagged OK (RFC 3501, Section 7.1).
func positive(reply, sent []byte) bool {
	line, _ := lastLine(reply)
	if is, _ := code(line); is {
		return line[0] == '2'
	}
	tag, _, _ := bytes.Cut(sent, []byte(" "))
	for _, begin := range [][]byte{[]byte("+OK"), []byte("OK"), slices.Concat(tag, []byte(" OK"))} {
		if len(line) >= len(begin) && bytes.EqualFold(line[:len(begin)], begin) {
			return true
		}
	}
	return false
}

// likeGreeting reports whether a reply is typical of a daemon that also greets.
func likeGreeting(reply []byte) bool {
	if is, _ := code(reply); is {
		return true
	}
	for _, begin := range []string{"* ", "+OK", "-ERR", `"`} {
		if bytes.HasPrefix(reply, []byte(begin)) {
			return true
		}
	}
	return false
}
