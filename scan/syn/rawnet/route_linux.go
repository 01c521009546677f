package rawnet

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Prefixes returns the destinations of all routes and rules of IPv6, or of IPv4:
// between two of their ends, all addresses have the same route. They are not sorted,
// and may have duplicates.
func (n *Netlink) Prefixes(v6 bool) ([]netip.Prefix, error) {
	family := family(v6)
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

// A Route is how the kernel sends to an address.
type Route struct {
	Type    uint8      // unix.RTN_UNICAST and its kin
	Link    int        // index of the interface
	Gateway netip.Addr // invalid if the address is on the link
	Source  netip.Addr
}

// Route asks the kernel how it sends to dst, over the interface of that index if it is
// not 0. The error is a unix.Errno if there is no route.
func (n *Netlink) Route(dst netip.Addr, link int) (Route, error) {
	body := make([]byte, unix.SizeofRtMsg)
	body[0], body[1] = family(dst.Is6()), byte(dst.BitLen())
	body = attribute(body, unix.RTA_DST, dst.AsSlice())
	if link != 0 {
		body = attribute(body, unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(link)))
	}
	var r Route
	err := n.request(unix.RTM_GETROUTE, 0, body, func(b []byte) {
		if len(b) < unix.SizeofRtMsg {
			return
		}
		r.Type = b[7]
		attributes(b[unix.SizeofRtMsg:], func(kind uint16, v []byte) {
			a, _ := netip.AddrFromSlice(v)
			switch kind {
			case unix.RTA_OIF:
				if len(v) == 4 {
					r.Link = int(binary.NativeEndian.Uint32(v))
				}
			case unix.RTA_GATEWAY:
				r.Gateway = a
			case unix.RTA_VIA: // an IPv6 gateway for IPv4 (RFC 5549)
				if len(v) > 2 {
					r.Gateway, _ = netip.AddrFromSlice(v[2:])
				}
			case unix.RTA_PREFSRC:
				r.Source = a
			}
		})
	})
	return r, err
}

// A Link is a network interface.
type Link struct {
	Index    int
	Name     string
	Hardware uint16 // unix.ARPHRD_ETHER and its kin
	Up       bool
	Running  bool // has a carrier
	MAC      net.HardwareAddr
	Kind     string // "veth", "vlan" and so on; empty for real hardware
}

// Links lists the interfaces by index.
func (n *Netlink) Links() (map[int]Link, error) {
	out := map[int]Link{}
	err := n.request(unix.RTM_GETLINK, unix.NLM_F_DUMP, make([]byte, unix.SizeofIfInfomsg), func(b []byte) {
		if len(b) < unix.SizeofIfInfomsg {
			return
		}
		ne := binary.NativeEndian
		l := Link{Hardware: ne.Uint16(b[2:]), Index: int(ne.Uint32(b[4:])), Up: ne.Uint32(b[8:])&unix.IFF_UP != 0,
			Running: ne.Uint32(b[8:])&unix.IFF_RUNNING != 0}
		attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, v []byte) {
			switch kind {
			case unix.IFLA_IFNAME:
				l.Name = unix.ByteSliceToString(v)
			case unix.IFLA_ADDRESS:
				l.MAC = net.HardwareAddr(append([]byte(nil), v...))
			case unix.IFLA_LINKINFO:
				attributes(v, func(kind uint16, v []byte) {
					if kind == unix.IFLA_INFO_KIND {
						l.Kind = unix.ByteSliceToString(v)
					}
				})
			}
		})
		out[l.Index] = l
	})
	if err != nil {
		return nil, fmt.Errorf("listing the network interfaces: %w", err)
	}
	return out, nil
}

// A Neighbor is the kernel's entry for an address on a link.
type Neighbor struct {
	MAC [6]byte
	// Confirmed is false if the kernel itself would soon ask again.
	Confirmed bool
}

// Neighbors returns the hardware addresses that the kernel knows on the link of an
// index.
func (n *Netlink) Neighbors(link int) (map[netip.Addr]Neighbor, error) {
	const (
		usable = unix.NUD_REACHABLE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_PERMANENT | unix.NUD_NOARP | unix.NUD_STALE
		unsure = unix.NUD_STALE
	)
	out := map[netip.Addr]Neighbor{}
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
		h := Neighbor{Confirmed: state&unsure == 0}
		attributes(b[unix.SizeofNdMsg:], func(kind uint16, v []byte) {
			switch kind {
			case unix.NDA_DST:
				a, _ = netip.AddrFromSlice(v)
			case unix.NDA_LLADDR:
				if known = len(v) == 6; known {
					h.MAC = [6]byte(v)
				}
			}
		})
		if a.IsValid() && known {
			out[a] = h
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listing the neighbors: %w", err)
	}
	return out, nil
}
