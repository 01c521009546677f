package syn

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A resolver finds the hardware addresses of neighbours on one Ethernet link,
// by ARP and by neighbour discovery. It asks itself and not through the
// kernel, whose table holds a thousand neighbours and which asks only when it
// has a datagram to send, which the neighbour would then get.
type resolver struct {
	fd     int
	link   link
	expiry expiry
}

func openResolver(l link, e expiry) (*resolver, error) {
	prog, err := neighbourFilter()
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	r := &resolver{fd: fd, link: l, expiry: e}
	if err := attach(fd, prog); err != nil {
		r.close()
		return nil, err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: l.index}); err != nil {
		r.close()
		return nil, fmt.Errorf("binding a packet socket to interface %q: %w", l.name, err)
	}
	return r, nil
}

func (r *resolver) close() { _ = unix.Close(r.fd) }

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

const (
	// A round of questions waits this long for answers. A neighbour that
	// is there answers in a millisecond; one that sleeps in a tenth.
	roundTime = 100 * time.Millisecond
	// minRounds is how often a neighbour is asked that does not answer,
	// unless measured loss says more, and maxRounds even then.
	minRounds = 5
	maxRounds = 20
	// roundRate is how many neighbours are asked in a second.
	roundRate = 20000
)

// resolve finds the hardware addresses of the given addresses, those that
// have any. Where must is set it tries longer, for a router that all depends
// on.
func (r *resolver) resolve(ctx context.Context, source netip.Addr, targets []netip.Addr, must bool) (map[netip.Addr][6]byte, error) {
	open := make(map[netip.Addr]bool, len(targets))
	for _, a := range targets {
		open[a] = true
	}
	found := map[netip.Addr][6]byte{}
	var past record
	for round := 0; len(open) > 0 && round < maxRounds && ctx.Err() == nil; round++ {
		past.grow(round)
		for i, a := range slices.SortedFunc(maps.Keys(open), netip.Addr.Compare) {
			if err := r.ask(source, a); err != nil {
				return nil, err
			}
			if i%200 == 199 {
				r.listen(200*time.Second/roundRate, open, found, &past)
			}
		}
		r.listen(roundTime, open, found, &past)
		if n := uint64(len(found)); !must && round+1 >= minRounds && past.enough(n, n) {
			break
		}
	}
	return found, nil
}

// ask sends one question.
func (r *resolver) ask(source, target netip.Addr) error {
	to := &unix.SockaddrLinklayer{Ifindex: r.link.index, Halen: 6}
	var msg []byte
	var err error
	if target.Is4() {
		to.Protocol = htons(unix.ETH_P_ARP)
		to.Addr = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		msg, err = arpRequest(r.link.mac, source, target)
	} else {
		_, mac := solicited(target)
		to.Protocol = htons(unix.ETH_P_IPV6)
		copy(to.Addr[:], mac[:])
		msg, err = solicitation(r.link.mac, source, target)
	}
	if err != nil {
		return err
	}
	if err := r.expiry.check(now()); err != nil {
		return err
	}
	switch err := unix.Sendto(r.fd, msg, 0, to); err {
	case nil, unix.ENOBUFS, unix.EAGAIN, unix.EINTR: // it will be asked again
		return nil
	default:
		return fmt.Errorf("asking for the hardware address of %q on %q: %w", target, r.link.name, err)
	}
}

// listen moves the addresses that are heard of from open to found, for at
// most d.
func (r *resolver) listen(d time.Duration, open map[netip.Addr]bool, found map[netip.Addr][6]byte, past *record) {
	end := time.Now().Add(d)
	buf := make([]byte, 2*snapLen)
	for len(open) > 0 {
		n, from, err := unix.Recvfrom(r.fd, buf, 0)
		if err != nil {
			left := time.Until(end)
			if left <= 0 || err != unix.EAGAIN && err != unix.EINTR {
				return
			}
			fds := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}}
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
		a, mac, ok := read(buf[:n])
		if !ok || !open[a] {
			continue
		}
		delete(open, a)
		found[a] = mac
		for i := range past.passes {
			past.passes[i].asked++
			if i < len(past.passes)-1 {
				past.passes[i].lost++
			}
		}
	}
}

// gateway finds the hardware address of a router: what the kernel knows, or
// else by asking, or else what the kernel once knew.
func (r *resolver) gateway(ctx context.Context, n *netlink, source, router netip.Addr) (net.HardwareAddr, error) {
	known, err := n.neighbours(r.link.index)
	if err != nil {
		return nil, err
	}
	old, ok := known[router]
	if ok && old.sure {
		return old.mac, nil
	}
	found, err := r.resolve(ctx, source, []netip.Addr{router}, true)
	if err != nil {
		return nil, err
	}
	if mac, ok := found[router]; ok {
		return mac[:], nil
	}
	if ok {
		return old.mac, nil
	}
	return nil, &SetupError{
		Doing:  fmt.Sprintf("looking for the router %v on %q", router, r.link.name),
		Err:    fmt.Errorf("no answer in %v", maxRounds*roundTime),
		Advice: fmt.Sprintf("see `ip neigh show dev %s`; nothing behind this router can be reached", r.link.name),
	}
}
