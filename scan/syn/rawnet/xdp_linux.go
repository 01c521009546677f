package rawnet

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An xdpSender sends frames through an AF_XDP socket in copy mode
// (Documentation/networking/af_xdp.rst of Linux): the kernel reads them from shared
// memory, at two thirds of the cost of sendmmsg. No program is attached to the
// interface, so that it receives as usual. It belongs to one goroutine.
type xdpSender struct {
	fd   int
	on   Link
	umem []byte
	tx   xdpRing[unix.XDPDesc] // to the kernel
	done xdpRing[uint64]       // back from it

	free  []uint64       // unused offsets in umem
	batch []unix.XDPDesc // frames of the batch, posted or not
	n     int            // of those, how many are posted
}

const (
	// xdpFrames is how many frames fit into the shared memory, which counts towards the
	// limit on locked memory: 1 MiB. It is a power of two.
	xdpFrames = 512
	xdpSize   = 2048 // the minimum of the kernel
)

// An xdpRing is one of the rings of an AF_XDP socket, of xdpFrames entries.
type xdpRing[T any] struct {
	mem                []byte
	producer, consumer *uint32
	entries            []T
}

// openXDP opens a sender on a transmit queue of an interface. It fails if the kernel,
// the interface or the limit on locked memory does not allow it.
func openXDP(out Link, queue int) (*xdpSender, error) {
	// Virtual devices may need the protocol of a frame, which such a socket does not
	// provide.
	if out.Hardware != unix.ARPHRD_ETHER || out.Kind != "" && out.Kind != "veth" {
		return nil, fmt.Errorf("opening an AF_XDP socket: %w", unix.EOPNOTSUPP)
	}
	fd, err := unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening an AF_XDP socket: %w", err)
	}
	s := &xdpSender{fd: fd, on: out}
	if err := s.setUp(queue); err != nil {
		s.Close()
		return nil, fmt.Errorf("opening an AF_XDP socket on %q: %w", out.Name, err)
	}
	for i := range uint64(xdpFrames) {
		s.free = append(s.free, i*xdpSize)
	}
	return s, nil
}

func (s *xdpSender) setUp(queue int) error {
	var err error
	s.umem, err = unix.Mmap(-1, 0, xdpFrames*xdpSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	reg := unix.XDPUmemReg{Addr: uint64(uintptr(unsafe.Pointer(&s.umem[0]))), Len: xdpFrames * xdpSize, Size: xdpSize}
	if err := s.option(unix.XDP_UMEM_REG, unsafe.Pointer(&reg), unsafe.Sizeof(reg)); err != nil {
		return err
	}
	n := uint32(xdpFrames)
	// A fill ring is required even if nothing is received.
	for _, ring := range []int{unix.XDP_UMEM_FILL_RING, unix.XDP_UMEM_COMPLETION_RING, unix.XDP_TX_RING} {
		if err := s.option(ring, unsafe.Pointer(&n), unsafe.Sizeof(n)); err != nil {
			return err
		}
	}
	var at unix.XDPMmapOffsets
	size := uint32(unsafe.Sizeof(at))
	if _, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.SOL_XDP, unix.XDP_MMAP_OFFSETS,
		uintptr(unsafe.Pointer(&at)), uintptr(unsafe.Pointer(&size)), 0); errno != 0 {
		return errno
	}
	if s.tx, err = mapRing[unix.XDPDesc](s.fd, unix.XDP_PGOFF_TX_RING, at.Tx); err != nil {
		return err
	}
	if s.done, err = mapRing[uint64](s.fd, unix.XDP_UMEM_PGOFF_COMPLETION_RING, at.Cr); err != nil {
		return err
	}
	return unix.Bind(s.fd, &unix.SockaddrXDP{Flags: unix.XDP_COPY, Ifindex: uint32(s.on.Index), QueueID: uint32(queue)})
}

func (s *xdpSender) option(name int, value unsafe.Pointer, size uintptr) error {
	if _, _, errno := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(s.fd), unix.SOL_XDP, uintptr(name), uintptr(value), size, 0); errno != 0 {
		return errno
	}
	return nil
}

