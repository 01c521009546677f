package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
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

// A tarpit counts what reaches the ports of hosts that accept connections and reply to
// nothing.
type tarpit struct {
	network mailtest.Network

	mu    sync.Mutex
	ports map[netip.AddrPort]*tarpitPort
}

type tarpitPort struct {
	server *mailtest.Server
	fails  bool // its first connection does not come about
	conns  int
	asked  bool // something was sent to it
}

// port adds a port, which reads all that it is sent.
func (p *tarpit) port(t *testing.T, at netip.AddrPort, fails bool) {
	port := &tarpitPort{fails: fails}
	port.server = p.network.Serve(t, mailtest.HandlerFunc(func(c *mailtest.Conn) {
		if n, _ := c.Read(make([]byte, 1)); n > 0 {
			p.mu.Lock()
			port.asked = true
			p.mu.Unlock()
		}
		c.Swallow()
	}))
	p.ports[at] = port
}

// dial connects to a port.
func (p *tarpit) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	p.mu.Lock()
	port := p.ports[to]
	port.conns++
	fails := port.fails && port.conns == 1
	p.mu.Unlock()
	time.Sleep(20 * time.Millisecond)
	if fails {
		return nil, syscall.ETIMEDOUT
	}
	return p.network.Dial(ctx, port.server.Addr())
}

// TestTarpitsTakeLittleTime runs dialogues with ten hosts of 118 ports each that
// accept connections and reply to nothing. It takes at most 30 s of the test's
// time. A few ports of each host are asked something, with the number of connections
// that docs/usage.md allows; the others get one connection, to listen for a greeting.
func TestTarpitsTakeLittleTime(t *testing.T) {
	const (
		many, ports = 10, 118
		asked       = 8     // ports of a host, see queue.New
		first, more = 10, 8 // connections to one port, and when it is asked again
	)
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		first  uint16 // the port of each host that is asked first
		failed int    // how many fail to be connected to, from that one on
	}{
		"any port":                {first: 10000},
		"one is asked with a FIN": {first: 10055}, // as olefy
		"one connection fails":    {first: 10000, failed: 1},
		"four connections fail":   {first: 10000, failed: 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pit := &tarpit{ports: map[netip.AddrPort]*tarpitPort{}}
				w := coverageSweep(t, Shard{})
				w.plan.set, w.early = set, func(exposure.Subject) error { return nil }
				w.queue = queue.New(4)
				w.identifier = &fingerprint.Identifier{Signatures: set, Slots: hosts.NewSlots(0), Concurrency: identifiers(512), Dial: pit.dial,
					Idle: func(a netip.AddrPort, silent bool) { w.queue.Idle(a, silent) }}
				for host := range many {
					for i := range ports {
						at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(host)}), 10000+(c.first-10000+uint16(i))%ports)
						pit.port(t, at, i < c.failed)
						w.queue.Put(scan.Result{Target: at, State: result.StateOpen, RTT: 20 * time.Millisecond})
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
				if len(w.open) != many*ports {
					t.Errorf("%d of %d ports are reported", len(w.open), many*ports)
				}
				all, askedOf := 0, map[netip.Addr]int{}
				for at, port := range pit.ports {
					most := 1
					if port.asked {
						askedOf[at.Addr()]++
						most = first - 1 + more // one has found it
					}
					if all += port.conns; port.conns > most {
						t.Errorf("%d connections to %v, asked: %t; want at most %d", port.conns, at, port.asked, most)
					}
				}
				for host, n := range askedOf {
					if n > asked {
						t.Errorf("%d ports of %v are asked something, more than %d", n, host, asked)
					}
				}
				t.Logf("%v, %d connections", time.Since(begun), all)
			})
		})
	}
}
