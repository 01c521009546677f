package rawnet

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A NeighborSocket asks the neighbors on one Ethernet link for their hardware
// addresses, by ARP (RFC 826) and by neighbor discovery (RFC 4861). It does not use
// the kernel, whose table holds a thousand neighbors, and which asks only when it has
// a datagram to send, which the neighbor would then get. It belongs to one goroutine.
type NeighborSocket struct {
	fd   int
	on   Link
	data [2 * snapLen]byte
}

// OpenNeighborSocket opens a socket on an Ethernet link, which must be closed. Without
// the right to raw sockets the error wraps unix.EPERM.
func OpenNeighborSocket(l Link) (*NeighborSocket, error) {
	prog, err := neighborFilter()
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	s := &NeighborSocket{fd: fd, on: l}
	if err := attach(fd, prog); err != nil {
		s.Close()
		return nil, err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: l.Index}); err != nil {
		s.Close()
		return nil, fmt.Errorf("binding a packet socket to interface %q: %w", l.Name, err)
	}
	return s, nil
}

// Close closes the socket.
func (s *NeighborSocket) Close() { _ = unix.Close(s.fd) }

// Link returns the link of the socket.
func (s *NeighborSocket) Link() Link { return s.on }

// Ask asks once for target, from the address source of the same family. A question for
// which the kernel has no room is dropped without an error.
func (s *NeighborSocket) Ask(source, target netip.Addr) error {
	to := &unix.SockaddrLinklayer{Ifindex: s.on.Index, Halen: 6}
	var msg []byte
	var err error
	if target.Is4() {
		to.Protocol = htons(unix.ETH_P_ARP)
		to.Addr = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		msg, err = arpRequest(s.on.MAC, source, target)
	} else {
		_, mac := solicited(target)
		to.Protocol = htons(unix.ETH_P_IPV6)
		copy(to.Addr[:], mac[:])
		msg, err = solicitation(s.on.MAC, source, target)
	}
	if err != nil {
		return err
	}
	switch err := unix.Sendto(s.fd, msg, 0, to); err {
	case nil, unix.ENOBUFS, unix.EAGAIN, unix.EINTR:
		return nil
	default:
		return fmt.Errorf("asking for the hardware address of %q on %q: %w", target, s.on.Name, err)
	}
}

// Receive waits until end for a neighbor to say which address it has, in answer to a
// question or not, and reports whether one did.
func (s *NeighborSocket) Receive(end time.Time) (netip.Addr, [6]byte, bool) {
	for {
		n, from, err := unix.Recvfrom(s.fd, s.data[:], 0)
		if err != nil {
			left := time.Until(end)
			if left <= 0 || err != unix.EAGAIN && err != unix.EINTR {
				return netip.Addr{}, [6]byte{}, false
			}
			fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
			_, _ = unix.Poll(fds, int(left/time.Millisecond)+1)
			continue
		}
		ll, ok := from.(*unix.SockaddrLinklayer)
		if !ok {
			continue
		}
		read := readARP
		if htons(ll.Protocol) == etherIPv6 {
			read = readAdvertisement
		}
		if a, mac, ok := read(s.data[:n]); ok {
			return a, mac, true
		}
	}
}

// attach makes prog the filter of a socket.
func attach(fd int, prog []bpf.RawInstruction) error {
	sock := make([]unix.SockFilter, len(prog))
	for i, p := range prog {
		sock[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(sock)), Filter: &sock[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &fprog); err != nil {
		return fmt.Errorf("attaching a packet filter: %w", err)
	}
	return nil
}
