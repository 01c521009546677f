package run

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/queue"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/signatures"
)

// TestHostileHost talks to a host on most ports of which something holds up who
// talks to it. It takes at most twice as long as with one silent port, and at most
// 150 s where there are 300 such ports, and all daemons among them are named.
func TestHostileHost(t *testing.T) {
	alone, _ := talkToHost(t, 17, 1, mailtest.Silent{})
	t.Logf("17 daemons beside one silent port: %v", alone)
	for name, h := range holding {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				daemons, hostile int
				most             time.Duration
			}{{3, 15, 2 * alone}, {7, 11, 2 * alone}, {56, 300, 150 * time.Second}} {
				if c.hostile > 100 && name != "silent" && name != "drip" && name != "flood" {
					continue // takes its time with the race detector
				}
				took, products := talkToHost(t, c.daemons, c.hostile, h)
				t.Logf("%d daemons among %d others: %v", c.daemons, c.hostile, took)
				if took > c.most {
					t.Errorf("%d daemons among %d others took %v, want at most %v", c.daemons, c.hostile, took, c.most)
				}
				for i, product := range products[:c.daemons] {
					want := playedProducts[i%len(playedProducts)]
					// What is silent to all questions but one is not told from a hundred
					// ports that are silent to all, unless its number suggests the question.
					if want == "Postgrey" && product == "" && i > len(playedProducts) && (name == "silent" || name == "late") {
						continue
					}
					if product != want {
						t.Errorf("%d daemons among %d others: number %d is %q, want %q", c.daemons, c.hostile, i, product, want)
					}
				}
				for _, product := range products[c.daemons:] {
					if product != "" {
						t.Errorf("one that is no daemon is called %q", product)
					}
				}
			}
		})
	}
}

// playedProducts are what playedDaemons are called.
var playedProducts = []string{"Postfix smtpd", "Dovecot", "Exim", "Postfix smtpd", "amavisd-new", "OpenDKIM", "Postgrey"}

// playedDaemons are daemons that greet at once, after a while, only one client at a
// time, and not at all.
func playedDaemons(t *testing.T) []mailtest.Handler {
	t.Helper()
	var all []mailtest.Handler
	for _, name := range []string{"postfix-reinjection", "dovecot-imap", "exim"} {
		daemon, err := mailtest.Daemon(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, daemon)
	}
	screened := mailtest.HandlerFunc(func(c *mailtest.Conn) { // as postscreen does
		if c.Wait(6 * time.Second) {
			all[0].Serve(c)
		}
	})
	return append(all, screened, &mailtest.Amavis{}, mailtest.Milter{Actions: 0x111, Steps: 0x100702}, &mailtest.Policy{Name: "postgrey"})
}

// talkToHost talks, in the time of the test, to the ports of one host with so many
// daemons and hostile listeners. It returns how long that took and what the ports are
// called, those of the daemons first.
func talkToHost(t *testing.T, daemons, hostile int, h mailtest.Handler) (took time.Duration, products []string) {
	t.Helper()
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var network mailtest.Network
		var servers []netip.AddrPort
		for len(servers) < daemons {
			for _, h := range playedDaemons(t)[:min(len(playedProducts), daemons-len(servers))] {
				servers = append(servers, network.Serve(t, h).Addr())
			}
		}
		for range hostile {
			servers = append(servers, network.Serve(t, h).Addr())
		}
		const firstPort = 10017 // so that the first Postgrey has its usual port
		w := coverageSweep(t, Shard{})
		w.plan.set, w.early = set, func(exposure.Subject) error { return nil }
		w.queue = queue.New(4)
		w.identifier = &fingerprint.Identifier{
			Signatures: set, Slots: hosts.NewSlots(0), Concurrency: identifiers(8192),
			Idle: func(a netip.AddrPort, silent bool) { w.queue.Idle(a, silent) },
			Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
				return network.Dial(ctx, servers[to.Port()-firstPort])
			},
		}
		for i := range servers { // the daemons not all at first
			port := firstPort + i*67%len(servers)
			w.queue.Put(scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(port)), State: result.StateOpen})
		}
		w.queue.Close()
		begun := time.Now()
		var workers sync.WaitGroup
		for range w.identifier.Concurrency {
			workers.Go(func() { w.identify(t.Context(), func(error) {}) })
		}
		w.finishTalks(t.Context(), &workers, func(error) {})
		took = time.Since(begun)
		for _, p := range w.sorted() {
			products = append(products, p.Service.Product)
		}
	})
	return took, products
}
