package syn

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A netlink asks the kernel about routes, links and neighbours
// (rtnetlink(7)). It may be used by several goroutines.
type netlink struct {
	fd int

	mu  sync.Mutex // one question at a time
	seq uint32
}

func openNetlink() (*netlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("binding a netlink socket: %w", err)
	}
	// The kernel answers at once; this is so that nothing can hang.
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
	return &netlink{fd: fd}, nil
}

func (n *netlink) close() { _ = unix.Close(n.fd) }

// request sends a message and hands the body of each answer to f. A dump
// flag asks for all there is.
func (n *netlink) request(kind, flags uint16, body []byte, f func(body []byte)) error {
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
	buf := make([]byte, 1<<16)
	for {
		got, _, err := unix.Recvfrom(n.fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		msgs, err := syscall.ParseNetlinkMessage(buf[:got])
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

// nlaTypeMask takes the flags off an attribute's type (linux/netlink.h).
const nlaTypeMask = 0x3fff

// attributes hands each attribute of b to f: its type and value.
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

// family is the address family of a.
func family(a netip.Addr) byte {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// prefixes are the destinations of all routes and rules of IPv6, or of IPv4:
// between two of their ends, all addresses are routed alike.
func (n *netlink) prefixes(v6 bool) ([]netip.Prefix, error) {
	family := byte(unix.AF_INET)
	if v6 {
		family = unix.AF_INET6
	}
	var out []netip.Prefix
	for _, kind := range []uint16{unix.RTM_GETROUTE, unix.RTM_GETRULE} {
		body := make([]byte, unix.SizeofRtMsg)
		body[0] = family
		err := n.request(kind, unix.NLM_F_DUMP, body, func(b []byte) {
			if len(b) < unix.SizeofRtMsg || b[0] != family {
				return
			}
			bits := int(b[1])
			// RTA_DST and FRA_DST are the same number.
			attributes(b[unix.SizeofRtMsg:], func(kind uint16, v []byte) {
				if a, ok := netip.AddrFromSlice(v); ok && kind == unix.RTA_DST && bits <= a.BitLen() {
					out = append(out, netip.PrefixFrom(a, bits).Masked())
				}
			})
		})
		if err != nil {
			return nil, fmt.Errorf("reading the routing table: %w", err)
		}
	}
	return out, nil
}

// A route is how the kernel would send to an address.
type route struct {
	kind    uint8      // RTN_UNICAST and its kin
	link    int        // index of the interface
	gateway netip.Addr // invalid where the address is on the link
	source  netip.Addr
}

// route asks the kernel how it would send to dst, out of the interface of
// that index if it is not 0.
func (n *netlink) route(dst netip.Addr, link int) (route, error) {
	body := make([]byte, unix.SizeofRtMsg)
	body[0], body[1] = family(dst), byte(dst.BitLen())
	body = attribute(body, unix.RTA_DST, dst.AsSlice())
	if link != 0 {
		body = attribute(body, unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(link)))
	}
	var r route
	err := n.request(unix.RTM_GETROUTE, 0, body, func(b []byte) {
		if len(b) < unix.SizeofRtMsg {
			return
		}
		r.kind = b[7]
		attributes(b[unix.SizeofRtMsg:], func(kind uint16, v []byte) {
			a, _ := netip.AddrFromSlice(v)
			switch kind {
			case unix.RTA_OIF:
				if len(v) == 4 {
					r.link = int(binary.NativeEndian.Uint32(v))
				}
			case unix.RTA_GATEWAY:
				r.gateway = a
			case unix.RTA_VIA: // an IPv6 gateway for IPv4 (RFC 5549)
				if len(v) > 2 {
					r.gateway, _ = netip.AddrFromSlice(v[2:])
				}
			case unix.RTA_PREFSRC:
				r.source = a
			}
		})
	})
	return r, err
}

// A link is an interface.
type link struct {
	index    int
	name     string
	hardware uint16 // ARPHRD_ETHER and its kin
	up       bool
	running  bool // has a carrier
	mac      net.HardwareAddr
	kind     string // "veth", "vlan" and so on; empty for real hardware
}

// links lists the interfaces by index.
func (n *netlink) links() (map[int]link, error) {
	out := map[int]link{}
	err := n.request(unix.RTM_GETLINK, unix.NLM_F_DUMP, make([]byte, unix.SizeofIfInfomsg), func(b []byte) {
		if len(b) < unix.SizeofIfInfomsg {
			return
		}
		ne := binary.NativeEndian
		l := link{hardware: ne.Uint16(b[2:]), index: int(ne.Uint32(b[4:])), up: ne.Uint32(b[8:])&unix.IFF_UP != 0,
			running: ne.Uint32(b[8:])&unix.IFF_RUNNING != 0}
		attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, v []byte) {
			switch kind {
			case unix.IFLA_IFNAME:
				l.name = unix.ByteSliceToString(v)
			case unix.IFLA_ADDRESS:
				l.mac = net.HardwareAddr(append([]byte(nil), v...))
			case unix.IFLA_LINKINFO:
				attributes(v, func(kind uint16, v []byte) {
					if kind == unix.IFLA_INFO_KIND {
						l.kind = unix.ByteSliceToString(v)
					}
				})
			}
		})
		out[l.index] = l
	})
	if err != nil {
		return nil, fmt.Errorf("listing the network interfaces: %w", err)
	}
	return out, nil
}

// A neighbour is what the kernel knows of an address on a link.
type neighbour struct {
	mac [6]byte
	// sure is false where the kernel itself would ask again before long.
	sure bool
}

// neighbours lists what the kernel knows of the addresses on a link.
func (n *netlink) neighbours(link int) (map[netip.Addr]neighbour, error) {
	const (
		usable = unix.NUD_REACHABLE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_PERMANENT | unix.NUD_NOARP | unix.NUD_STALE
		unsure = unix.NUD_STALE
	)
	out := map[netip.Addr]neighbour{}
	err := n.request(unix.RTM_GETNEIGH, unix.NLM_F_DUMP, make([]byte, unix.SizeofNdMsg), func(b []byte) {
		if len(b) < unix.SizeofNdMsg || int(binary.NativeEndian.Uint32(b[4:])) != link {
			return
		}
		state := binary.NativeEndian.Uint16(b[8:])
		if state&usable == 0 {
			return
		}
		var a netip.Addr
		known := false // its hardware address
		h := neighbour{sure: state&unsure == 0}
		attributes(b[unix.SizeofNdMsg:], func(kind uint16, v []byte) {
			switch kind {
			case unix.NDA_DST:
				a, _ = netip.AddrFromSlice(v)
			case unix.NDA_LLADDR:
				if known = len(v) == 6; known {
					h.mac = [6]byte(v)
				}
			}
		})
		if a.IsValid() && known {
			out[a] = h
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listing the neighbours: %w", err)
	}
	return out, nil
}
