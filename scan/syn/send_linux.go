package syn

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is how many SYNs leave with one system call: at 64 the call
// itself has become a hundredth of the cost.
const batchSize = 64

// A message is struct mmsghdr of sendmmsg(2).
type message struct {
	hdr unix.Msghdr
	_   uint32
	_   [4]byte
}

// A sender sends frames on one interface, in batches, past its queueing
// discipline. It belongs to one goroutine.
type sender interface {
	link() link

	// next is room for one more frame of the batch, of the template's length
	// and kind. A batch has batchSize at most.
	next(t *template) *frame
	// waiting is how many frames the batch has.
	waiting() int

	// flush sends of the batch what can be sent, and reports whether it is
	// all gone; flush is called again until it is. Of the errors ENOBUFS
	// means that a frame met a full queue, and EAGAIN that the kernel has no
	// room; both pass, and nothing is lost by them.
	flush() (bool, error)

	// each hands the frames of the batch to f, from their network header on.
	each(f func([]byte) error) error
	// clear empties the batch.
	clear()
	close()
}

// A packetSender sends through an AF_PACKET socket.
type packetSender struct {
	fd     int
	on     link
	frames [batchSize]frame
	iovs   [batchSize]unix.Iovec
	msgs   [batchSize]message
	n      int // frames waiting
	sent   int // of those, how many are gone

	// What the kernel must be told of the frames where the link has no
	// header that says it: IPv4 and IPv6.
	names [2]unix.RawSockaddrLinklayer
}

// openSender opens a sender on an interface: the best there is.
func openSender(out link, thread int) (sender, error) {
	if s, err := openXDP(out, thread); err == nil {
		return s, nil
	}
	return openPacket(out)
}

// openPacket opens a sender that works everywhere.
func openPacket(out link) (*packetSender, error) {
	// Protocol 0: it receives nothing.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	s := &packetSender{fd: fd, on: out}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: out.index}); err != nil {
		s.close()
		return nil, fmt.Errorf("binding a packet socket to interface %q: %w", out.name, err)
	}
	// Shaping is ours: the queueing discipline costs a sixth of the rate and
	// drops without a word. A kernel or driver without it sends all the same.
	_ = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4<<20)
	for k, proto := range []uint16{unix.ETH_P_IP, unix.ETH_P_IPV6} {
		s.names[k] = unix.RawSockaddrLinklayer{Family: unix.AF_PACKET, Protocol: htons(proto), Ifindex: int32(out.index)}
	}
	for i := range s.msgs {
		s.iovs[i].Base = &s.frames[i][0]
		s.msgs[i].hdr.Iov = &s.iovs[i]
		s.msgs[i].hdr.SetIovlen(1)
	}
	return s, nil
}

func (s *packetSender) close() { _ = unix.Close(s.fd) }

func (s *packetSender) link() link { return s.on }

func (s *packetSender) next(t *template) *frame {
	i := s.n
	s.n++
	s.iovs[i].SetLen(t.length)
	if t.ip == 0 {
		s.msgs[i].hdr.Name = (*byte)(unsafe.Pointer(&s.names[0]))
		if t.v6 {
			s.msgs[i].hdr.Name = (*byte)(unsafe.Pointer(&s.names[1]))
		}
		s.msgs[i].hdr.Namelen = unix.SizeofSockaddrLinklayer
	}
	return &s.frames[i]
}

func (s *packetSender) waiting() int { return s.n }

func (s *packetSender) clear() { s.n, s.sent = 0, 0 }

func (s *packetSender) each(f func([]byte) error) error {
	for i := range s.n {
		frame := s.frames[i][:s.iovs[i].Len]
		if s.msgs[i].hdr.Name == nil {
			frame = frame[ethernetLen:]
		}
		if err := f(frame); err != nil {
			return err
		}
	}
	return nil
}

func (s *packetSender) flush() (bool, error) {
	// Not Syscall: the call does not block, and telling the scheduler that
	// it might costs more than a frame does.
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(s.fd),
		uintptr(unsafe.Pointer(&s.msgs[s.sent])), uintptr(s.n-s.sent), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		// The frame at which it stopped was dropped, and will be first in
		// the next call.
		return false, errno
	}
	s.sent += int(n)
	return s.sent == s.n, nil
}
