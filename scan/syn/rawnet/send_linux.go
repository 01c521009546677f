package rawnet

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BatchSize is the maximum number of SYNs per system call: with 64 the call itself is
// a hundredth of the cost.
const BatchSize = 64

// A message is struct mmsghdr of sendmmsg(2).
type message struct {
	hdr unix.Msghdr
	_   uint32
	_   [4]byte
}

// A Sender sends frames on one interface, in batches, without its queueing discipline.
// It belongs to one goroutine.
type Sender interface {
	// Link returns the interface.
	Link() Link

	// Next returns room for one more frame of the batch, of the template's length and
	// kind. A batch has BatchSize at most.
	Next(t *Template) *Frame
	// Waiting returns how many frames the batch has.
	Waiting() int

	// Flush sends as much of the batch as possible, and reports whether all is sent;
	// Flush is called again until it is. ENOBUFS means that a frame met a full queue,
	// and EAGAIN that the kernel has no room; both are temporary, and no frame is lost.
	Flush() (bool, error)

	// Each passes the frames of the batch to f, beginning with their network header.
	Each(f func([]byte) error) error
	// Clear empties the batch.
	Clear()
	// Close closes the socket.
	Close()
}

// A packetSender sends through an AF_PACKET socket.
type packetSender struct {
	fd     int
	on     Link
	frames [BatchSize]Frame
	iovs   [BatchSize]unix.Iovec
	msgs   [BatchSize]message
	n      int // frames waiting
	sent   int // of those, how many are sent

	// The protocol of the frames for the kernel, if the link has no header with it:
	// IPv4 and IPv6.
	names [2]unix.RawSockaddrLinklayer
}

// OpenSender opens the fastest sender on an interface: AF_XDP on the transmit queue of
// that number, or else AF_PACKET. It must be closed.
func OpenSender(out Link, queue int) (Sender, error) {
	if s, err := openXDP(out, queue); err == nil {
		return s, nil
	}
	return OpenPacketSender(out)
}

// OpenPacketSender opens a sender that works on every interface, which must be closed.
func OpenPacketSender(out Link) (Sender, error) {
	// Protocol 0: it receives nothing.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	s := &packetSender{fd: fd, on: out}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: out.Index}); err != nil {
		s.Close()
		return nil, fmt.Errorf("binding a packet socket to interface %q: %w", out.Name, err)
	}
	// We limit the rate ourselves: the queueing discipline costs a sixth of the rate
	// and drops silently. A kernel or driver without the option sends anyway.
	_ = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4<<20)
	for k, proto := range []uint16{unix.ETH_P_IP, unix.ETH_P_IPV6} {
		s.names[k] = unix.RawSockaddrLinklayer{Family: unix.AF_PACKET, Protocol: htons(proto), Ifindex: int32(out.Index)}
	}
	for i := range s.msgs {
		s.iovs[i].Base = &s.frames[i][0]
		s.msgs[i].hdr.Iov = &s.iovs[i]
		s.msgs[i].hdr.SetIovlen(1)
	}
	return s, nil
}

func (s *packetSender) Close() { _ = unix.Close(s.fd) }

func (s *packetSender) Link() Link { return s.on }

func (s *packetSender) Next(t *Template) *Frame {
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

func (s *packetSender) Waiting() int { return s.n }

func (s *packetSender) Clear() { s.n, s.sent = 0, 0 }

func (s *packetSender) Each(f func([]byte) error) error {
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

func (s *packetSender) Flush() (bool, error) {
	// Not Syscall: the call does not block, and informing the scheduler costs more than
	// a frame does.
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(s.fd),
		uintptr(unsafe.Pointer(&s.msgs[s.sent])), uintptr(s.n-s.sent), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		// The frame at which it stopped was dropped, and will be first in the next call.
		return false, errno
	}
	s.sent += int(n)
	return s.sent == s.n, nil
}
