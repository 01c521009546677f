package fingerprint

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/scan"
)

// TestPrerequisites has a policy daemon that replies to one probe only, which has
// two prerequisites, on a host that turns out to be slow during or after these.
// It is identified although each silence takes long, and its prerequisites come
// before probes that fit any port.
func TestPrerequisites(t *testing.T) {
	set := load(t)
	for name, other := range map[string]struct{ asked, slow time.Duration }{
		"quick host":             {500 * time.Millisecond, 0},
		"slow while it is asked": {500 * time.Millisecond, 1100 * time.Millisecond},
		"slow after it was":      {1200 * time.Millisecond, 1030 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var daemons sync.WaitGroup
				defer daemons.Wait()
				var mu sync.Mutex
				var asked []string
				postgrey := func(c net.Conn) {
					buf := make([]byte, 4096)
					for {
						n, err := c.Read(buf)
						if err != nil {
							return
						}
						mu.Lock()
						asked = append(asked, string(buf[:n]))
						mu.Unlock()
						if bytes.Equal(buf[:n], []byte("request=smtpd_access_policy\r\n\r\n")) {
							io.WriteString(c, "action=DUNNO\n\n")
						}
					}
				}
				id := &Identifier{Signatures: set, Dial: besideMTA(&daemons, other.slow, postgrey)}
				var others sync.WaitGroup
				defer others.Wait()
				others.Go(func() {
					time.Sleep(other.asked)
					id.Identify(t.Context(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:25")})
				})
				svc, err := id.Identify(t.Context(), scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:10023")})
				if err != nil || svc.Product != "Postgrey" {
					t.Errorf("the service is %q (inconclusive %q), error %v, want Postgrey", svc.Product, svc.Inconclusive, err)
				}
				mu.Lock()
				defer mu.Unlock()
				ping := slices.Index(asked, "PING\n")
				if proxy := slices.Index(asked, "PROXY UNKNOWN\r\n"); ping < 0 || proxy >= 0 && proxy < ping {
					t.Errorf("asked %.40q, want PING before a PROXY header", asked)
				}
			})
		})
	}
}