// mapRing maps one of the socket's rings.
func mapRing[T any](fd int, offset int64, at unix.XDPRingOffset) (xdpRing[T], error) {
	var entry T
	mem, err := unix.Mmap(fd, offset, int(at.Desc)+xdpFrames*int(unsafe.Sizeof(entry)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return xdpRing[T]{}, err
	}
	return xdpRing[T]{
		mem:      mem,
		producer: (*uint32)(unsafe.Pointer(&mem[at.Producer])),
		consumer: (*uint32)(unsafe.Pointer(&mem[at.Consumer])),
		entries:  unsafe.Slice((*T)(unsafe.Pointer(&mem[at.Desc])), xdpFrames),
	}, nil
}

func (s *xdpSender) Close() {
	_ = unix.Close(s.fd)
	for _, mem := range [][]byte{s.tx.mem, s.done.mem, s.umem} {
		if mem != nil {
			_ = unix.Munmap(mem)
		}
	}
}

func (s *xdpSender) Link() Link { return s.on }

// Next returns room for one more frame. There is some: Flush does not return before
// there is room for a whole batch.
func (s *xdpSender) Next(t *Template) *Frame {
	at := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	s.batch = append(s.batch, unix.XDPDesc{Addr: at, Len: uint32(t.length)})
	return (*Frame)(s.umem[at:])
}

func (s *xdpSender) Waiting() int { return len(s.batch) }

func (s *xdpSender) Each(f func([]byte) error) error {
	for _, d := range s.batch {
		if err := f(s.umem[d.Addr+ethernetLen : d.Addr+uint64(d.Len)]); err != nil {
			return err
		}
	}
	return nil
}

func (s *xdpSender) Clear() { s.batch, s.n = s.batch[:0], 0 }

// Flush posts the batch and lets the kernel send what is posted.
func (s *xdpSender) Flush() (bool, error) {
	p := *s.tx.producer
	for ; s.n < len(s.batch); s.n++ {
		s.tx.entries[p%xdpFrames] = s.batch[s.n]
		p++
	}
	atomic.StoreUint32(s.tx.producer, p)
	before := atomic.LoadUint32(s.tx.consumer)
	if before == p {
		s.reap()
		return len(s.free) >= BatchSize, unix.EAGAIN
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), 0, 0, unix.MSG_DONTWAIT, 0, 0)
	runtime.KeepAlive(s)
	after := atomic.LoadUint32(s.tx.consumer)
	var lost error
	if errno == unix.EBUSY && after != before {
		// The last frame that the kernel took met a full queue.
		s.again(s.tx.entries[(after-1)%xdpFrames])
		lost = unix.ENOBUFS
	}
	s.reap()
	switch {
	case lost != nil:
		return false, lost
	case errno != 0 && errno != unix.EBUSY && errno != unix.EAGAIN:
		return false, errno
	case after == p && len(s.free) >= BatchSize:
		return true, nil
	case after == before || after == p:
		return false, unix.EAGAIN // the interface has not sent them yet
	}
	return false, nil // the kernel takes a few dozen at a time
}

// again posts a copy of a frame, because the kernel still owns the frame itself.
func (s *xdpSender) again(d unix.XDPDesc) {
	s.reap()
	if len(s.free) == 0 {
		return // the same as a loss on the path
	}
	at := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	copy(s.umem[at:at+uint64(d.Len)], s.umem[d.Addr:d.Addr+uint64(d.Len)])
	p := *s.tx.producer
	s.tx.entries[p%xdpFrames] = unix.XDPDesc{Addr: at, Len: d.Len}
	atomic.StoreUint32(s.tx.producer, p+1)
}

// reap takes back the frames that the kernel has sent.
func (s *xdpSender) reap() {
	c, end := *s.done.consumer, atomic.LoadUint32(s.done.producer)
	for ; c != end; c++ {
		s.free = append(s.free, s.done.entries[c%xdpFrames])
	}
	atomic.StoreUint32(s.done.consumer, c)
}
