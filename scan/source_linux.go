package scan

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// noSource returns err, the cause for which a connection to an address could not
// be begun, or ENETUNREACH where it really means that. The kernel answers
// EADDRNOTAVAIL both where no local port is left, which passes, and where this
// machine has no address to ask from, as with IPv6 turned off, which does not. A
// UDP socket tells them apart: its ports are others, and to connect it sends
// nothing. A kernel that was started without IPv6 has no such sockets at all.
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
