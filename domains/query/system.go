package query

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/miekg/dns"
)

// configuration is where systems that are not Windows name their DNS servers (resolv.conf(5)).
const configuration = "/etc/resolv.conf"

// System returns a client that asks the DNS servers of this machine. It fails where the machine has
// no such file, as Windows.
func System() (*Client, error) { return fromFile(configuration) }

// fromFile returns a client that asks the servers that a file in the syntax of resolv.conf names.
func fromFile(file string) (*Client, error) {
	c, err := dns.ClientConfigFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the DNS servers of this machine: %w", err)
	}
	client := &Client{Timeout: time.Duration(c.Timeout) * time.Second, Tries: c.Attempts}
	port, err := strconv.ParseUint(c.Port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("reading %s: invalid port %q", file, c.Port)
	}
	for _, s := range c.Servers {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("reading %s: nameserver %q is not an address", file, s)
		}
		client.Servers = append(client.Servers, netip.AddrPortFrom(a, uint16(port)))
	}
	if len(client.Servers) == 0 { // resolv.conf(5): the server on this machine
		client.Servers = []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))}
	}
	return client, nil
}

// Local reports whether all servers are on this machine, so that nobody is between them and this
// program.
func (c *Client) Local() bool {
	for _, s := range c.Servers {
		if ip := net.IP(s.Addr().AsSlice()); !ip.IsLoopback() {
			return false
		}
	}
	return true
}
