package run

import (
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/queue"
	"github.com/mxsweep/mxsweep/scan"
)

// TestSetAside has one port reply on a host whose other ports are all silent, and
// on one whose ports all give the same reply: the result for the first port
// counts.
func TestSetAside(t *testing.T) {
	postfix := func() *fingerprint.Identification {
		return &fingerprint.Identification{Service: result.Service{Product: "Postfix smtpd", Role: "mta", Confidence: 9}, Banner: []byte("220 mx ESMTP Postfix\r\n")}
	}
	for _, tt := range []struct {
		name string
		kind queue.Kind
		want map[uint16]string // products by port
	}{
		{"ordinary", queue.Ordinary, map[uint16]string{1: "Postfix smtpd", 2: "", 3: "", 4: ""}},
		{"replies nowhere", queue.RepliesNowhere, map[uint16]string{1: "Postfix smtpd", 2: "", 3: "", 4: ""}},
		{"responds everywhere", queue.RespondsEverywhere, map[uint16]string{1: "", 2: "", 3: "", 4: ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := coverageSweep(t, Shard{})
			w.queue = queue.New(1)
			addr := netip.MustParseAddr("192.0.2.1")
			services := map[uint16]*fingerprint.Identification{
				1: postfix(),
				2: {Service: result.Service{Inconclusive: result.InconclusiveNoReply}},
				3: {Service: result.Service{Role: "unknown", Inconclusive: result.InconclusiveSkipped}, Banner: []byte("220 ")},
				4: {Service: result.Service{Expected: &result.Expected{Name: "postfix-policy", Role: "policy"}, Method: "table", Confidence: 3, Inconclusive: result.InconclusiveNoReply}}, // known by its number only
			}
			var open []exposure.Subject
			for port := uint16(1); port <= 4; port++ {
				open = append(open, exposure.Subject{Service: services[port],
					Result: scan.Result{Target: netip.AddrPortFrom(addr, port), State: result.StateOpen}})
			}
			notices := w.setAside(open, func(netip.Addr) queue.Kind { return tt.kind })
			if want := min(int(tt.kind), 1); len(notices) != want {
				t.Errorf("%d notices, want %d", len(notices), want)
			}
			for _, p := range open {
				s := p.Service
				if s.Product != tt.want[p.Target.Port()] {
					t.Errorf("port %d: product %q", p.Target.Port(), s.Product)
				}
				if skipped := s.Inconclusive == result.InconclusiveSkipped; s.Product == "" && skipped != (tt.kind != queue.Ordinary || p.Target.Port() == 3) {
					t.Errorf("port %d: inconclusive %q", p.Target.Port(), s.Inconclusive)
				}
			}
		})
	}
}
