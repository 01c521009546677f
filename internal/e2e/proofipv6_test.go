//go:build linux

package e2e

import (
	"net"
	"net/netip"
	"regexp"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mxsweep/mxsweep/exposure/fix"
)

// filterHost is a host whose packet filter has rules for IPv4 alone.
var filterHost = spec{
	name: "fix-ipv6", n: 40, byName: true,
	about: "Postfix with an internal listener that the packet filter guards over IPv4 alone",
	setup: append(postfixSetup("fix-ipv6"),
		"echo '10025 inet n - n - - smtpd' >>/etc/postfix/master.cf",
		"nft add table ip office",
		`nft add chain ip office input "{ type filter hook input priority filter; }"`,
		"nft add rule ip office input iifname != lo tcp dport 10025 reject with tcp reset",
	),
	daemons: []daemon{postfixDaemon},
	listen:  []int{25, 10025},
}

var filterProof = proof{fix: "ipv6-filter", rule: "MXS1906", host: "fix-ipv6", port: 10025, overIPv6: true, product: "nftables", pkg: "nftables"}

// The steps that are commands, and those that say where output belongs.
var (
	commandStep = regexp.MustCompile("^`([^`]+)`$")
	writeStep   = regexp.MustCompile("^Write what `([^`]+)` prints into (\\S+) as well\\b")
)

// obey runs the commands of a fix whose steps are commands, as they are
// printed.
func (p *proof) obey(t *testing.T, h *host, f *fix.Fix) {
	t.Helper()
	ran := 0
	for _, line := range f.Lines(fix.Values{Address: netip.MustParseAddr(p.address(h)), Port: uint16(p.port)}) {
		command := ""
		if m := commandStep.FindStringSubmatch(line); m != nil {
			command = m[1]
		} else if m := writeStep.FindStringSubmatch(line); m != nil {
			command = m[1] + " >>" + m[2]
		} else {
			continue
		}
		if out, err := h.shell(command); err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		ran++
	}
	if ran == 0 {
		t.Fatalf("no step of %s is a command", f.ID)
	}
}

// serveName answers queries for the name of a host with its addresses of both
// families, in the scanner's namespace and until the test ends.
func serveName(t *testing.T, s *spec) (resolver string) {
	t.Helper()
	var socket net.PacketConn
	var err error
	inNamespace(t, scanner, func() { socket, err = net.ListenPacket("udp", "127.0.0.1:0") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	go answerQueries(socket, func(m *dnsmessage.Message) {
		q := m.Questions[0]
		head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
		switch q.Type {
		case dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: netip.MustParseAddr(address4(s.n)).As4()}}}
		case dnsmessage.TypeAAAA:
			m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(address6(s.n)).As16()}}}
		}
	})
	return socket.LocalAddr().String()
}
