package dialer

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// An epollDialer connects with raw non-blocking sockets, all watched by one
// epoll instance, on the thread that calls it.
//
// Sockets are reused: after a connect has failed, or was undone by connecting to
// AF_UNSPEC (connect(2)), the same socket connects elsewhere. That saves creating,
// registering and closing one for every closed port.
type epollDialer struct {
	epoll int
	limit int // maximum number of sockets

	growing sync.WaitGroup // the kernel's table of open files

	mu    sync.Mutex // wake may be called after close
	event int        // eventfd that wakes Wait; -1 if closed

	socks  []sock  // every socket, past or present
	gone   []int32 // indexes of socks that are closed
	idle   [2][]int32
	bySlot []int32
	ready  [256]unix.EpollEvent
	icmp   icmpReader

	// On the same machine the answer often comes before connect returns: asking for the
	// outcome at once saves a call of epoll. hits and misses show whether it pays off.
	hits, misses int
}

// A sock is one socket.
type sock struct {
	fd      int
	slot    int32 // the slot that uses it, or -1
	watched bool  // registered with epoll
	to      netip.AddrPort
}

// New returns the Dialer of this platform, for at most n connections.
func New(n int) (Dialer, error) {
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
	d := &epollDialer{epoll: epoll, event: event, limit: n}
	d.growing.Go(func() { growFileTable(epoll, n) })
	return d, nil
}

// growFileTable makes the kernel's table of the files that this process has open large
// enough for n more; file is any open one. The kernel doubles the table whenever it is
// full, and whoever opens a file then waits until every core has seen the new table:
// about 20 ms each time. Without the right to open as many, it does nothing.
func growFileTable(file, n int) {
	const others = 64 // files of the rest of the program
	if last, err := unix.FcntlInt(uintptr(file), unix.F_DUPFD_CLOEXEC, n+others); err == nil {
		unix.Close(last)
	}
}

func (d *epollDialer) Begin(slot int32, to netip.AddrPort) (Ending, bool) {
	for int(slot) >= len(d.bySlot) {
		d.bySlot = append(d.bySlot, -1)
	}
	i, err := d.socket(to.Addr().Is6())
	if err != nil {
		return failed(slot, to, err), true
	}
	s := &d.socks[i]
	s.slot, s.to = slot, to
	d.bySlot[slot] = i
	switch err := connect(s.fd, to); err {
	case 0:
		return d.end(i, 0), true
	case unix.EINPROGRESS, unix.EINTR:
	case unix.ECONNREFUSED:
		return d.end(i, err), true
	default: // no packet was sent
		d.release(i, false)
		return failed(slot, to, err), true
	}
	if err, ended := d.ask(s); ended {
		return d.end(i, err), true
	}
	if s.watched {
		return Ending{}, false
	}
	err = unix.EpollCtl(d.epoll, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLET, Fd: i})
	if err != nil {
		d.release(i, false)
		return failed(slot, to, err), true
	}
	s.watched = true
	return Ending{}, false
}

// ask checks whether a connect has ended right after it began, if that often succeeds,
// and else every 64th time. It reports false if the connect is under way.
func (d *epollDialer) ask(s *sock) (unix.Errno, bool) {
	if d.hits*8 >= d.misses || d.misses%64 == 0 {
		if err := connect(s.fd, s.to); err != unix.EALREADY && err != unix.EINPROGRESS {
			d.hits++
			return err, true
		}
	}
	if d.misses++; d.misses > 1024 { // give recent results more weight
		d.hits, d.misses = d.hits/2, d.misses/2
	}
	return 0, false
}

// failed is the ending of a connection that could not begin: whatever the cause, no
// probe was sent.
func failed(slot int32, to netip.AddrPort, err error) Ending {
	err = noSource(err, to)
	as, _ := errnoOutcome(err)
	if as != ResourceExhausted {
		as = LocalFailure
	}
	return Ending{Slot: slot, As: as, Err: err}
}

// end frees or keeps the socket i, whose connect returned err, and returns what that
// means.
func (d *epollDialer) end(i int32, err unix.Errno) Ending {
	s := &d.socks[i]
	e := Ending{Slot: s.slot}
	if err == 0 || err == unix.EISCONN {
		if local(s.fd) == s.to {
			// RFC 9293, Section 3.5 (simultaneous open): the kernel chose the probed port
			// as the source port.
			e.As = SelfConnect
			d.release(i, false)
			return e
		}
		var zeroWindow bool
		if e.RTT, zeroWindow = handshake(s.fd); zeroWindow {
			e.As = ZeroWindow
			d.release(i, false)
		}
		return e
	}
	e.As, _ = errnoOutcome(err)
	e.Err = err
	if as, from, found := d.icmp.take(s.fd, s.to); found {
		e.As, e.From = as, from
	}
	d.release(i, e.As != Connected)
	return e
}

