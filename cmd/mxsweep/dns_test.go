package main

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/net/dns/dnsmessage"
)

// A dnsServer answers from a script's zone file, over UDP on loopback.
type dnsServer struct {
	conn net.PacketConn
	zone map[string][]string // "name. A" to its answer

	mu    sync.Mutex
	asked map[string]int
}

// dnsKey is the key of a script's DNS server.
type dnsKey struct{}

// dnsServerCommand NAME FILE starts a DNS server for the rest of the script and
// sets $NAME to its address and port. Each line of FILE is a host, a type, and
// the answer: addresses, "rotate" and addresses of which each answer has one,
// SERVFAIL, REFUSED, or "drop" for no answer.
func dnsServerCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: dnsserver NAME FILE")
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	ts.Check(err)
	s := &dnsServer{conn: conn, zone: map[string][]string{}, asked: map[string]int{}}
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if words := strings.Fields(line); len(words) > 2 {
			s.zone[words[0]+". "+words[1]] = words[2:]
		}
	}
	var ended sync.WaitGroup
	ended.Go(s.serve)
	ts.Defer(func() { conn.Close(); ended.Wait() })
	ts.Value(dnsKey{}).(map[string]*dnsServer)[args[0]] = s
	ts.Setenv(args[0], conn.LocalAddr().String())
}

// asked NAME HOST TYPE N checks that a DNS server received a query N times.
func asked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: asked NAME HOST TYPE N")
	}
	s := ts.Value(dnsKey{}).(map[string]*dnsServer)[args[0]]
	if s == nil {
		ts.Fatalf("no DNS server %q", args[0])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := fmt.Sprint(s.asked[args[1]+". "+args[2]]); got != args[3] {
		ts.Fatalf("%s %s was asked for %s times, want %s", args[1], args[2], got, args[3])
	}
}

func (s *dnsServer) serve() {
	b := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(b)
		if err != nil {
			return // closed
		}
		if reply := s.reply(b[:n]); reply != nil {
			_, _ = s.conn.WriteTo(reply, from)
		}
	}
}

// reply returns the answer to a query, nil for none.
func (s *dnsServer) reply(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	key := q.Name.String() + " " + strings.TrimPrefix(q.Type.String(), "Type")
	s.mu.Lock()
	turn := s.asked[key]
	s.asked[key]++
	s.mu.Unlock()
	out := dnsmessage.Message{Questions: m.Questions, Header: dnsmessage.Header{
		ID: m.ID, Response: true, RecursionDesired: true, RecursionAvailable: true, RCode: s.code(q.Name.String(), key)}}
	words := s.zone[key]
	switch {
	case len(words) == 0 || words[0] == "SERVFAIL" || words[0] == "REFUSED":
		words = nil
	case words[0] == "drop":
		return nil
	case words[0] == "rotate":
		words = words[1+turn%(len(words)-1):][:1]
	}
	for _, word := range words {
		r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}}
		if a := netip.MustParseAddr(word); a.Is4() {
			r.Body = &dnsmessage.AResource{A: a.As4()}
		} else {
			r.Body = &dnsmessage.AAAAResource{AAAA: a.As16()}
		}
		out.Answers = append(out.Answers, r)
	}
	packed, err := out.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// code returns the response code for a query (RFC 1035, Section 4.1.1).
func (s *dnsServer) code(name, key string) dnsmessage.RCode {
	if words := s.zone[key]; len(words) > 0 {
		switch words[0] {
		case "SERVFAIL":
			return dnsmessage.RCodeServerFailure
		case "REFUSED":
			return dnsmessage.RCodeRefused
		}
		return dnsmessage.RCodeSuccess
	}
	for known := range s.zone {
		if strings.HasPrefix(known, name+" ") {
			return dnsmessage.RCodeSuccess // NODATA
		}
	}
	return dnsmessage.RCodeNameError
}
