//go:build linux

package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// A tarpit accepts connections to all ports of all hosts of a routed network, and replies
// to nothing.
type tarpit struct {
	mu    sync.Mutex
	ports map[netip.AddrPort]*tarpitPort
}

// A tarpitPort counts the connections to one port.
type tarpitPort struct {
	asked int // something was sent on them
	mute  int // nothing was sent on them
}

// beTarpit makes the target of a network a tarpit.
func beTarpit(n *routedNetwork) {
	n.t.Helper()
	n.tarpit = &tarpit{ports: map[netip.AddrPort]*tarpitPort{}}
	var l net.Listener
	inNamespace(n.t, n.target, func() {
		var err error
		if l, err = net.Listen("tcp4", ":9"); err != nil {
			n.t.Errorf("listening: %v", err)
		}
	})
	if l == nil {
		n.t.FailNow()
	}
	n.filter(n.target, "prerouting", "tcp dport 1-65535 redirect to :9")
	var working sync.WaitGroup
	n.t.Cleanup(func() {
		l.Close()
		working.Wait()
	})
	working.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			working.Go(func() {
				defer c.Close()
				if err := n.tarpit.serve(c.(*net.TCPConn)); err != nil {
					n.t.Error(err)
				}
			})
		}
	})
}

// serve counts a connection and reads from it until the client ends it.
func (p *tarpit) serve(c *net.TCPConn) error {
	to, err := redirectedFrom(c)
	if err != nil {
		return err
	}
	p.mu.Lock()
	port := p.ports[to]
	if port == nil {
		port = new(tarpitPort)
		p.ports[to] = port
	}
	port.mute++
	p.mu.Unlock()
	buf := make([]byte, 512)
	if n, _ := c.Read(buf); n > 0 {
		p.mu.Lock()
		port.mute, port.asked = port.mute-1, port.asked+1
		p.mu.Unlock()
	}
	for {
		if _, err := c.Read(buf); err != nil {
			return nil
		}
	}
}

// redirectedFrom returns where a connection was going before it was redirected.
func redirectedFrom(c *net.TCPConn) (netip.AddrPort, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("reading where a connection went: %w", err)
	}
	var to *unix.IPv6Mreq // of the size of a struct sockaddr_in, which it is: ip(7)
	var got error
	err = raw.Control(func(fd uintptr) { to, got = unix.GetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IP, unix.SO_ORIGINAL_DST) })
	if err != nil || got != nil {
		return netip.AddrPort{}, fmt.Errorf("reading where a connection went: %v, %v", err, got)
	}
	b := to.Multiaddr
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), uint16(b[2])<<8|uint16(b[3])), nil
}

// fewAsked checks that a tarpit was left alone, as far as docs/limits.md and docs/usage.md
// promise: few ports of each host are asked something, and none too often. The others are
// connected to once to find them, and once to hear whether they greet; a host of which a
// port was probed more often was late to answer, and may have been probed for that alone.
func fewAsked(t *testing.T, n *routedNetwork, d *document) {
	const (
		ports = 8      // of a host
		conns = 10 + 8 // to a port, with those of a second dialogue
	)
	n.tarpit.mu.Lock()
	defer n.tarpit.mu.Unlock()
	late := map[string]bool{}
	for _, p := range d.Ports {
		late[p.IP] = late[p.IP] || p.Attempts > 1
	}
	asked, all := map[string]int{}, 0
	for at, port := range n.tarpit.ports {
		host := at.Addr().String()
		all += port.mute + port.asked
		if port.asked > 0 {
			asked[host]++
		}
		got, most := port.mute+port.asked, 2
		if late[host] {
			got = port.asked
		}
		if port.asked > 0 {
			most = conns
		}
		if got > most {
			t.Errorf("%d connections to %v, something was sent on %d; want at most %d", got, at, port.asked, most)
		}
	}
	for host, ask := range asked {
		if ask > ports {
			t.Errorf("%d ports of %s were asked something, more than %d", ask, host, ports)
		}
	}
	if len(asked) == 0 {
		t.Error("no port was asked anything")
	}
	t.Logf("%d connections to %d ports; asked: %v", all, len(n.tarpit.ports), asked)
}
