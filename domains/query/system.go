package query

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/internal/userfile"
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
	trust, err := trustsAD(file)
	client.Trusted = trust && client.local()
	return client, err
}

// trustsAD reports whether the file has the option trust-ad, by which the administrator says that
// the servers validate (resolv.conf(5)). A forwarder on this machine may pass on the bit of others.
func trustsAD(file string) (bool, error) {
	text, err := userfile.ReadLimited(file, 1<<20)
	if err != nil {
		return false, fmt.Errorf("reading the DNS servers of this machine: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "options" && slices.Contains(words[1:], "trust-ad") {
			return true, nil
		}
	}
	return false, nil
}

// Named returns a client that asks the one server that the user named, which is trusted if it is on
// this machine.
func Named(server netip.AddrPort) *Client {
	c := &Client{Servers: []netip.AddrPort{server}}
	c.Trusted = c.local()
	return c
}

// local reports whether all servers are on this machine, so that nobody is between them and this
// program.
func (c *Client) local() bool {
	for _, s := range c.Servers {
		if !s.Addr().IsLoopback() {
			return false
		}
	}
	return true
}
