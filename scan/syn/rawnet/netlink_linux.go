package rawnet

import (
	"encoding/binary"
	"fmt"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Netlink asks the kernel about routes, links and neighbors
// (rtnetlink(7)). It may be used by several goroutines.
//
// It decodes the few attributes of each message that a sweep needs, while the messages
// arrive. jsimonetti/rtnetlink, which decodes all of them, takes three times the
// memory for a table of 100,000 routes, as routers have, and fails if it cannot decode
// an attribute that is not needed.
type Netlink struct {
	fd int

	mu  sync.Mutex // one question at a time
	seq uint32
	buf []byte // of the answers to it
}

// OpenNetlink opens a socket, which must be closed. It needs no right.
func OpenNetlink() (*Netlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("binding a netlink socket: %w", err)
	}
	// The kernel answers immediately; this prevents a hang.
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
	return &Netlink{fd: fd, buf: make([]byte, 1<<16)}, nil
}

// Close closes the socket.
func (n *Netlink) Close() { _ = unix.Close(n.fd) }

// request sends a message and passes the body of each answer to f, which must not keep
// it. With a dump flag all entries are returned.
func (n *Netlink) request(kind, flags uint16, body []byte, f func(body []byte)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seq++
	msg := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(body))
	ne := binary.NativeEndian
	ne.PutUint32(msg, uint32(unix.NLMSG_HDRLEN+len(body)))
	ne.PutUint16(msg[4:], kind)
	ne.PutUint16(msg[6:], flags|unix.NLM_F_REQUEST)
	ne.PutUint32(msg[8:], n.seq)
	msg = append(msg, body...)
	if err := unix.Sendto(n.fd, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for {
		got, _, err := unix.Recvfrom(n.fd, n.buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		msgs, err := syscall.ParseNetlinkMessage(n.buf[:got])
		if err != nil {
			return err
		}
		for _, m := range msgs {
			switch {
			case m.Header.Seq != n.seq:
			case m.Header.Type == unix.NLMSG_DONE:
				return nil
			case m.Header.Type == unix.NLMSG_ERROR:
				if len(m.Data) < 4 {
					return unix.EINVAL
				}
				if code := int32(ne.Uint32(m.Data)); code != 0 {
					return unix.Errno(-code)
				}
				return nil
			default:
				f(m.Data)
				if flags&unix.NLM_F_DUMP != unix.NLM_F_DUMP {
					return nil
				}
			}
		}
	}
}

// nlaTypeMask removes the flags from an attribute's type (linux/netlink.h).
const nlaTypeMask = 0x3fff

// attributes passes each attribute of b to f: its type and value.
func attributes(b []byte, f func(kind uint16, value []byte)) {
	for len(b) >= unix.SizeofRtAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			return
		}
		f(binary.NativeEndian.Uint16(b[2:])&nlaTypeMask, b[unix.SizeofRtAttr:n])
		b = b[min(len(b), (n+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1)):]
	}
}

// attribute appends an attribute to b.
func attribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	for len(b)%unix.RTA_ALIGNTO != 0 {
		b = append(b, 0)
	}
	return b
}

// family returns the address family of IPv6, or of IPv4.
func family(v6 bool) byte {
	if v6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}
