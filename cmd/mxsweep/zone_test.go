package main

import (
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mxsweep/mxsweep/domains/zonetest"
)

// zoneServerCommand NAME FILE starts a recursive DNS server on loopback for the rest of the script,
// and sets $NAME to its address and port. FILE is a zone of package zonetest.
func zoneServerCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: zoneserver NAME FILE")
	}
	zone, err := zonetest.New(ts.ReadFile(args[1]))
	ts.Check(err)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	ts.Check(err)
	started := make(chan struct{})
	s := &dns.Server{PacketConn: conn, Handler: zone, NotifyStartedFunc: func() { close(started) }}
	go func() { _ = s.ActivateAndServe() }()
	<-started
	ts.Defer(func() { _ = s.Shutdown() })
	ts.Setenv(args[0], conn.LocalAddr().String())
}

// TestPublic: documents are fetched from addresses of the internet, and from none that may be inside.
func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"203.0.113.10": true, "2001:db8::1": true, "2600::1": true, "::ffff:203.0.113.10": true,
		"10.1.2.3": false, "127.0.0.1": false, "169.254.169.254": false, "100.64.0.1": false, "0.1.2.3": false, "198.18.0.1": false, "240.0.0.1": false, "224.0.0.1": false,
		"::1": false, "::10.0.0.1": false, "::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "64:ff9b:1::1": false, "2002:a00:1::": false, "2001:0:1::": false, "fd00::1": false, "fe80::1": false, "fec0::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
}
