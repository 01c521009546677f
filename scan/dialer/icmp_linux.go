package dialer

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watchICMP tells the kernel to keep the ICMP messages that a socket's packets cause
// (ip(7), IP_RECVERR), or to stop that. Without them a firewall that rejects with
// "port unreachable" looks like a closed port.
func watchICMP(fd int, v6, on bool) error {
	level, option, value := unix.IPPROTO_IP, unix.IP_RECVERR, 0
	if v6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	}
	if on {
		value = 1
	}
	return unix.SetsockoptInt(fd, level, option, value)
}

// An icmpReader reads ICMP messages from sockets. It is a type, not a function, so
// that its buffers are reused.
type icmpReader struct {
	hdr     unix.Msghdr
	name    unix.RawSockaddrAny
	control [512]byte
}

// take reads the ICMP messages that a socket has caused, and returns what the last one
// for its connection to means, and who sent it. It reports false if there is none.
func (r *icmpReader) take(fd int, to netip.AddrPort) (out Outcome, from netip.Addr, found bool) {
	for range 16 { // more than are ever queued for one SYN
		r.hdr = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&r.name)), Namelen: unix.SizeofSockaddrAny, Control: &r.control[0]}
		r.hdr.SetControllen(len(r.control))
		_, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.hdr)), unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if errno != 0 {
			return out, from, found
		}
		msgs, err := unix.ParseSocketControlMessage(r.control[:r.hdr.Controllen])
		if err != nil || aimedAt(&r.name) != to {
			continue
		}
		for _, m := range msgs {
			if o, ok := icmpOutcome(m); ok {
				out, from, found = o, offender(m.Data), true
			}
		}
	}
	return out, from, found
}

// offender returns the sender of an ICMP message, which follows the error itself
// (ip(7), SO_EE_OFFENDER). It is the zero Addr if the kernel does not know.
func offender(data []byte) netip.Addr {
	data = data[unsafe.Sizeof(unix.SockExtendedErr{}):]
	if len(data) < 2 {
		return netip.Addr{}
	}
	switch family := *(*uint16)(unsafe.Pointer(&data[0])); {
	case family == unix.AF_INET && len(data) >= unix.SizeofSockaddrInet4:
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&data[0])).Addr)
	case family == unix.AF_INET6 && len(data) >= unix.SizeofSockaddrInet6:
		return netip.AddrFrom16((*unix.RawSockaddrInet6)(unsafe.Pointer(&data[0])).Addr).Unmap()
	}
	return netip.Addr{}
}

// aimedAt returns the destination of the packet that caused an ICMP message.
func aimedAt(name *unix.RawSockaddrAny) netip.AddrPort {
	switch name.Addr.Family {
	case unix.AF_INET:
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), netOrder(sa.Port))
	case unix.AF_INET6:
		sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), netOrder(sa.Port))
	}
	return netip.AddrPort{}
}

// icmpOutcome returns what an ICMP message means for a connection.
func icmpOutcome(m unix.SocketControlMessage) (Outcome, bool) {
	if len(m.Data) < int(unsafe.Sizeof(unix.SockExtendedErr{})) {
		return 0, false
	}
	e := *(*unix.SockExtendedErr)(unsafe.Pointer(&m.Data[0]))
	switch {
	case m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR && e.Origin == unix.SO_EE_ORIGIN_ICMP:
		return unreachable4(e.Type, e.Code)
	case m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR && e.Origin == unix.SO_EE_ORIGIN_ICMP6:
		return unreachable6(e.Type, e.Code)
	}
	return 0, false
}

// unreachable4 decodes an ICMP type and code (RFC 792; RFC 1122, Section 3.2.2.1; RFC
// 1812, Section 5.2.7.1). A TCP host refuses with a RST, so "protocol unreachable" and
// "port unreachable" come from a firewall.
func unreachable4(kind, code uint8) (Outcome, bool) {
	if kind != 3 {
		return 0, false
	}
	switch code {
	case 0, 5, 6, 11: // net unreachable, source route failed, net unknown, for this service
		return NetUnreachable, true
	case 1, 7, 8, 12: // host unreachable, unknown, isolated, for this service
		return HostUnreachable, true
	case 2, 3, 9, 10, 13, 14, 15: // protocol, port; prohibited
		return Prohibited, true
	}
	return 0, false
}

// unreachable6 decodes an ICMPv6 type and code (RFC 4443, Section 3.1).
func unreachable6(kind, code uint8) (Outcome, bool) {
	if kind != 1 {
		return 0, false
	}
	switch code {
	case 0, 2: // no route, beyond scope
		return NetUnreachable, true
	case 3: // address unreachable
		return HostUnreachable, true
	case 1, 4, 5, 6: // prohibited, port, policy failed, route rejected
		return Prohibited, true
	}
	return 0, false
}
