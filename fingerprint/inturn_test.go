package fingerprint

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// resetConn is a connection that the other side resets instead of closing it.
type resetConn struct{ net.Conn }

func (c resetConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == io.EOF {
		err = syscall.ECONNRESET
	}
	return n, err
}

// TestServedInTurn serves one connection of several in turn and resets, or
// closes, the others. Whichever is first, one in three is enough for an
// identification. A port that resets all connections is inconclusive; one that
// closes them has an access list.
func TestServedInTurn(t *testing.T) {
	set := load(t)
	served := answering(0, "220 mx.example.org ESMTP Postfix\r\n", map[string]string{
		"EHLO": "250-mx.example.org\r\n250 CHUNKING\r\n", "HELP": "500 5.5.2 Error: command not recognized\r\n",
		"": "500 5.5.2 Error: bad syntax\r\n", "QUIT": "221 2.0.0 Bye\r\n",
	})
	for _, c := range []struct {
		each, first int32 // first is the number of the first connection that is served
		resets      bool
		protocol    string
		why         result.Inconclusive
	}{
		{3, 1, true, "smtp", ""}, {3, 2, true, "smtp", ""}, {3, 3, true, "smtp", ""},
		{3, 1, false, "smtp", ""}, {3, 2, false, "smtp", ""}, {3, 3, false, "smtp", ""},
		{20, 20, true, "", result.InconclusiveCutOff}, {20, 20, false, "", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			var conns atomic.Int32
			var wg sync.WaitGroup
			id := &Identifier{Signatures: set, Dial: func(context.Context, netip.AddrPort) (net.Conn, error) {
				ours, theirs := net.Pipe()
				away := conns.Add(1)%c.each != c.first%c.each
				wg.Go(func() {
					defer theirs.Close()
					if !away {
						served(theirs)
					}
				})
				if away && c.resets {
					return resetConn{ours}, nil
				}
				return ours, nil
			}}
			svc, _ := id.Identify(t.Context(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:10031")})
			wg.Wait()
			if svc.Name != c.protocol || svc.Inconclusive != c.why {
				t.Errorf("%+v: service is %q, inconclusive %q", c, svc.Name, svc.Inconclusive)
			}
			if c.protocol == "" && conns.Load() != refusals {
				t.Errorf("%+v: %d connections, want %d", c, conns.Load(), refusals)
			}
		})
	}
}
