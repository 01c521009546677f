package sockets

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// listAddresses lists the addresses of the machine: the kernel is asked, and if it does not
// answer, or is not that of the Root, the tables in /proc are read.
func (l *lister) listAddresses() {
	if l.Root == "" {
		if links, err := dumpLinks(); err == nil {
			l.Addresses, l.Inside = addressesOf(links)
			return
		}
	}
	l.Addresses = readAddresses(filepath.Join(l.proc(), l.self(), "net"))
}

// maxRoutes is how much of a table of addresses is read. That of a router with the routes of
// the Internet is longer.
const maxRoutes = 1 << 20

// readAddresses returns the addresses of the interfaces of a namespace, from its
// /proc/net/fib_trie and if_inet6 in dir, without loopback ones; nil if they cannot be
// read, or are too long to be read whole.
func readAddresses(dir string) []netip.Addr {
	routes, inet6 := readHead(dir+"/fib_trie", maxRoutes), readHead(dir+"/if_inet6", maxRoutes)
	if max(len(routes), len(inet6)) == maxRoutes {
		return nil
	}
	list := append(localIPv4(routes), localIPv6(inet6)...)
	list = slices.DeleteFunc(list, netip.Addr.IsLoopback)
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}

// localIPv4 returns the local addresses of a routing table in the format of
// /proc/net/fib_trie: an address on a line of its own, and below it what it is.
func localIPv4(text string) []netip.Addr {
	var list []netip.Addr
	var last netip.Addr
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 2 && words[0] == "|--" {
			last, _ = netip.ParseAddr(words[1])
		}
		if len(words) == 3 && words[0] == "/32" && words[1] == "host" && words[2] == "LOCAL" && last.IsValid() {
			list = append(list, last)
		}
	}
	return list
}

// localIPv6 returns the addresses of /proc/net/if_inet6: 32 hex digits at the beginning
// of each line.
func localIPv6(text string) []netip.Addr {
	var list []netip.Addr
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 6 || len(words[0]) != 32 {
			continue
		}
		if raw, err := hex.DecodeString(words[0]); err == nil {
			list = append(list, netip.AddrFrom16([16]byte(raw)))
		}
	}
	return list
}

// Sizes and offsets of linux/rtnetlink.h and linux/if_addr.h.
const (
	linkIndex    = 4 // offset of ifi_index
	addressIndex = 4 // offset of ifa_index
)

// A link is a network interface.
type link struct {
	index     uint32
	master    uint32 // the index of the bridge of which it is a member; 0 if of none
	kind      string // as ip-link(8) names it: "bridge", "veth"; "" for hardware
	addresses []netip.Addr
}

// dumpLinks asks the kernel for the network interfaces of the namespace of this thread, with
// their addresses (rtnetlink(7)).
func dumpLinks() ([]link, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	defer func() { _ = conn.Close() }()
	// The kernel answers immediately; this prevents a hang.
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	ask := func(kind netlink.HeaderType, size int) ([]netlink.Message, error) {
		return conn.Execute(netlink.Message{
			Header: netlink.Header{Type: kind, Flags: netlink.Request | netlink.Dump}, Data: make([]byte, size),
		})
	}
	found, err := ask(unix.RTM_GETLINK, unix.SizeofIfInfomsg)
	if err != nil {
		return nil, fmt.Errorf("asking the kernel for the network interfaces: %w", err)
	}
	var links []link
	for _, m := range found {
		if l, ok := parseLink(m.Data); ok {
			links = append(links, l)
		}
	}
	if found, err = ask(unix.RTM_GETADDR, unix.SizeofIfAddrmsg); err != nil {
		return nil, fmt.Errorf("asking the kernel for the addresses: %w", err)
	}
	for _, m := range found {
		a, index, ok := parseAddress(m.Data)
		if i := slices.IndexFunc(links, func(l link) bool { return l.index == index }); ok && i >= 0 {
			links[i].addresses = append(links[i].addresses, a)
		} else if ok { // of an interface that is new
			links = append(links, link{index: index, addresses: []netip.Addr{a}})
		}
	}
	return links, nil
}

// parseLink reads an ifinfomsg and its attributes. It reports false for what is none.
func parseLink(b []byte) (link, bool) {
	if len(b) < unix.SizeofIfInfomsg {
		return link{}, false
	}
	l := link{index: binary.NativeEndian.Uint32(b[linkIndex:])}
	attributes, err := netlink.NewAttributeDecoder(b[unix.SizeofIfInfomsg:])
	if err != nil {
		return link{}, false
	}
	for attributes.Next() {
		switch attributes.Type() {
		case unix.IFLA_MASTER:
			l.master = attributes.Uint32()
		case unix.IFLA_LINKINFO:
			attributes.Nested(func(info *netlink.AttributeDecoder) error {
				for info.Next() {
					if info.Type() == unix.IFLA_INFO_KIND {
						l.kind = info.String()
					}
				}
				return nil
			})
		}
	}
	return l, attributes.Err() == nil
}

// parseAddress reads an ifaddrmsg and its attributes: the address, and the index of its
// interface. It reports false for what is none.
func parseAddress(b []byte) (a netip.Addr, index uint32, ok bool) {
	if len(b) < unix.SizeofIfAddrmsg {
		return a, 0, false
	}
	attributes, err := netlink.NewAttributeDecoder(b[unix.SizeofIfAddrmsg:])
	if err != nil {
		return a, 0, false
	}
	own := false
	for attributes.Next() {
		// Of a point-to-point interface, IFA_ADDRESS is that of the other side (linux/if_addr.h).
		if kind := attributes.Type(); kind == unix.IFA_LOCAL || kind == unix.IFA_ADDRESS && !own {
			if found, valid := netip.AddrFromSlice(attributes.Bytes()); valid {
				a, own = found, kind == unix.IFA_LOCAL
			}
		}
	}
	return a, binary.NativeEndian.Uint32(b[addressIndex:]), a.IsValid()
}

// addressesOf returns the addresses of interfaces, without loopback ones, sorted, and those
// through which only network namespaces of this machine connect.
func addressesOf(links []link) (all, inside []netip.Addr) {
	for i := range links {
		l := &links[i]
		within := l.kind == "bridge" && !slices.ContainsFunc(links, func(m link) bool { return m.master == l.index && m.kind != "veth" })
		for _, a := range l.addresses {
			if a.IsLoopback() {
				continue
			}
			all = append(all, a)
			if within {
				inside = append(inside, a)
			}
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	slices.SortFunc(inside, netip.Addr.Compare)
	return slices.Compact(all), slices.Compact(inside)
}
