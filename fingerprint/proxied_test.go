package fingerprint

import (
	"testing"
	"time"

	"mxsweep/internal/mailtest"
	"mxsweep/scan"
)

// TestProxiedOfEveryProtocol asks listeners that want a PROXY header: what speaks
// behind it is named, TLS is told, and so is the trust.
func TestProxiedOfEveryProtocol(t *testing.T) {
	set := load(t)
	for _, p := range set.Probes {
		p.Quiet = min(p.Quiet, 100*time.Millisecond)
	}
	for _, s := range speakers {
		t.Run(s.protocol, func(t *testing.T) {
			t.Parallel()
			server := mailtest.Serve(t, mailtest.Proxied{Inner: s.handler(t, "starttls")})
			id := &Identifier{Signatures: set, GreetingWait: 6 * time.Second}
			svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			if svc.Protocol != s.protocol || svc.Tunnel != "" || !svc.Has("proxy-trusted") {
				t.Errorf("service is %q in the tunnel %q with %q, want %q, none and proxy-trusted\n%v",
					svc.Protocol, svc.Tunnel, svc.Observations, s.protocol, svc.Transcript)
			}
			checkTLS(t, svc.TLS)
		})
	}
}
