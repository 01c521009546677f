package syn

import (
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// The lengths of the headers of a SYN: IPv4, and TCP with one option.
const (
	ipv4Len = 20
	synLen  = 24
)

// manyPorts are as many ports as a careful sweep of one host asks for.
func manyPorts(n int) []uint16 {
	var out []uint16
	for i := range n {
		out = append(out, uint16(10000+i))
	}
	return out
}

// verdicts checks the results of a sweep in which something was kept from the
// scanner: no open port may be taken for a filtered one.
func (r sweepResult) verdicts(t *testing.T, space *scope.Space, open []netip.AddrPort) {
	t.Helper()
	t.Logf("%v: %v; %+v", r.took, r.reasons, r.stats)
	if r.err != nil || uint64(len(r.all)) != space.Len() {
		t.Errorf("%d results for %d pairs, Err() = %v", len(r.all), space.Len(), r.err)
	}
	for _, at := range open {
		if got := r.all[at]; got.State != result.StateOpen && got.Reason != result.ReasonBlocked {
			t.Errorf("%v is open: %v, %v", at, got.State, got.Reason)
		}
	}
	if r.stats.BlockedPairs != uint64(r.reasons[result.ReasonBlocked]) {
		t.Errorf("BlockedPairs = %d", r.stats.BlockedPairs)
	}
	if r.stats.Loss > 0.5 {
		t.Errorf("Loss = %.2f", r.stats.Loss)
	}
}

// TestFirewallWithSYNQuota has a firewall let so many SYNs through and then no more.
func TestFirewallWithSYNQuota(t *testing.T) {
	gate.RealTime(t)
	for _, c := range []struct {
		name   string
		syns   int
		silent bool
	}{{"10 refused", 10, false}, {"40 refused", 40, false}, {"80 refused", 80, false}, {"40 silent", 40, true}, {"118 silent", 118, true}, {"200 silent", 200, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.routed()
			scope, space := spaceOf(t, manyPorts(118), "10.91.16.5/32")
			open := l.listen(space, 5)
			if c.silent {
				l.silence(open)
			}
			l.quota("r", c.syns)
			r := l.sweepUntil(space, Config{Scope: scope, Rate: 1000}, 2*time.Second, func(int) {})
			r.verdicts(t, space, open)
			up := len(r.open) > 0 || r.reasons[result.ReasonReset] > 0
			if n := r.reasons[result.ReasonNoResponse]; n > 0 && up {
				t.Errorf("%d pairs are said to be filtered", n)
			}
			if up && (r.stats.BlockedHosts != 1 || r.stats.Blocked[0].Addr != space.At(0).Addr() ||
				r.stats.Blocked[0].Pairs != uint64(r.reasons[result.ReasonBlocked]) || time.Since(r.stats.Blocked[0].Since) > 2*r.took+time.Minute) {
				t.Errorf("Blocked = %+v", r.stats.Blocked)
			}
		})
	}
}

// quota drops all but so many SYNs that pass a namespace.
func (l *lab) quota(name string, syns int) {
	l.t.Helper()
	l.nft(name, fmt.Sprintf(`table inet q { chain c { type filter hook forward priority 0;
		tcp flags & (fin|syn|rst|ack) == syn quota over %d bytes drop
	}; }`, syns*(ipv4Len+synLen)))
}

// TestRejectedByBan has the host itself reject all by ICMP after so many SYNs, also on
// its open ports: that it still sends something proves nothing.
func TestRejectedByBan(t *testing.T) {
	gate.RealTime(t)
	for _, all := range []bool{false, true} {
		t.Run(fmt.Sprintf("all=%t", all), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.routed()
			scope, space := spaceOf(t, manyPorts(118), "10.91.16.5/32")
			open := l.listen(space, 20)
			rest := ""
			if all { // what is not open is rejected also before
				var ports []string
				for _, at := range open {
					ports = append(ports, fmt.Sprint(at.Port()))
				}
				rest = "tcp dport 10000-10117 tcp dport != { " + strings.Join(ports, ", ") + " } reject with icmpx type port-unreachable"
			}
			l.nft("d", fmt.Sprintf(`table inet q { chain c { type filter hook input priority 0;
				tcp flags & (fin|syn|rst|ack) == syn quota over %d bytes reject with icmpx type port-unreachable
				%s
			}; }`, 40*(ipv4Len+synLen), rest))
			r := l.sweepUntil(space, Config{Scope: scope, Rate: 1000}, 2*time.Second, func(int) {})
			r.verdicts(t, space, open)
			if r.reasons[result.ReasonBlocked] == 0 {
				t.Errorf("nothing is blocked: %v", r.reasons)
			}
		})
	}
}

