package main

import (
	"net"

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
