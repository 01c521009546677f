package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"mxsweep/fingerprint"
	"mxsweep/internal/mailtest"
	"mxsweep/scan"
)

// TestAskedLater has a daemon turn away the first connections of a run, and the
// second try of each dialogue with them: it is named once all else is done.
func TestAskedLater(t *testing.T) {
	daemon, err := mailtest.Daemon("postfix")
	if err != nil {
		t.Fatal(err)
	}
	var conns atomic.Int32
	s, err := mailtest.Listen("127.77.201.1:10025", mailtest.HandlerFunc(func(c *mailtest.Conn) {
		if conns.Add(1) <= 2 {
			c.Say("421 busy\r\n")
			return
		}
		daemon.Serve(c)
	}))
	if err != nil {
		t.Skip("cannot listen on loopback:", err)
	}
	defer s.Close()
	var out bytes.Buffer
	run(t.Context(), []string{"scan", "127.77.201.1:10025", "-o", "json", "--fail-on", "none", "--progress", "never", "-q"},
		strings.NewReader(""), &out, io.Discard, func(string) string { return "" })
	var doc struct {
		Ports []struct {
			Service struct{ Product, Inconclusive string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Ports) != 1 || doc.Ports[0].Service.Product != "Postfix smtpd" || doc.Ports[0].Service.Inconclusive != "" {
		t.Errorf("after %d connections the ports are %+v, want Postfix smtpd", conns.Load(), doc.Ports)
	}
}

// TestLaterPortsAreBounded keeps so many ports of a host for later, and so many
// in all.
func TestLaterPortsAreBounded(t *testing.T) {
	var later laterPorts
	kept := 0
	for i := range 4 * maxLater {
		addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 128)})
		if later.add(laterPort{scan.Result{Target: netip.AddrPortFrom(addr, uint16(i/128))}, &fingerprint.Service{}}) {
			kept++
		}
	}
	if kept != maxLater {
		t.Errorf("%d ports are kept, want %d", kept, maxLater)
	}
	later = laterPorts{}
	for port := range uint16(2 * maxLaterHost) {
		later.add(laterPort{scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)}, &fingerprint.Service{}})
	}
	if later.count != maxLaterHost {
		t.Errorf("%d ports of one host are kept, want %d", later.count, maxLaterHost)
	}
}
