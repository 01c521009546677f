package scan

import (
	"net"
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// TestLoopback probes real ports of this machine, over real sockets.
func TestLoopback(t *testing.T) {
	open, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Skip("no loopback to listen on:", err)
	}
	defer open.Close()
	ports := []uint16{portOf(open.Addr()), 1}
	go func() {
		conn, err := open.Accept()
		if err == nil {
			conn.Write([]byte("220 ready\r\n"))
			conn.Close()
		}
	}()
	scope := scopetest.Set(t, "127.0.0.1")
	c, err := NewConnect(Config{Scope: scope, HandOn: true})
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint16]result.State{}
	for r := range c.Scan(t.Context(), scopetest.Space(t, scope, ports...)) {
		got[r.Target.Port()] = r.State
		if r.State != result.StateOpen {
			continue
		}
		if r.Conn == nil || r.RTT <= 0 || r.Attempts != 1 || r.Reason != result.ReasonSynAck {
			t.Fatalf("got %+v", r)
		}
		line := make([]byte, 100)
		n, err := r.Conn.Read(line)
		if string(line[:n]) != "220 ready\r\n" {
			t.Errorf("read %q, %v", line[:n], err)
		}
		r.Conn.Close()
	}
	if got[ports[0]] != result.StateOpen || got[ports[1]] != result.StateClosed {
		t.Errorf("got %v", got)
	}
	for r := range c.Scan(t.Context(), scopetest.Space(t, scope, ports...)) {
		t.Errorf("ranged over twice: %+v", r)
	}
	if s := c.Stats(); s.Planned != 2 || s.Done != 2 || s.Open != 1 || s.Answered != 2 || s.Sent != 2 {
		t.Errorf("totals %+v", s)
	}
}

func portOf(a net.Addr) uint16 {
	return netip.MustParseAddrPort(a.String()).Port()
}

// BenchmarkLoopback probes closed ports of this machine.
func BenchmarkLoopback(b *testing.B) {
	scope := scopetest.Set(b, "127.0.0.0/24")
	space := scopetest.Space(b, scope, 1, 2, 3, 4, 5, 6, 7, 8)
	for b.Loop() {
		c, err := NewConnect(Config{Scope: scope})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for range c.Scan(b.Context(), space) {
			n++
		}
		if uint64(n) != space.Len() {
			b.Fatalf("%d results", n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(space.Len()), "ns/pair")
}
