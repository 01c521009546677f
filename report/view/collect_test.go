package view

import (
	"net/netip"
	"runtime"
	"testing"
	"unsafe"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/result"
)

// TestPortsOfInterfaces: two sockets of one address and port that are bound to different
// interfaces are two records.
func TestPortsOfInterfaces(t *testing.T) {
	var c Collector
	for _, bound := range []string{"0.0.0.0%tun0:25", "0.0.0.0%lo:25", "0.0.0.0%tun0:25"} {
		if err := c.Port(result.Port{IP: netip.IPv4Unspecified(), Port: 25, Protocol: "tcp", Socket: &result.Listening{Bound: bound}}); err != nil {
			t.Fatal(err)
		}
	}
	c.Finish(result.Run{})
	if len(c.Ports) != 2 || c.Ports[0].Socket.Bound != "0.0.0.0%lo:25" || c.Ports[1].Socket.Bound != "0.0.0.0%tun0:25" {
		t.Errorf("got %+v", c.Ports)
	}
}

// TestCollectorMemory: the ports of a long run take up memory twice, in the
// pieces that they come in and as the list that they become. A list that grows would
// take five times as much on the way.
func TestCollectorMemory(t *testing.T) {
	if gate.Race {
		t.Skip("the race detector allocates more")
	}
	const n = 100*pieceSize + 1
	var c Collector
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range n {
		if err := c.Port(result.Port{IP: netip.AddrFrom4([4]byte{192, 0, 2, byte(i >> 16)}), Port: uint16(i), Protocol: "tcp"}); err != nil {
			t.Fatal(err)
		}
	}
	c.join()
	runtime.ReadMemStats(&after)
	if took, most := after.TotalAlloc-before.TotalAlloc, 22*n*uint64(unsafe.Sizeof(result.Port{}))/10; took > most {
		t.Errorf("%d ports took %d bytes in all, want at most %d", n, took, most)
	}
	if len(c.Ports) != n || c.Ports[n-1].Port != (n-1)&0xffff || c.pieces != nil {
		t.Errorf("%d of %d ports are there", len(c.Ports), n)
	}
}
