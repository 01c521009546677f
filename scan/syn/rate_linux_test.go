package syn

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// TestNotAfter has the authorization end in the middle of a pass, and between
// two: nothing leaves after that, and what had not answered is unknown.
func TestNotAfter(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	l.silence(nil)
	scope, space := spaceOf(t, ninePorts, "10.91.16.0/24")
	for name, c := range map[string]struct {
		rate float64
		most int // SYNs on their way when the time ends
	}{"first pass": {500, 2}, "a later pass": {4000, 8}} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			var s *Scanner
			var err error
			end := time.Now().Add(1200 * time.Millisecond)
			l.in("s", func() {
				s, err = Open(t.Context(), space, Config{Scope: scope, Rate: c.rate, NotAfter: end, Pcap: &file})
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for r := range s.Scan(t.Context(), space) {
				if r.State != result.StateUnknown {
					t.Fatalf("%v is %v, %v", r.Target, r.State, r.Reason)
				}
			}
			var expired *scan.ExpiredError
			if !errors.As(s.Err(), &expired) || !expired.NotAfter.Equal(end) {
				t.Errorf("Err() = %v", s.Err())
			}
			asked, late := synsAfter(t, &file, end)
			if asked == 0 || uint64(asked) != s.Stats().Sent || late > c.most {
				t.Errorf("%d of %d SYNs left late, Sent = %d", late, asked, s.Stats().Sent)
			}
		})
	}
}

// synsAfter counts the SYNs of a capture, and those that left after end.
func synsAfter(t *testing.T, file *bytes.Buffer, end time.Time) (all, late int) {
	t.Helper()
	in, err := pcapgo.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, info, err := in.ReadPacketData()
		if err != nil {
			return all, late
		}
		tcp, ok := gopacket.NewPacket(b, in.LinkType(), gopacket.Default).Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok || !tcp.SYN || tcp.ACK {
			continue
		}
		all++
		if info.Timestamp.After(end) {
			late++
		}
	}
}

// TestNotAfterNeighbour has the time over before a neighbour is looked for.
func TestNotAfterNeighbour(t *testing.T) {
	r := &resolver{expiry: newExpiry(time.Now().Add(-time.Second))}
	for _, pair := range [][2]string{{"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8::2"}} {
		err := r.ask(netip.MustParseAddr(pair[0]), netip.MustParseAddr(pair[1]))
		if !errors.As(err, new(*scan.ExpiredError)) {
			t.Errorf("asking for %s: %v", pair[1], err)
		}
	}
}
