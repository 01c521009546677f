package query

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// bufferSize is the size of UDP replies that is asked for, so that they are not fragmented
// (https://www.dnsflagday.net/2020/).
const bufferSize = 1232

// A Client asks recursive DNS servers. Several goroutines may use it.
type Client struct {
	Servers    []netip.AddrPort // in the order in which they are asked; at least one
	Timeout    time.Duration    // for one try; 0 is 5 s, as of the system's resolver (resolv.conf(5))
	Tries      int              // rounds over the servers; 0 is 2
	unanswered atomic.Int32     // questions without any reply, until there is a first one; then replied

	// Trusted reports whether the AD bit of the servers can be trusted: they validate, and nobody is
	// between them and this program (RFC 4035, Section 4.9.3).
	Trusted bool
}

// Ask returns the answer to one question. The error of ctx is the only error; whatever goes wrong
// on the way is in the outcome. The name is one without or with the dot at its end.
func (c *Client) Ask(ctx context.Context, name string, qtype uint16) (*Answer, error) {
	name = dns.CanonicalName(name)
	if _, ok := dns.IsDomainName(name); !ok {
		return &Answer{Name: name, Type: qtype, Outcome: Invalid, Detail: "not a domain name"}, nil
	}
	last := &Answer{Name: name, Type: qtype, Outcome: Timeout}
	if c.unanswered.Load() >= maxUnanswered {
		last.Detail = "no DNS server has answered any question"
		return last, nil
	}
	defer func() { c.note(last) }()
	tries := c.Tries
	if tries == 0 {
		tries = 2
	}
	for range tries {
		for _, server := range c.Servers {
			a, err := c.askServer(ctx, server, name, qtype)
			if err != nil {
				return nil, err
			}
			if a.Outcome.Known() || a.Outcome == Bogus || a.Outcome == Loop {
				last = a
				return a, nil
			}
			if last.Outcome == Timeout && a.Outcome != Timeout || last.Detail == "" {
				last = a
			}
		}
	}
	return last, nil
}

// maxUnanswered is how many questions wait for a reply if there never was one: if no server is there,
// the wait for each of the others would be long and for nothing.
const maxUnanswered = 3

// replied is the value of a count of questions without a reply once there was one.
const replied = -1 << 30

// note counts questions that no server replied to.
func (c *Client) note(a *Answer) {
	if a.Outcome != Timeout {
		c.unanswered.Store(replied)
	} else {
		c.unanswered.Add(1)
	}
}

// askServer asks one server once, and once more without DNSSEC if it could not resolve the name:
// a server that then can, and then again cannot with DNSSEC, has rejected a signature (RFC 4035,
// Section 3.2.2).
func (c *Client) askServer(ctx context.Context, server netip.AddrPort, name string, qtype uint16) (*Answer, error) {
	a, err := c.exchange(ctx, server, name, qtype, false)
	if err != nil || a.Outcome != ServFail {
		return a, err
	}
	unchecked, err := c.exchange(ctx, server, name, qtype, true)
	if err != nil {
		return nil, err
	}
	if !unchecked.Outcome.Known() {
		return a, nil
	}
	again, err := c.exchange(ctx, server, name, qtype, false)
	if err == nil && again.Outcome == ServFail {
		again.Outcome = Bogus
	}
	return again, err
}

// exchange sends one question, over TCP if the reply does not fit into a datagram (RFC 7766,
// Section 5).
func (c *Client) exchange(ctx context.Context, server netip.AddrPort, name string, qtype uint16, unchecked bool) (*Answer, error) {
	q := new(dns.Msg).SetQuestion(name, qtype)
	q.AuthenticatedData = true // asks for the AD bit (RFC 6840, Section 5.7)
	q.CheckingDisabled = unchecked
	q.SetEdns0(bufferSize, false)
	m, err := c.send(ctx, server, "udp", q)
	if err == nil && m.Rcode == dns.RcodeFormatError && m.IsEdns0() == nil {
		q.Extra = nil // the server knows no EDNS (RFC 6891, Section 7)
		m, err = c.send(ctx, server, "udp", q)
	}
	if err == nil && m.Truncated {
		m, err = c.send(ctx, server, "tcp", q)
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return failed(name, qtype, err), nil
	case !answers(m, q):
		return &Answer{Name: name, Type: qtype, Outcome: Invalid, Detail: "the reply is not one to the question"}, nil
	case m.Truncated:
		return &Answer{Name: name, Type: qtype, Outcome: Invalid, Detail: "the reply is truncated over TCP"}, nil
	}
	return read(name, qtype, m), nil
}

// send sends q and waits for the reply.
func (c *Client) send(ctx context.Context, server netip.AddrPort, network string, q *dns.Msg) (*dns.Msg, error) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client := dns.Client{Net: network, Timeout: timeout}
	conn, err := client.DialContext(ctx, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // ends the reads
	defer stop()
	conn.UDPSize = bufferSize
	q.Id = dns.Id()
	if err := conn.WriteMsg(q); err != nil {
		return nil, err
	}
	for {
		m, err := receive(conn)
		if err != nil || m.Id == q.Id { // that of another id is not one of the server (RFC 5452, Section 9.1)
			return m, err
		}
	}
}

// receive reads one message. One that is marked as truncated may end anywhere (RFC 2181, Section 9);
// any other one must have all records that its header promises, of which package dns does not care.
func receive(conn *dns.Conn) (*dns.Msg, error) {
	var h dns.Header
	b, err := conn.ReadMsgHeader(&h)
	if err != nil {
		return nil, err
	}
	m := new(dns.Msg)
	err = m.Unpack(b)
	m.Id = h.Id
	switch {
	case m.Truncated:
		return m, nil
	case err != nil:
		return m, err
	case len(m.Question) != int(h.Qdcount) || len(m.Answer) != int(h.Ancount) || len(m.Ns) != int(h.Nscount) || len(m.Extra) != int(h.Arcount):
		return m, errors.New("the reply has fewer records than its header says")
	}
	return m, nil
}

// answers reports whether m is a reply to the question of q (RFC 5452, Section 4).
func answers(m, q *dns.Msg) bool {
	if !m.Response || m.Opcode != dns.OpcodeQuery || len(m.Question) != 1 {
		return false
	}
	asked, got := q.Question[0], m.Question[0]
	return dns.CanonicalName(got.Name) == asked.Name && got.Qtype == asked.Qtype && got.Qclass == asked.Qclass
}

// failed is the answer if the server could not be asked, or did not reply.
func failed(name string, qtype uint16, err error) *Answer {
	a := &Answer{Name: name, Type: qtype, Outcome: Invalid, Detail: err.Error()}
	var n net.Error
	if errors.As(err, &n) && n.Timeout() {
		a.Outcome, a.Detail = Timeout, ""
	}
	var op *net.OpError
	if errors.As(err, &op) && !op.Timeout() {
		a.Outcome, a.Detail = Timeout, op.Err.Error() // such as a refused connection: nothing replies there
	}
	return a
}