// TestBanned sweeps ten hosts from an address that is banned after 300 SYNs.
func TestBanned(t *testing.T) {
	gate.RealTime(t)
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, manyPorts(118), "10.91.16.1-10.91.16.10")
	open := l.listen(space, 20)
	l.quota("r", 300)
	r := l.sweepUntil(space, Config{Scope: scope, Rate: 2000}, 2*time.Second, func(int) {})
	r.verdicts(t, space, open)
	if r.reasons[result.ReasonNoResponse] > 0 || r.reasons[result.ReasonBlocked] < 10*118-300 || !r.stats.BlockedMidScan {
		t.Errorf("%v, blocked: %t", r.reasons, r.stats.BlockedMidScan)
	}
}

// TestHostGone takes one of ten hosts away in the middle of a sweep: what it
// had not answered is unknown, and the others are what they are.
func TestHostGone(t *testing.T) {
	gate.RealTime(t)
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, manyPorts(118), "10.91.16.1-10.91.16.10")
	open := l.listen(space, 60)
	l.silence(open)
	gone := netip.MustParseAddr("10.91.16.4")
	r := l.sweepUntil(space, Config{Scope: scope, Rate: 2000}, 2*time.Second, func(n int) {
		if n == 20 {
			l.nft("r", "table inet g { chain c { type filter hook forward priority 0; ip daddr 10.91.16.4 drop; }; }")
		}
	})
	r.verdicts(t, space, open)
	for at, got := range r.all {
		if blocked := at.Addr() == gone && got.State != result.StateOpen; blocked != (got.Reason == result.ReasonBlocked) || blocked != (got.State == result.StateUnknown) {
			t.Errorf("%v: %v, %v", at, got.State, got.Reason)
		}
	}
	if r.stats.BlockedMidScan || r.stats.BlockedHosts != 1 || r.stats.Blocked[0].Addr != gone {
		t.Errorf("in the middle: %t, blocked: %+v", r.stats.BlockedMidScan, r.stats.Blocked)
	}
}

// TestOneGone takes the only host with silent pairs away, while all others still
// refuse what they are asked: it is the host, and not the path.
func TestOneGone(t *testing.T) {
	gate.RealTime(t)
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, manyPorts(40), "10.91.16.1-10.91.16.20")
	l.nft("r", `table inet f { chain c { type filter hook forward priority 0; ip daddr 10.91.16.4 tcp dport != 10007 drop; }; }`)
	r := l.sweepUntil(space, Config{Scope: scope, Rate: 2000}, time.Second, func(n int) {
		if n == 20*40-39 {
			l.nft("r", "table inet g { chain c { type filter hook forward priority 0; ip daddr 10.91.16.4 drop; }; }")
		}
	})
	r.verdicts(t, space, nil)
	if r.stats.BlockedMidScan || r.stats.BlockedHosts != 1 || r.reasons[result.ReasonBlocked] != 39 || r.stats.Pass > passSlots/2 {
		t.Errorf("blocked: %t, %v, %d passes, blocked: %+v", r.stats.BlockedMidScan, r.reasons, r.stats.Pass, r.stats.Blocked)
	}
}

