package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/queue"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/signatures"
)

// TestDaemonInTarpit has one daemon greet among many ports that accept
// connections and reply to nothing: it is identified, even if the policy accepts
// that the others cannot be assessed. A service that the policy expects and that
// does not greet is not covered by that acceptance.
func TestDaemonInTarpit(t *testing.T) {
	gate.RealTime(t)
	t.Parallel()
	const host, daemonPort, first, ports = "127.77.202.1", 10025, 10120, 20
	daemon, err := mailtest.Daemon("postfix-reinjection")
	if err != nil {
		t.Fatal(err)
	}
	listen := func(port int, h mailtest.Handler) {
		s, err := mailtest.Listen(fmt.Sprintf("%s:%d", host, port), h)
		if err != nil {
			t.Skip("cannot listen on loopback:", err)
		}
		t.Cleanup(func() { s.Close() })
	}
	listen(daemonPort, daemon)
	for i := range ports {
		listen(first+i, mailtest.Silent{})
	}
	mute, all := fmt.Sprintf("%d-%d", first, first+ports-1), fmt.Sprintf("%d,%d-%d", daemonPort, first, first+ports-1)
	const accept = `version: 1
accept:
  - {id: AR-1, rule: MXS9022, target: 127.77.202.1, reason: the tarpit of the network team, owner: mail-ops, expires: 2999-01-31}
`
	for _, tt := range []struct {
		name, target, ports, policy string
		code                        int
		notice                      string
	}{
		{"a daemon that greets", host, all, accept, 1, "MXS9022"},
		{"none that greets", host, mute, accept, 0, "MXS9027"},
		{"one of many hosts, not accepted", "127.77.202.0/26", mute, "version: 1\n", 0, "MXS9022"},
		{"one that is expected and does not greet", host, mute, accept + `expect:
  - {target: 127.77.202.1, ports: [10139], protocol: postfix-policy}
`, 4, "MXS9034"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			policy := filepath.Join(t.TempDir(), "policy.yaml")
			if err := os.WriteFile(policy, []byte(tt.policy), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			outcome, err := Scan(t.Context(), Options{Targets: []string{tt.target}, Ports: []string{tt.ports}, Policy: policy, Vantage: "internet", GreetingTimeout: 7 * time.Second,
				Outputs: []output.Spec{{Format: "json", Writer: &out}}})
			if err != nil {
				t.Fatal(err)
			}
			code := outcome.Decision.Code
			var doc struct {
				Notices []struct{ Code, Level, Message string }
				Ports   []struct {
					Port    int
					Service struct{ Product string }
				}
			}
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			told := map[string]string{}
			for _, n := range doc.Notices {
				told[n.Code] = n.Message
				if code == 0 && n.Level == string(result.LevelError) {
					t.Errorf("the run passes, and %s is an error", n.Code)
				}
			}
			if int(code) != tt.code || told[tt.notice] == "" {
				t.Errorf("exit %d, want %d and %s: %v", code, tt.code, tt.notice, told)
			}
			if strings.Contains(told["MXS9027"], "No port was open") {
				t.Errorf("%d ports are open, and it says %q", ports, told["MXS9027"])
			}
			for _, p := range doc.Ports {
				if p.Port == daemonPort && p.Service.Product != "Postfix smtpd" {
					t.Errorf("the daemon is called %q", p.Service.Product)
				}
			}
		})
	}
}

// TestTarpitsTakeLittleTime runs dialogues with ten hosts of 118 ports each that
// accept connections and reply to nothing. It takes at most 30 s of the test's
// time, and few probes are sent.
func TestTarpitsTakeLittleTime(t *testing.T) {
	const many, ports = 10, 118
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := coverageSweep(t, Shard{})
		w.plan.set, w.early = set, func(exposure.Subject) error { return nil }
		w.queue = queue.New(4)
		var conns atomic.Int32
		var peers sync.WaitGroup
		w.identifier = &fingerprint.Identifier{Signatures: set, Slots: hosts.NewSlots(0), Concurrency: identifiers(512),
			Idle: func(a netip.AddrPort, silent bool) { w.queue.Idle(a, silent) },
			Dial: func(context.Context, netip.AddrPort) (net.Conn, error) {
				conns.Add(1)
				time.Sleep(20 * time.Millisecond)
				ours, theirs := net.Pipe()
				peers.Go(func() { io.Copy(io.Discard, theirs) })
				return ours, nil
			}}
		for host := range many {
			for port := range ports {
				w.queue.Put(scan.Result{Target: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(host)}), uint16(10000+port)), State: result.StateOpen, RTT: 20 * time.Millisecond})
			}
		}
		w.queue.Close()
		begun := time.Now()
		var workers sync.WaitGroup
		for range w.identifier.Concurrency {
			workers.Go(func() { w.identify(t.Context(), func(error) {}) })
		}
		w.finishTalks(t.Context(), &workers, func(error) {})
		if took := time.Since(begun); took > 30*time.Second {
			t.Errorf("it took %v", took)
		}
		if n := conns.Load(); n > many*2*ports {
			t.Errorf("%d connections to %d ports", n, many*ports)
		}
		if len(w.open) != many*ports {
			t.Errorf("%d of %d ports are reported", len(w.open), many*ports)
		}
		t.Logf("%v, %d connections", time.Since(begun), conns.Load())
		peers.Wait()
	})
}