func (d *epollDialer) Wait(list []Ending, wait time.Duration) []Ending {
	ms := -1
	if wait >= 0 {
		ms = int((wait + time.Millisecond - 1) / time.Millisecond)
	}
	for {
		n, err := unix.EpollWait(d.epoll, d.ready[:], ms)
		if err != nil && err != unix.EINTR {
			n = 0 // cannot happen with our own descriptor and buffer
		}
		for _, ev := range d.ready[:max(n, 0)] {
			if ev.Fd < 0 {
				var b [8]byte
				unix.Read(d.event, b[:])
				continue
			}
			s := &d.socks[ev.Fd]
			if s.slot < 0 {
				continue // a socket that is not in use
			}
			// The state of the socket decides: the event may be about an earlier use of
			// it.
			if e, ended := d.look(ev.Fd); ended {
				list = append(list, e)
			}
		}
		if n < len(d.ready) {
			return list
		}
		ms = 0 // there may be more
	}
}

// look returns how the connect of socket i has ended, if it has.
func (d *epollDialer) look(i int32) (Ending, bool) {
	s := &d.socks[i]
	err := connect(s.fd, s.to)
	if err != unix.EALREADY && err != unix.EINPROGRESS {
		return d.end(i, err), true
	}
	// The kernel only stores an ICMP message that arrives while the socket is busy.
	as, from, found := d.icmp.take(s.fd, s.to)
	if !found {
		return Ending{}, false
	}
	e := Ending{Slot: s.slot, As: as, From: from}
	d.release(i, disconnect(s.fd) == 0)
	return e, true
}

func (d *epollDialer) Drop(slot int32) {
	if i := d.bySlot[slot]; i >= 0 {
		d.release(i, disconnect(d.socks[i].fd) == 0)
	}
}

func (d *epollDialer) Take(slot int32) net.Conn {
	i := d.bySlot[slot]
	if i < 0 {
		return nil
	}
	s := &d.socks[i]
	if s.watched {
		unix.EpollCtl(d.epoll, unix.EPOLL_CTL_DEL, s.fd, nil)
	}
	fd := s.fd
	watchICMP(fd, s.to.Addr().Is6(), false) // only a connect may fail because of it
	d.forget(i)
	f := os.NewFile(uintptr(fd), "tcp")
	conn, err := net.FileConn(f) // has its own descriptor
	if err != nil {
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		conn = nil
	}
	f.Close()
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetNoDelay(true) // as for any connection of Go
	}
	return conn
}

func (d *epollDialer) Reset(slot int32) {
	if i := d.bySlot[slot]; i >= 0 {
		d.release(i, false)
	}
}

func (d *epollDialer) Trim(keep int) {
	const atOnce = 256
	for range atOnce {
		list := &d.idle[0]
		if len(*list) == 0 {
			list = &d.idle[1]
		}
		n := len(*list)
		if n == 0 || len(d.idle[0])+len(d.idle[1]) <= keep {
			return
		}
		i := (*list)[n-1]
		*list = (*list)[:n-1]
		unix.Close(d.socks[i].fd) // not connected: it leaves no trace
		d.forget(i)
	}
}

func (d *epollDialer) Wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if one := [8]byte{1}; d.event >= 0 {
		unix.Write(d.event, one[:]) // fails only if another wake is pending
	}
}

func (d *epollDialer) Close() {
	for i, s := range d.socks {
		switch {
		case s.slot >= 0:
			d.release(int32(i), false)
		case s.fd >= 0:
			unix.Close(s.fd)
		}
	}
	d.growing.Wait() // it duplicates d.epoll
	unix.Close(d.epoll)
	d.mu.Lock()
	unix.Close(d.event)
	d.event = -1
	d.mu.Unlock()
}

// socket returns the index of a socket that is ready to connect.
func (d *epollDialer) socket(v6 bool) (int32, error) {
	mine, other, family := &d.idle[0], &d.idle[1], unix.AF_INET
	if v6 {
		mine, other, family = other, mine, unix.AF_INET6
	}
	if n := len(*mine); n > 0 {
		i := (*mine)[n-1]
		*mine = (*mine)[:n-1]
		return i, nil
	}
	if n := len(*other); n > 0 && len(d.socks)-len(d.gone) >= d.limit {
		i := (*other)[n-1]
		*other = (*other)[:n-1]
		d.release(i, false)
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
	if n := len(d.gone); n > 0 {
		i := d.gone[n-1]
		d.gone = d.gone[:n-1]
		d.socks[i] = s
		return i, nil
	}
	d.socks = append(d.socks, s)
	return int32(len(d.socks) - 1), nil
}

// release takes socket i from its slot: it is kept for reuse or, if that fails, closed
// without a trace.
func (d *epollDialer) release(i int32, again bool) {
	s := &d.socks[i]
	if again && s.to.Addr().Zone() == "" { // else it would stay bound to its link
		d.bySlot[s.slot] = -1
		s.slot = -1
		family := 0
		if s.to.Addr().Is6() {
			family = 1
		}
		d.idle[family] = append(d.idle[family], i)
		return
	}
	unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.Close(s.fd)
	d.forget(i)
}

// forget marks socket i as closed.
func (d *epollDialer) forget(i int32) {
	s := &d.socks[i]
	if s.slot >= 0 {
		d.bySlot[s.slot] = -1
	}
	*s = sock{fd: -1, slot: -1}
	d.gone = append(d.gone, i)
}
