package dialer

import (
	"net"
	"net/netip"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// connect calls connect(2) without telling the Go scheduler: a non-blocking
// connect returns at once.
func connect(fd int, to netip.AddrPort) unix.Errno {
	if to.Addr().Is4() {
		sa := unix.RawSockaddrInet4{Family: unix.AF_INET, Port: netOrder(to.Port()), Addr: to.Addr().As4()}
		return connectRaw(fd, unsafe.Pointer(&sa), unsafe.Sizeof(sa))
	}
	sa := unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: netOrder(to.Port()), Addr: to.Addr().As16(), Scope_id: zoneIndex(to.Addr().Zone())}
	return connectRaw(fd, unsafe.Pointer(&sa), unsafe.Sizeof(sa))
}

// noInterface is an interface number that no interface has. With 0 the kernel would
// use the only link of a machine that has just one.
const noInterface = 1<<31 - 1

// zoneIndex is the number of the interface that a zone names (RFC 4007, Section 11.2),
// 0 for no zone, and noInterface if there is no such interface.
func zoneIndex(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return noInterface
	}
	return uint32(i.Index)
}

// disconnect undoes a connect (connect(2), "AF_UNSPEC").
func disconnect(fd int) unix.Errno {
	sa := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	return connectRaw(fd, unsafe.Pointer(&sa), unsafe.Sizeof(sa))
}

func connectRaw(fd int, sa unsafe.Pointer, size uintptr) unix.Errno {
	_, _, err := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(sa), size)
	return err
}

// netOrder returns p in network byte order.
func netOrder(p uint16) uint16 {
	b := [2]byte{byte(p >> 8), byte(p)}
	return *(*uint16)(unsafe.Pointer(&b))
}

// local returns the local address and port of a connection, or the zero AddrPort if it
// is closed.
func local(fd int) netip.AddrPort {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// handshake returns what the kernel knows of the handshake of a connection. rtt is how
// long it took, 0 if the SYN was repeated: then it may be that of either. zeroWindow
// reports whether the peer has advertised a window of 0 (RFC 9293, Section 3.8.6), and no
// other since; kernels before Linux 5.4 do not report it.
func handshake(fd int) (rtt time.Duration, zeroWindow bool) {
	var info unix.TCPInfo
	size := uint32(unsafe.Sizeof(info))
	_, _, err := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	known := uint32(unsafe.Offsetof(info.Snd_wnd) + unsafe.Sizeof(info.Snd_wnd))
	if err != 0 || size < known {
		return 0, false
	}
	if info.Total_retrans == 0 {
		rtt = time.Duration(info.Rtt) * time.Microsecond
	}
	return rtt, info.Snd_wnd == 0
}

// noSource returns err, the cause for which a connection could not begin, or
// ENETUNREACH if it really means that. The kernel answers EADDRNOTAVAIL both if no
// local port is left, which passes, and if this machine has no source address, as with
// IPv6 turned off, which does not. A UDP socket distinguishes them: it uses other
// ports, and its connect sends nothing. A kernel that was started without IPv6 has no
// such sockets at all.
func noSource(err error, to netip.AddrPort) error {
	switch err {
	case unix.EAFNOSUPPORT:
		return unix.ENETUNREACH
	case unix.EADDRNOTAVAIL:
	default:
		return err
	}
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, failed := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if failed != nil {
		return err
	}
	defer unix.Close(fd)
	if connect(fd, to) == unix.EADDRNOTAVAIL {
		return unix.ENETUNREACH
	}
	return err
}
