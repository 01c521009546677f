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

// A sender sends frames on one interface, past its queueing discipline. It
// belongs to one goroutine.
type sender struct {
	fd     int
	link   link
	frames [batchSize][maxFrame]byte
	iovs   [batchSize]unix.Iovec
	msgs   [batchSize]message
	n      int // frames waiting

	// What the kernel must be told of the frames where the link has no
	// header that says it: IPv4 and IPv6.
	names [2]unix.RawSockaddrLinklayer
}

// openSender opens a sender on an interface.
func openSender(out link) (*sender, error) {
	// Protocol 0: it receives nothing.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	s := &sender{fd: fd, link: out}
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

func (s *sender) close() { _ = unix.Close(s.fd) }

// put4 adds a SYN to the batch and returns its frame.
func (s *sender) put4(t *template, dst uint32, sport, dport uint16, seq uint32) *[maxFrame]byte {
	f := &s.frames[s.n]
	t.write4(f, dst, sport, dport, seq)
	s.add(t, 0)
	return f
}

// put6 is put4 for IPv6.
func (s *sender) put6(t *template, dst *[16]byte, sport, dport uint16, seq uint32) *[maxFrame]byte {
	f := &s.frames[s.n]
	t.write6(f, dst, sport, dport, seq)
	s.add(t, 1)
	return f
}

func (s *sender) add(t *template, family int) {
	s.iovs[s.n].SetLen(t.length)
	if t.ip == 0 {
		s.msgs[s.n].hdr.Name = (*byte)(unsafe.Pointer(&s.names[family]))
		s.msgs[s.n].hdr.Namelen = unix.SizeofSockaddrLinklayer
	}
	s.n++
}

// flush sends the batch from the frame numbered from on, and returns how many
// frames left. ENOBUFS means that the frame at which it stopped met a full
// queue and is lost unless it is sent again.
func (s *sender) flush(from int) (int, error) {
	// Not Syscall: the call does not block, and telling the scheduler that
	// it might costs more than a frame does.
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(s.fd),
		uintptr(unsafe.Pointer(&s.msgs[from])), uintptr(s.n-from), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
