//go:build unix

package fingerprint

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/dialer"
)

// starvedDialer has no file left until the given moment.
func starvedDialer(until time.Time, play fake) func(context.Context, netip.AddrPort) (net.Conn, error) {
	return func(context.Context, netip.AddrPort) (net.Conn, error) {
		if time.Now().Before(until) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
		}
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			play(theirs)
		}()
		return ours, nil
	}
}

// TestOutOfResources has this machine run out of file descriptors: for a moment,
// which is waited for, or permanently, which is an error and never a result.
func TestOutOfResources(t *testing.T) {
	set := load(t)
	postfix := answering(0, "220 mx.example.org ESMTP Postfix\r\n", map[string]string{"EHLO": "250 mx.example.org\r\n"})
	for _, tt := range []struct {
		name   string
		lasts  time.Duration
		starve bool
	}{
		{"a moment", time.Second, false},
		{"for good", time.Hour, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			id := &Identifier{Signatures: set, Dial: starvedDialer(time.Now().Add(tt.lasts), postfix)}
			svc, err := id.Identify(t.Context(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:10031")})
			if dialer.Exhausted(err) != tt.starve {
				t.Errorf("%s: error %v", tt.name, err)
			}
			if got := svc.Name == "smtp"; got == tt.starve {
				t.Errorf("%s: protocol %q", tt.name, svc.Name)
			}
		})
	}
}

// TestOutOfResourcesAfterGreeting allows only the first connection. The result of
// the greeting is kept, and so is the reason for knowing no more.
func TestOutOfResourcesAfterGreeting(t *testing.T) {
	set := load(t)
	synctest.Test(t, func(t *testing.T) {
		var conns atomic.Int32
		none := starvedDialer(time.Now().Add(time.Hour), nil)
		some := starvedDialer(time.Now(), answering(0, "220 mx.example.org ESMTP\r\n", map[string]string{"EHLO": "250 mx.example.org\r\n"}))
		id := &Identifier{Signatures: set, Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			if conns.Add(1) > 1 {
				return none(ctx, to)
			}
			return some(ctx, to)
		}}
		svc, err := id.Identify(t.Context(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:10031")})
		if !dialer.Exhausted(err) || svc.Name != "smtp" {
			t.Errorf("protocol %q, error %v", svc.Name, err)
		}
	})
}