// TestPortGone takes one of the two ports of a host away that it answers on, once
// both are found: the host is still up, and the other port shows it.
func TestPortGone(t *testing.T) {
	gate.RealTime(t)
	for gone := range 2 {
		t.Run(fmt.Sprint(gone), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.routed()
			scope, space := spaceOf(t, manyPorts(60), "10.91.16.5/32")
			open := l.listen(space, 2)
			l.silence(open)
			r := l.sweepUntil(space, Config{Scope: scope, Rate: 300}, time.Second, func(n int) {
				if n == 2 {
					l.nft("r", fmt.Sprintf("table inet g { chain c { type filter hook forward priority 0; tcp dport %d drop; }; }", open[gone].Port()))
				}
			})
			r.complete(t, space, open)
			if r.reasons[result.ReasonNoResponse] != 58 || r.stats.BlockedHosts != 0 {
				t.Errorf("%v, blocked: %+v", r.reasons, r.stats.Blocked)
			}
		})
	}
}

// TestPathDownDuringTheSweep has the path fail for three seconds in the middle of a sweep, to
// one of ten hosts or to all.
func TestPathDownDuringTheSweep(t *testing.T) {
	gate.RealTime(t)
	for name, match := range map[string]string{"all": "", "one": "ip daddr 10.91.16.4"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.routed()
			scope, space := spaceOf(t, manyPorts(118), "10.91.16.1-10.91.16.10")
			open := l.listen(space, 60)
			l.silence(open)
			fails := sync.OnceFunc(func() {
				l.nft("r", "table inet g { chain c { type filter hook forward priority 0; "+match+" drop; }; }")
				heal := exec.Command("ip", "netns", "exec", l.prefix+"r", "nft", "delete", "table", "inet", "g")
				timer := time.AfterFunc(3*time.Second, func() { _ = heal.Run() })
				t.Cleanup(func() { timer.Stop() })
			})
			r := l.sweepUntil(space, Config{Scope: scope, Rate: 2000}, time.Minute, func(n int) {
				if n == 20 {
					fails()
				}
			})
			r.verdicts(t, space, open)
			if !slices.Equal(r.open, open) || r.reasons[result.ReasonNoResponse] != int(space.Len())-len(open) || r.stats.BlockedHosts > 0 || r.stats.BlockedMidScan {
				t.Errorf("%d of %d open, %v, blocked: %+v", len(r.open), len(open), r.reasons, r.stats.Blocked)
			}
		})
	}
}

// TestHostUpDuringTheSweep sweeps ten hosts of which one turns up in the middle of what would
// be the last pass: what it was asked before is asked again.
func TestHostUpDuringTheSweep(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, manyPorts(118), "10.91.16.1-10.91.16.10")
	_, late := spaceOf(t, manyPorts(118), "10.91.16.1/32")
	open := l.listen(late, 10)
	ports := make([]string, len(open))
	for i, at := range open {
		ports[i] = fmt.Sprint(at.Port())
	}
	l.nft("d", fmt.Sprintf(`table inet f { chain c { type filter hook prerouting priority raw;
		ip daddr 10.91.16.1 tcp flags & (fin|syn|rst|ack) == syn quota until %d bytes drop
		ip daddr 10.91.16.1 tcp dport { %s } accept
		ip daddr 10.91.16.1 tcp flags & (fin|syn|rst|ack) == syn drop
	}; }`, (2*118+59)*(ipv4Len+synLen), strings.Join(ports, ", ")))
	r := l.sweepUntil(space, Config{Scope: scope, Rate: 2000}, 5*time.Second, func(int) {})
	r.verdicts(t, space, open)
	if len(r.open) != len(open) || r.stats.BlockedHosts != 0 {
		t.Errorf("%d of %d open, blocked: %+v", len(r.open), len(open), r.stats.Blocked)
	}
}

// TestControlCost sweeps a healthy host, and counts what its controls cost.
func TestControlCost(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, manyPorts(118), "10.91.16.5/32")
	open := l.listen(space, 5)
	l.silence(open)
	r := l.sweep(space, Config{Scope: scope, Rate: 1000})
	r.complete(t, space, open)
	// Each pass behind the first asks the silent ones again. A machine under load
	// may take one more.
	least := 118 + max(r.stats.Pass-1, 2)*113
	if got := int(r.stats.Sent); got > least*125/100 || r.stats.Controls < 3 || int(r.stats.Controls) > least/10 {
		t.Errorf("%d SYNs left, %d of them controls, without validations and controls %d", got, r.stats.Controls, least)
	}
	if r.reasons[result.ReasonNoResponse] != 113 || r.stats.BlockedHosts != 0 {
		t.Errorf("%v, blocked: %+v", r.reasons, r.stats.Blocked)
	}
}

