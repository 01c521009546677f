package query

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// serve starts a DNS server on loopback that replies with what handle makes of each question.
func serve(t *testing.T, handle func(q, reply *dns.Msg, tcp bool)) netip.AddrPort {
	t.Helper()
	udp, tcp := listenBoth(t)
	handler := func(isTCP bool) dns.Handler {
		return dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
			reply := new(dns.Msg).SetReply(q)
			handle(q, reply, isTCP)
			_ = w.WriteMsg(reply)
		})
	}
	for _, s := range []*dns.Server{{PacketConn: udp, Handler: handler(false)}, {Listener: tcp, Handler: handler(true)}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() { _ = s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return udp.LocalAddr().(*net.UDPAddr).AddrPort()
}

// listenBoth listens on one port of loopback, over UDP and TCP. That a number is free over UDP says
// nothing of TCP, where another process may use it.
func listenBoth(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	var last error
	for range 100 {
		udp, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err == nil {
			return udp, tcp
		}
		udp.Close()
		last = err
	}
	t.Fatal(last)
	return nil, nil
}

// rr parses a record.
func rr(t testing.TB, text string) dns.RR {
	t.Helper()
	r, err := dns.NewRR(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// extendedError adds an extended error to a reply.
func extendedError(m *dns.Msg, code uint16) {
	m.SetEdns0(bufferSize, false)
	m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: code, ExtraText: "why"})
}

// TestAsk: how each kind of reply ends.
func TestAsk(t *testing.T) {
	address := rr(t, "mx.example.org. 60 IN A 192.0.2.1")
	for name, c := range map[string]struct {
		handle  func(q, reply *dns.Msg, tcp bool)
		outcome Outcome
		records int
	}{
		"found":  {func(_, m *dns.Msg, _ bool) { m.Answer = []dns.RR{address} }, Found, 1},
		"NODATA": {func(_, m *dns.Msg, _ bool) {}, NoData, 0},
		"alias": {func(_, m *dns.Msg, _ bool) {
			m.Answer = []dns.RR{rr(t, "b.example.org. 60 IN A 192.0.2.1"), rr(t, "MX.example.org. 60 IN CNAME B.example.org.")}
		}, Found, 1},
		"records of another name": {func(_, m *dns.Msg, _ bool) { m.Answer = []dns.RR{rr(t, "other.example.org. 60 IN A 192.0.2.1")} }, NoData, 0},
		"loop": {func(_, m *dns.Msg, _ bool) {
			m.Answer = []dns.RR{rr(t, "mx.example.org. 60 IN CNAME b.example.org."), rr(t, "b.example.org. 60 IN CNAME mx.example.org.")}
		}, Loop, 0},
		"NXDOMAIN": {func(_, m *dns.Msg, _ bool) { m.Rcode = dns.RcodeNameError }, NXDomain, 0},
		"SERVFAIL": {func(_, m *dns.Msg, _ bool) { m.Rcode = dns.RcodeServerFailure }, ServFail, 0},
		"REFUSED":  {func(_, m *dns.Msg, _ bool) { m.Rcode = dns.RcodeRefused }, Refused, 0},
		"bogus, told": {func(_, m *dns.Msg, _ bool) {
			m.Rcode = dns.RcodeServerFailure
			extendedError(m, dns.ExtendedErrorCodeSignatureExpired)
		}, Bogus, 0},
		"bogus, found out": {func(q, m *dns.Msg, _ bool) {
			if m.Answer = []dns.RR{address}; !q.CheckingDisabled {
				m.Answer, m.Rcode = nil, dns.RcodeServerFailure
			}
		}, Bogus, 0},
		"blocked": {func(_, m *dns.Msg, _ bool) {
			m.Rcode = dns.RcodeNameError
			extendedError(m, dns.ExtendedErrorCodeBlocked)
		}, Refused, 0},
		"over TCP": {func(_, m *dns.Msg, tcp bool) {
			if m.Truncated = !tcp; tcp {
				m.Answer = []dns.RR{address}
			}
		}, Found, 1},
		"truncated over TCP": {func(_, m *dns.Msg, _ bool) { m.Truncated = true }, Invalid, 0},
		"without EDNS": {func(q, m *dns.Msg, _ bool) {
			if m.Answer = []dns.RR{address}; q.IsEdns0() != nil {
				m.Answer, m.Rcode = nil, dns.RcodeFormatError
			}
		}, Found, 1},
		"referral": {func(_, m *dns.Msg, _ bool) { m.Ns = []dns.RR{rr(t, "example.org. 60 IN NS ns.example.org.")} }, Refused, 0},
		"NODATA with SOA": {func(_, m *dns.Msg, _ bool) {
			m.Ns = []dns.RR{rr(t, "example.org. 60 IN SOA ns.example.org. h.example.org. 1 1 1 1 1"), rr(t, "example.org. 60 IN NS ns.example.org.")}
		}, NoData, 0},
		"alias that is not followed": {func(_, m *dns.Msg, _ bool) {
			m.Answer = []dns.RR{rr(t, "mx.example.org. 60 IN CNAME mx.example.net.")}
		}, Refused, 0},
		"alias without data": {func(_, m *dns.Msg, _ bool) {
			m.Answer, m.RecursionAvailable = []dns.RR{rr(t, "mx.example.org. 60 IN CNAME mx.example.net.")}, true
		}, NoData, 0},
		"alias without data, SOA": {func(_, m *dns.Msg, _ bool) {
			m.Answer = []dns.RR{rr(t, "mx.example.org. 60 IN CNAME b.example.org.")}
			m.Ns = []dns.RR{rr(t, "example.org. 60 IN SOA ns.example.org. h.example.org. 1 1 1 1 1")}
		}, NoData, 0},
		"another question": {func(_, m *dns.Msg, _ bool) { m.Question[0].Name = "b.example.org." }, Invalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c1 := &Client{Servers: []netip.AddrPort{serve(t, c.handle)}, Tries: 1}
			a, err := c1.Ask(t.Context(), "MX.example.org", dns.TypeA)
			if err != nil || a.Outcome != c.outcome || len(a.Records) != c.records {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
}

// TestTransient: a server that could not resolve a name once has not rejected its signature.
func TestTransient(t *testing.T) {
	asked := 0
	server := serve(t, func(_, m *dns.Msg, _ bool) {
		if asked++; asked == 1 {
			m.Rcode = dns.RcodeServerFailure
		}
	})
	c := &Client{Servers: []netip.AddrPort{server}, Tries: 1}
	if a, err := c.Ask(t.Context(), "example.org", dns.TypeMX); err != nil || a.Outcome != NoData {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestDeadServer: questions after the first ones do not wait for a server that never replied.
func TestDeadServer(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c := &Client{Servers: []netip.AddrPort{silent.LocalAddr().(*net.UDPAddr).AddrPort()}, Timeout: 20 * time.Millisecond, Tries: 1}
	for i := range 6 {
		a, err := c.Ask(t.Context(), "example.org", dns.TypeMX)
		if err != nil || a.Outcome != Timeout || (a.Detail != "") != (i >= maxUnanswered) {
			t.Errorf("question %d: %+v, %v", i, a, err)
		}
	}
}

// TestNextServer: a server that cannot resolve is followed by the next one.
func TestNextServer(t *testing.T) {
	bad := serve(t, func(_, m *dns.Msg, _ bool) { m.Rcode = dns.RcodeRefused })
	good := serve(t, func(_, m *dns.Msg, _ bool) { m.Rcode = dns.RcodeNameError })
	c := &Client{Servers: []netip.AddrPort{bad, good}}
	if a, err := c.Ask(t.Context(), "example.org", dns.TypeMX); err != nil || a.Outcome != NXDomain {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestNoServer: without a server there is no answer, and no error either.
func TestNoServer(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c := &Client{Servers: []netip.AddrPort{silent.LocalAddr().(*net.UDPAddr).AddrPort()}, Timeout: 20 * time.Millisecond}
	if a, err := c.Ask(t.Context(), "example.org", dns.TypeMX); err != nil || a.Outcome != Timeout {
		t.Errorf("%+v, %v", a, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Ask(ctx, "example.org", dns.TypeMX); err == nil {
		t.Error("no error of the context")
	}
	if a, err := c.Ask(t.Context(), "a..b", dns.TypeMX); err != nil || a.Outcome != Invalid {
		t.Errorf("%+v, %v", a, err)
	}
}

// countingAsker counts the questions.
type countingAsker struct{ asked atomic.Int64 }

func (c *countingAsker) Ask(ctx context.Context, name string, qtype uint16) (*Answer, error) {
	c.asked.Add(1)
	return &Answer{Name: name, Type: qtype, Outcome: NoData}, context.Cause(ctx)
}

// TestCache: each question is asked once; one that was stopped is asked again.
func TestCache(t *testing.T) {
	asker := &countingAsker{}
	c := NewCache(asker, 2)
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Ask(stopped, "example.org", dns.TypeMX); err == nil {
		t.Error("no error")
	}
	before := asker.asked.Load()
	done := make(chan error)
	for range 20 {
		go func() {
			_, err := c.Ask(t.Context(), "Example.ORG.", dns.TypeMX)
			done <- err
		}()
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := asker.asked.Load() - before; n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestBudget: questions beyond the limit are not asked, those that were asked are free.
func TestBudget(t *testing.T) {
	asker := &countingAsker{}
	b := &Budget{Asker: asker, Most: 2}
	for _, name := range []string{"a.org", "b.org", "a.org", "B.org."} {
		if a, err := b.Ask(t.Context(), name, dns.TypeA); err != nil || a.Outcome != NoData {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	if a, _ := b.Ask(t.Context(), "c.org", dns.TypeA); a.Outcome != Limit || asker.asked.Load() != 2 || b.Asked() != 2 {
		t.Errorf("%+v, asked %d", a, asker.asked.Load())
	}
}

// FuzzRead: no reply stops the reader.
func FuzzRead(f *testing.F) {
	m := new(dns.Msg).SetQuestion("mx.example.org.", dns.TypeA)
	m.Answer = []dns.RR{rr(f, "mx.example.org. 60 IN CNAME b.example.org."), rr(f, "b.example.org. 60 IN A 192.0.2.1")}
	extendedError(m, 6)
	packed, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m dns.Msg
		if m.Unpack(b) != nil {
			return
		}
		a := read("mx.example.org.", dns.TypeA, &m)
		if (a.Outcome == Found) != (len(a.Records) > 0 && a.Outcome.Known()) || len(a.Aliases) > maxAliases {
			t.Errorf("%+v", a)
		}
	})
}
