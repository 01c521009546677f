package scan

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// An epollWire connects with raw non-blocking sockets, all watched by one
// epoll instance, on the thread that calls it.
//
// Sockets are used again: once a connect has failed, or was taken back by
// connecting to AF_UNSPEC (connect(2)), the same socket connects elsewhere.
// That saves making, registering and closing one for every closed port.
type epollWire struct {
	epoll int
	limit int // sockets there may be

	mu    sync.Mutex // wake may be called when close has been
	event int        // eventfd that wakes; -1 is closed

	socks  []sock  // every socket there is or was
	gone   []int32 // indexes of socks that are no longer one
	idle   [2][]int32
	bySlot []int32
	ready  [256]unix.EpollEvent
	icmp   icmpReader

	// Where an answer comes before connect even returns, as it does on the
	// same machine, asking at once for the outcome saves the way through
	// epoll. hits and misses say whether that pays.
	hits, misses int
}

// A sock is one socket.
type sock struct {
	fd      int
	slot    int32 // the slot that uses it, or -1
	watched bool  // registered with epoll
	to      netip.AddrPort
}

// newWire returns the wire of this platform, for at most n connections.
func newWire(n int) (wire, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("creating an epoll instance: %w", err)
	}
	event, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, event, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1})
	}
	if err != nil {
		unix.Close(epoll)
		return nil, fmt.Errorf("creating an event descriptor: %w", err)
	}
	return &epollWire{epoll: epoll, event: event, limit: n}, nil
}

func (w *epollWire) begin(slot int32, to netip.AddrPort) (ending, bool) {
	for int(slot) >= len(w.bySlot) {
		w.bySlot = append(w.bySlot, -1)
	}
	i, err := w.socket(to.Addr().Is6())
	if err != nil {
		return failed(slot, to, err), true
	}
	s := &w.socks[i]
	s.slot, s.to = slot, to
	w.bySlot[slot] = i
	switch err := connect(s.fd, to); err {
	case 0:
		return w.end(i, 0), true
	case unix.EINPROGRESS, unix.EINTR:
	case unix.ECONNREFUSED:
		return w.end(i, err), true
	default: // no packet has left
		w.release(i, false)
		return failed(slot, to, err), true
	}
	if err, ended := w.ask(s); ended {
		return w.end(i, err), true
	}
	if s.watched {
		return ending{}, false
	}
	err = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLET, Fd: i})
	if err != nil {
		w.release(i, false)
		return failed(slot, to, err), true
	}
	s.watched = true
	return ending{}, false
}

// ask asks a socket that has just begun to connect how that ended, if it
// often has by now, and every 64th time to find out. It reports false if it is
// under way.
func (w *epollWire) ask(s *sock) (unix.Errno, bool) {
	if w.hits*8 >= w.misses || w.misses%64 == 0 {
		if err := connect(s.fd, s.to); err != unix.EALREADY && err != unix.EINPROGRESS {
			w.hits++
			return err, true
		}
	}
	if w.misses++; w.misses > 1024 { // let the past fade
		w.hits, w.misses = w.hits/2, w.misses/2
	}
	return 0, false
}

// failed is the ending of a connection that could not be begun: whatever the
// cause, the question was not asked.
func failed(slot int32, to netip.AddrPort, err error) ending {
	err = noSource(err, to)
	as, _ := errnoOutcome(err)
	if as != starved {
		as = impossible
	}
	return ending{slot: slot, as: as, err: err}
}

// end frees or keeps the socket i, whose connect gave err, and says what that
// means.
func (w *epollWire) end(i int32, err unix.Errno) ending {
	s := &w.socks[i]
	e := ending{slot: s.slot}
	if err == 0 || err == unix.EISCONN {
		if local(s.fd) == s.to {
			// RFC 9293, Section 3.5 (simultaneous open): the kernel chose the
			// very port that was asked as the source port.
			e.as = looped
			w.release(i, false)
		} else if zeroWindow(s.fd) {
			e.as = windowless
			w.release(i, false)
		}
		return e
	}
	e.as, _ = errnoOutcome(err)
	e.err = err
	if as, from, found := w.icmp.take(s.fd, s.to); found {
		e.as, e.from = as, from
	}
	w.release(i, e.as != connected)
	return e
}

