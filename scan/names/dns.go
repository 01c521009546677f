package names

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// A DNS is the [Resolver] of the net package. If that queries a DNS server itself, a
// DNS reports two more things: whether a name without an address exists, and the
// IPv4-mapped addresses of its AAAA records, which that package drops. The zero DNS
// resolves as the system is configured.
type DNS struct {
	Server string // HOST:PORT, an address; "" is the server of the system
}

// An AbsentError says that a name has no address of the requested family, as the net
// package does, and which of two causes the DNS server gave (RFC 2308, Section 2).
type AbsentError struct {
	Exists bool  // NODATA if set, else NXDOMAIN
	Err    error // of the net package
}

// Error returns the cause in the terms of RFC 2308.
func (e *AbsentError) Error() string {
	if e.Exists {
		return "NODATA"
	}
	return "NXDOMAIN"
}

// Unwrap returns the error of the net package.
func (e *AbsentError) Unwrap() error { return e.Err }

// LookupNetIP implements [Resolver]. If there is no address and the cause is known,
// the error is an [*AbsentError].
func (d *DNS) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	var replies dnsReplies
	r := &net.Resolver{PreferGo: d.Server != "", StrictErrors: true,
		Dial: func(ctx context.Context, network, server string) (net.Conn, error) {
			if d.Server != "" {
				server = d.Server
			}
			conn, err := new(net.Dialer).DialContext(ctx, network, server)
			if udp, ok := conn.(*net.UDPConn); ok && err == nil {
				return &watchedConn{udp, &replies}, nil
			}
			return conn, err
		}}
	addrs, err := r.LookupNetIP(ctx, network, host)
	replies.mu.Lock() // a lookup that timed out may still run
	defer replies.mu.Unlock()
	var dns *net.DNSError
	switch {
	case network == "ip6" && len(replies.mapped) > 0 && (err == nil || errors.As(err, new(*net.AddrError))):
		return append(addrs, replies.mapped...), nil
	case errors.As(err, &dns) && dns.IsNotFound && (replies.exists || replies.nxdomain):
		return nil, &AbsentError{Exists: replies.exists, Err: err}
	}
	return addrs, err
}

// A watchedConn passes to replies what it reads. It is a net.PacketConn, as the net
// package expects for UDP.
type watchedConn struct {
	*net.UDPConn
	replies *dnsReplies
}

// Read implements [net.Conn].
func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.UDPConn.Read(b)
	if err == nil {
		c.replies.note(b[:n])
	}
	return n, err
}

// maxMapped is how many IPv4-mapped addresses of a name are recorded.
const maxMapped = 16

// dnsReplies is what the replies to one question contain beyond its result.
type dnsReplies struct {
	mu       sync.Mutex
	exists   bool         // a reply knows the name; search domains cause several replies
	nxdomain bool         // a reply does not know it
	mapped   []netip.Addr // IPv4-mapped addresses of AAAA records
}

// note reads a message from a server (RFC 1035, Section 4.1). Messages that are not
// replies are left to the net package.
func (r *dnsReplies) note(message []byte) {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil || !h.Response {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch h.RCode {
	case dnsmessage.RCodeSuccess:
		r.exists = true
	case dnsmessage.RCodeNameError:
		r.nxdomain = true
	}
	if p.SkipAllQuestions() != nil {
		return
	}
	for len(r.mapped) < maxMapped {
		rr, err := p.AnswerHeader()
		if err != nil {
			return
		}
		if rr.Type != dnsmessage.TypeAAAA {
			if p.SkipAnswer() != nil {
				return
			}
			continue
		}
		body, err := p.AAAAResource()
		if err != nil {
			return
		}
		if a := netip.AddrFrom16(body.AAAA); a.Is4In6() {
			r.mapped = append(r.mapped, a)
		}
	}
}
