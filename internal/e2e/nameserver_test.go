//go:build linux

package e2e

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// queries is where a host's name server writes down what it was asked.
const queries = logDir + "/queries"

// nameServer answers every DNS query of the host with "no such name", at
// once, and writes the query down: a policy daemon that looks up what a
// stranger sent is a trace, too.
func nameServer() error {
	socket, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		return err
	}
	log, err := os.OpenFile(queries, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	go answerQueries(socket, func(m *dnsmessage.Message) {
		fmt.Fprintln(log, m.Questions[0].Name, m.Questions[0].Type)
		m.Header.RCode = dnsmessage.RCodeNameError // RFC 1035, Section 4.1.1
	})
	return nil
}

// answerQueries answers the DNS queries that come to a socket until it is closed.
// Answer makes a query with one question the response to it.
func answerQueries(socket net.PacketConn, answer func(*dnsmessage.Message)) {
	buf := make([]byte, 4096)
	for {
		n, from, err := socket.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Header.Response = true
		m.Additionals = nil
		answer(&m)
		if packed, err := m.Pack(); err == nil {
			socket.WriteTo(packed, from)
		}
	}
}

// watchLookups returns what adds the names that hosts have looked up since.
func watchLookups(n *network) func(*testing.T, traces) {
	before := map[string]int64{}
	for name, h := range n.hosts {
		if h.cmd != nil {
			before[name] = size(h, queries)
		}
	}
	return func(t *testing.T, left traces) {
		for name, since := range before {
			for line := range strings.Lines(tail(t, n.hosts[name], queries, since)) {
				left[name+": lookups"] += line
			}
		}
	}
}