func (w *epollWire) wait(list []ending, d time.Duration) []ending {
	ms := -1
	if d >= 0 {
		ms = int((d + time.Millisecond - 1) / time.Millisecond)
	}
	for {
		n, err := unix.EpollWait(w.epoll, w.ready[:], ms)
		if err != nil && err != unix.EINTR {
			n = 0 // cannot happen with our own descriptor and buffer
		}
		for _, ev := range w.ready[:max(n, 0)] {
			if ev.Fd < 0 {
				var b [8]byte
				unix.Read(w.event, b[:])
				continue
			}
			s := &w.socks[ev.Fd]
			if s.slot < 0 {
				continue // a socket between two uses
			}
			// Whatever the event says, the socket knows best: the event may
			// be about an earlier use of it.
			if e, ended := w.look(ev.Fd); ended {
				list = append(list, e)
			}
		}
		if n < len(w.ready) {
			return list
		}
		ms = 0 // there may be more
	}
}

// look says how the connect of socket i has ended, if it has.
func (w *epollWire) look(i int32) (ending, bool) {
	s := &w.socks[i]
	err := connect(s.fd, s.to)
	if err != unix.EALREADY && err != unix.EINPROGRESS {
		return w.end(i, err), true
	}
	// An ICMP message that arrives while the socket is busy is only kept.
	as, from, found := w.icmp.take(s.fd, s.to)
	if !found {
		return ending{}, false
	}
	e := ending{slot: s.slot, as: as, from: from}
	w.release(i, disconnect(s.fd) == 0)
	return e, true
}

func (w *epollWire) drop(slot int32) {
	if i := w.bySlot[slot]; i >= 0 {
		w.release(i, disconnect(w.socks[i].fd) == 0)
	}
}

func (w *epollWire) hand(slot int32) net.Conn {
	i := w.bySlot[slot]
	if i < 0 {
		return nil
	}
	s := &w.socks[i]
	if s.watched {
		unix.EpollCtl(w.epoll, unix.EPOLL_CTL_DEL, s.fd, nil)
	}
	fd := s.fd
	watchICMP(fd, s.to.Addr().Is6(), false) // only a connect is to fail by it
	w.forget(i)
	f := os.NewFile(uintptr(fd), "tcp")
	conn, err := net.FileConn(f) // has a descriptor of its own
	if err != nil {
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		conn = nil
	}
	f.Close()
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetNoDelay(true) // as any connection that Go makes
	}
	return conn
}

func (w *epollWire) reset(slot int32) {
	if i := w.bySlot[slot]; i >= 0 {
		w.release(i, false)
	}
}

func (w *epollWire) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := [8]byte{1}; w.event >= 0 {
		unix.Write(w.event, one[:]) // fails only if a wake is already waiting
	}
}

func (w *epollWire) close() {
	for i, s := range w.socks {
		switch {
		case s.slot >= 0:
			w.release(int32(i), false)
		case s.fd >= 0:
			unix.Close(s.fd)
		}
	}
	unix.Close(w.epoll)
	w.mu.Lock()
	unix.Close(w.event)
	w.event = -1
	w.mu.Unlock()
}

// socket returns the index of a socket that is ready to connect.
func (w *epollWire) socket(v6 bool) (int32, error) {
	mine, other, family := &w.idle[0], &w.idle[1], unix.AF_INET
	if v6 {
		mine, other, family = other, mine, unix.AF_INET6
	}
	if n := len(*mine); n > 0 {
		i := (*mine)[n-1]
		*mine = (*mine)[:n-1]
		return i, nil
	}
	if n := len(*other); n > 0 && len(w.socks)-len(w.gone) >= w.limit {
		i := (*other)[n-1]
		*other = (*other)[:n-1]
		w.release(i, false)
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return 0, err
	}
	if err := watchICMP(fd, v6, true); err != nil {
		unix.Close(fd)
		return 0, err
	}
	s := sock{fd: fd, slot: -1}
	if n := len(w.gone); n > 0 {
		i := w.gone[n-1]
		w.gone = w.gone[:n-1]
		w.socks[i] = s
		return i, nil
	}
	w.socks = append(w.socks, s)
	return int32(len(w.socks) - 1), nil
}

// release takes socket i from its slot, to be used again or, if it cannot be,
// closed without a trace.
func (w *epollWire) release(i int32, again bool) {
	s := &w.socks[i]
	if again && s.to.Addr().Zone() == "" { // which would stay bound to its link
		w.bySlot[s.slot] = -1
		s.slot = -1
		family := 0
		if s.to.Addr().Is6() {
			family = 1
		}
		w.idle[family] = append(w.idle[family], i)
		return
	}
	unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(s.fd)
	w.forget(i)
}

// forget marks socket i as no longer ours.
func (w *epollWire) forget(i int32) {
	s := &w.socks[i]
	if s.slot >= 0 {
		w.bySlot[s.slot] = -1
	}
	*s = sock{fd: -1, slot: -1}
	w.gone = append(w.gone, i)
}