// TestRejectedByTarget meets a host that rejects everything by ICMP itself, one
// a second at most: it is up.
func TestRejectedByTarget(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	l.sh(`
		ip netns exec @d sh -c 'echo 1000 >/proc/sys/net/ipv4/icmp_ratelimit; echo 1000 >/proc/sys/net/ipv6/icmp/ratelimit'
		ip -n @d addr add fd91:16::5/128 dev lo nodad
	`)
	l.nft("d", `table inet f { chain c { type filter hook input priority 0;
		meta l4proto tcp reject with icmpx type admin-prohibited
	}; }`)
	for _, host := range []string{"10.91.16.5/32", "fd91:16::5/128"} {
		scope, space := spaceOf(t, manyPorts(60), host)
		r := l.sweepUntil(space, Config{Scope: scope, Rate: 1000}, 5*time.Second, func(int) {})
		r.verdicts(t, space, nil)
		up := 0
		for at, got := range r.all {
			if got.FromTarget() {
				up++
			}
			if got.State != result.StateFiltered || got.From.IsValid() && got.From != at.Addr() {
				t.Errorf("%v: %v, %v, from %v", at, got.State, got.Reason, got.From)
			}
		}
		if up == 0 || r.stats.BlockedHosts > 0 {
			t.Errorf("%d pairs show that %s is up, blocked: %+v", up, host, r.stats.Blocked)
		}
	}
}

// TestRejectedAtTimes has a router reject every third SYN by ICMP: no open port
// is missed for that.
func TestRejectedAtTimes(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.routed()
	scope, space := spaceOf(t, ninePorts, "10.91.16.0/26")
	open := l.listen(space, 100)
	l.nft("r", `table inet f { chain c { type filter hook forward priority 0;
		tcp flags & (fin|syn|rst|ack) == syn numgen random mod 100 < 30 reject with icmpx type host-unreachable
	}; }`)
	l.sweep(space, Config{Scope: scope}).complete(t, space, open)
}

// TestZeroWindow meets SYN-ACKs that offer no room for data.
func TestZeroWindow(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	tun := l.tun()
	go echo(tun, func(b []byte) [][]byte {
		out := reply(b)
		for i, p := range out {
			out[i] = closeWindow(p)
		}
		return out
	})
	scope, space := spaceOf(t, []uint16{25, 26}, "10.91.16.0/30", "fd91:16::/126")
	r := l.sweep(space, Config{Scope: scope})
	r.complete(t, space, nil)
	for at, got := range r.all {
		want := [2]string{string(result.StateUnknown), string(result.ReasonZeroWindow)}
		if at.Port() == 26 {
			want = [2]string{string(result.StateClosed), string(result.ReasonReset)}
		}
		if [2]string{string(got.State), string(got.Reason)} != want || !got.FromTarget() {
			t.Errorf("%v: %v, %v; want %v", at, got.State, got.Reason, want)
		}
	}
	if r.stats.ZeroWindow != 8 || r.stats.Open != 0 || r.stats.Closed != 8 {
		t.Errorf("%+v", r.stats)
	}
}

// closeWindow sets the window of a TCP segment in an IP packet to 0.
func closeWindow(b []byte) []byte {
	first := gopacket.LayerType(layers.LayerTypeIPv4)
	if b[0]>>4 == 6 {
		first = layers.LayerTypeIPv6
	}
	p := gopacket.NewPacket(b, first, gopacket.Default)
	tcp := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
	tcp.Window = 0
	_ = tcp.SetNetworkLayerForChecksum(p.NetworkLayer())
	buf := gopacket.NewSerializeBuffer()
	_ = gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		p.NetworkLayer().(gopacket.SerializableLayer), tcp)
	return buf.Bytes()
}
