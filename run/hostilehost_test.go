package run

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/queue"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
	"github.com/mxsweep/mxsweep/signatures"
)

// TestHostileHost runs dialogues with a host on most of whose ports something
// delays its clients, all in one way or each in another. It takes at most twice
// as long as the same host with one silent port, a little more if the dialogues
// with the daemons are last or there is no daemon, and all daemons are identified.
func TestHostileHost(t *testing.T) {
	alone := map[playedHost]time.Duration{} // duration for the hosts with one silent port
	few := func(daemons int) playedHost { return playedHost{daemons: daemons, hostile: 18 - daemons} }
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(holding)), []string{mixed}) {
		t.Run(name, func(t *testing.T) {
			for _, h := range []playedHost{{hostile: 4}, few(3), few(7), {daemons: 56, hostile: 300, quick: true}, {daemons: 56, hostile: 300, quick: true, last: true}, {daemons: 56, hostile: 300}} {
				if h.hostile > 100 && (name == "flood" || !h.quick && name != mixed || gate.Race && name != mixed) {
					continue // slow, especially with the race detector
				}
				friendly := playedHost{daemons: h.daemons + h.hostile - 1, hostile: 1, quick: h.quick}
				if alone[friendly] == 0 {
					alone[friendly], _ = friendly.talk(t, "silent")
				}
				took, products := h.talk(t, name)
				t.Logf("%+v: %v, with one silent port %v", h, took, alone[friendly])
				most := 2.0
				switch {
				case h.last: // 300 ports come before the first daemon
					most = 2.2
				case h.daemons == 0: // no other port fills the time in which the first question is the only one
					most = 2.1
				}
				if took.Seconds() > most*alone[friendly].Seconds() {
					t.Errorf("%+v took %v, want at most %g times the %v with one silent port", h, took, most, alone[friendly])
				}
				h.checkNames(t, name, products)
			}
		})
	}
}

// mixed is the name of a host whose hostile ports delay in turn in each way.
const mixed = "mixed"

// A playedHost has some daemons among hostile ports.
type playedHost struct {
	daemons, hostile int
	quick            bool // all daemons greet at once
	last             bool // and the dialogues with them are last
}

// playedProducts are the products of playedDaemons; the last quickDaemons of them
// greet at once.
var playedProducts = []string{"Postfix smtpd", "OpenDKIM", "Postgrey", "Postfix smtpd", "Dovecot", "Exim", "amavisd-new"}

const quickDaemons = 4

// products returns the products of the host's daemons, in order.
func (h playedHost) products() []string {
	if h.quick {
		return playedProducts[len(playedProducts)-quickDaemons:]
	}
	return playedProducts
}

// checkNames checks that the daemons of a host, and nothing else, are identified.
func (h playedHost) checkNames(t *testing.T, kind string, products []string) {
	t.Helper()
	names := h.products()
	for i, product := range products[:h.daemons] {
		want := names[i%len(names)]
		// A daemon that is silent to all probes but one cannot be distinguished
		// from a hundred ports that are silent to all, unless its number suggests
		// the probe.
		if want == "Postgrey" && product == "" && i > len(names) && (kind == "silent" || kind == "late" || kind == mixed) {
			continue
		}
		if product != want {
			t.Errorf("%+v: number %d is %q, want %q", h, i, product, want)
		}
	}
	for _, product := range products[h.daemons:] {
		if product != "" {
			t.Errorf("%+v: one that is no daemon is called %q", h, product)
		}
	}
}

// play starts the daemons of the host in turn, such as greet after a while and not at
// all, at once, and only one client at a time; then its hostile ports.
func (h playedHost) play(t *testing.T, network *mailtest.Network, kind string) []netip.AddrPort {
	t.Helper()
	all := map[string]mailtest.Handler{}
	for _, name := range []string{"postfix-reinjection", "dovecot-imap", "exim"} {
		daemon, err := mailtest.Daemon(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = daemon
	}
	screened := mailtest.HandlerFunc(func(c *mailtest.Conn) { // as postscreen does
		if c.Wait(6 * time.Second) {
			all["postfix-reinjection"].Serve(c)
		}
	})
	var servers []netip.AddrPort
	for i := range h.daemons {
		played := []mailtest.Handler{
			screened, mailtest.Milter{Actions: 0x111, Steps: 0x100702}, &mailtest.Policy{Name: "postgrey"},
			all["postfix-reinjection"], all["dovecot-imap"], all["exim"], &mailtest.Amavis{},
		}
		names := h.products()
		servers = append(servers, network.Serve(t, played[len(played)-len(names):][i%len(names)]).Addr())
	}
	kinds := []string{kind}
	if kind == mixed {
		kinds = slices.Sorted(maps.Keys(holding))
	}
	for i := range h.hostile {
		servers = append(servers, network.Serve(t, holding[kinds[i%len(kinds)]]).Addr())
	}
	return servers
}

// talk runs dialogues, in the time of the test, with the ports of the host, whose
// hostile ones delay in the named way. It returns how long that took and the
// products of the ports, those of the daemons first.
func (h playedHost) talk(t *testing.T, kind string) (took time.Duration, products []string) {
	t.Helper()
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var network mailtest.Network
		servers := h.play(t, &network, kind)
		const firstPort = 10021 // which gives the first Postgrey its usual port
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
		for i := range servers { // the daemons are not all at the beginning
			at := i * 67 % len(servers)
			if h.last {
				at = len(servers) - 1 - i
			}
			port := firstPort + at
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
