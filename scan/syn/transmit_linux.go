package syn

import (
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// A transmitter sends its share of the probes of one pass.
type transmitter struct {
	run     *run
	senders []rawnet.Sender // by index of the interface
	pass    int
	number  int
	first   bool // it also sends the validation probes

	numbers  [chunk]uint64
	from, to uint64 // current range of counts of the walk
	nextAsk  int64
}

// errStopped reports that the pass was stopped.
var errStopped = errors.New("stopped")

// run1 sends until the pass is over.
func (t *transmitter) run1() {
	r := t.run
	for {
		from := r.pass.cursor.Add(chunk) - chunk
		r.reach(t.number, from)
		if from >= r.walk.length() {
			return
		}
		to := min(from+chunk, r.walk.length())
		t.from, t.to = from, to
		list := t.numbers[:r.walk.fill(t.numbers[:], from, to)]
		if t.pass > 0 || r.s.config.Earlier != nil {
			list = r.answered.silent(list)
		}
		left, err := t.ask(list)
		if err != nil {
			if t.pass == 0 {
				r.pass.mu.Lock()
				r.pass.unsent = append(r.pass.unsent, left...)
				r.pass.mu.Unlock()
			}
			if err != errStopped {
				r.fail(err)
			}
			return
		}
		r.s.counts.asked.Add(to - from)
	}
}

// ask sends a SYN to each pair of list. If it is stopped, it returns the pairs
// that are left.
func (t *transmitter) ask(list []uint64) ([]uint64, error) {
	r, all := t.run, uint64(len(list))
	for len(list) > 0 {
		if err := t.hold(); err != nil {
			return list, err
		}
		n := min(len(list), r.pass.pacer.batch(rawnet.BatchSize-2)) // room for a validation probe and a control
		batch := r.inTime(list[:n])
		if err := t.sleep(r.pass.pacer.take(now(), len(batch)+t.others())); err != nil {
			return list, err
		}
		at := now()
		sport := r.s.clock.port(at)
		for _, i := range batch {
			t.put(i, sport)
		}
		if t.first {
			left := uint64(len(list) - n)
			t.control(t.to-left*(t.to-t.from)/all, at, sport)
			if at >= t.nextAsk {
				t.validate(at, sport)
			}
		}
		switch err := t.flush(); {
		case err == nil:
		case errors.As(err, new(*scan.ExpiredError)):
			return list, err
		default:
			return list[n:], err
		}
		list = list[n:]
	}
	return nil, nil
}

// others returns how many connections the rest of the program has opened since
// the first transmitter last asked.
func (t *transmitter) others() int {
	if !t.first || t.run.s.config.Others == nil {
		return 0
	}
	return t.run.s.config.Others()
}

// put adds the SYN to pair i to the batch of its interface. All SYNs are sent
// through put, and it drops those out of scope.
func (t *transmitter) put(i uint64, sport uint16) {
	s := t.run.s
	p := s.view.find(i)
	h := p.hop
	if h.template == nil {
		return
	}
	host, port := p.split(i)
	if !p.allowed && !s.config.Scope.Allows(p.addr(host)) {
		return
	}
	var mac [6]byte
	if h.onLink {
		var ok bool
		if mac, ok = h.macs[p.addr(host)]; !ok {
			return
		}
	}
	if s.config.Clock != nil && t.run.refuses(p.addr(host)) {
		return
	}
	f := t.senders[h.out].Next(h.template)
	if p.v6 {
		dst := p.addr6(host)
		h.template.Write6(f, &dst, sport, port, s.cookie.sequence6(&h.source6, &dst, sport, port))
	} else {
		dst := p.first4 + uint32(host)
		h.template.Write4(f, dst, sport, port, s.cookie.sequence4(h.source4, dst, sport, port))
	}
	if h.onLink {
		f.SetDestination(mac)
	}
}

// validate sends a validation probe, if one is due: at most a thousand per second
// and one in fifty probes, but always up to a hundred per second and one in ten.
func (t *transmitter) validate(at int64, sport uint16) {
	r := t.run
	gap := int64(time.Millisecond)
	if rate := r.pass.pacer.rate(); !math.IsInf(rate, 1) {
		gap = max(gap, int64(min(50e9/rate, max(10e9/rate, 10e6))))
	}
	t.nextAsk = at + gap
	r.loss.mu.Lock()
	i, ok := r.loss.validations.ask(at, t.pass)
	if ok && r.s.config.Clock.Over(r.s.view.at(i).Addr()) {
		r.loss.validations.undoAsk(i)
		ok = false
	}
	r.loss.mu.Unlock()
	if ok {
		r.pass.pacer.take(at, 1)
		t.put(i, sport)
	}
}

// hold waits while the receiver or the consumer of the results is behind, and
// returns errStopped if the pass is stopped. Without it two transmitters on two
// processors starve the receiver: if it does not run for longer than the ring can
// buffer, all answers of that time are lost, which was one in eight of a sweep.
func (t *transmitter) hold() error {
	r := t.run
	for stalled := false; ; {
		if r.pass.sending.Load() && r.pass.restart.Load() || r.ctx.Err() != nil {
			return errStopped
		}
		if !r.s.ring.Full() && len(r.hits) < cap(r.hits)*3/4 {
			return nil
		}
		if !stalled {
			stalled = true
			r.s.counts.stalls.Add(1)
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// sleep waits for d, or returns errStopped if the run is stopped before.
func (t *transmitter) sleep(d time.Duration) error {
	// The pacer makes up for a shorter wait, at less cost than a sleep.
	if d < 500*time.Microsecond {
		return nil
	}
	if d < 50*time.Millisecond {
		time.Sleep(d)
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return nil
		case <-t.run.ctx.Done():
			return errStopped
		}
	}
}

// maxFull is the longest total wait for a full queue.
const maxFull = 5 * time.Second

// flush sends the batches of all interfaces. Frames that meet a full queue are
// sent again: the kernel has dropped them and reports it only here.
func (t *transmitter) flush() error {
	for _, s := range t.senders {
		if s.Waiting() == 0 {
			continue
		}
		wait, waited := 20*time.Microsecond, time.Duration(0)
		for {
			if err := t.run.s.expiry.check(time.Now()); err != nil {
				return err
			}
			done, err := s.Flush()
			if done {
				break
			}
			switch err {
			case nil, unix.EINTR:
				continue
			case unix.ENOBUFS:
				t.run.s.counts.sendDrops.Add(1)
			case unix.EAGAIN:
			default:
				if down := t.run.s.check(); down != nil {
					return down // a more specific error
				}
				return fmt.Errorf("sending on interface %q: %w", s.Link().Name, err)
			}
			if t.run.ctx.Err() != nil {
				return errStopped
			}
			if waited > maxFull {
				return t.stuck(s.Link(), err)
			}
			time.Sleep(wait)
			waited += wait // not the elapsed time: the program may have been suspended
			wait = min(2*wait, 2*time.Millisecond)
		}
		if err := t.sent(s); err != nil {
			return err
		}
	}
	t.run.pass.lastTx.Store(now())
	return nil
}

// sent counts a batch that was sent, and writes it to the capture, if there is
// one.
func (t *transmitter) sent(s rawnet.Sender) error {
	defer s.Clear()
	t.run.s.counts.sent.Add(uint64(s.Waiting()))
	t.run.pass.sent.Add(uint64(s.Waiting()))
	if t.run.s.capture == nil {
		return nil
	}
	at := now()
	return s.Each(func(b []byte) error { return t.run.s.capture.Write(at, b) })
}

// stuck returns the error for a queue that stays full.
func (t *transmitter) stuck(out rawnet.Link, err error) error {
	if down := t.run.s.check(); down != nil {
		return down
	}
	return fmt.Errorf("sending on interface %q: its queue has been full for %v: %w", out.Name, maxFull, err)
}
