//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/run"
)

// lossHosts is how many hosts play the daemons of lossDaemons: 96 ports.
const lossHosts = 12

// lossPorts are the ports on which they listen, in the order of lossDaemons.
var lossPorts = []int{10024, 10026, 10027, 10028, 10031, 10040, 10143, 7777}

// lossDaemons are the daemons of one host, chosen because some of them are told
// apart by a single answer, or by one that does not come.
func lossDaemons(t *testing.T, next string, host int) []mailtest.Handler {
	policies := []string{"postgrey", "policyd-weight", "postfwd2", "mtpolicyd"}
	return []mailtest.Handler{
		&mailtest.Amavis{},
		played(t, "postfix-reinjection"),
		mailtest.DKIMproxy{Next: next},
		mailtest.Spampd{Next: next},
		&mailtest.Cluebringer{},
		&mailtest.Policy{Name: policies[host%len(policies)]},
		played(t, []string{"dovecot-imap", "nginx-imap"}[host%2]),
		mailtest.IRedAPD{},
	}
}

// severityRank orders severities, the least first.
var severityRank = []string{"", "info", "low", "medium", "high", "critical"}

// lossSeen is what a run says of a port: its name, how sure it is, and the most
// severe finding.
type lossSeen struct {
	product    string
	confidence int
	severity   int
}

// TestNamesUnderLoss loses packets both ways while mxsweep talks to daemons:
// whatever it does not hear must not make a name wrong, nor sure with a lower
// severity. With MXSWEEP_E2E_LOSS=all it does so at 10, 20 and 40 % with three
// seeds each.
func TestNamesUnderLoss(t *testing.T) {
	losses, seeds := []int{20}, 1
	if os.Getenv("MXSWEEP_E2E_LOSS") == "all" {
		losses, seeds = []int{10, 20, 40}, 3
	}
	truth := lossRun(t, newLossNetwork(t), "connect", 1)
	for target, seen := range truth {
		if seen.product == "" || seen.confidence < 5 {
			t.Fatalf("without loss %v is %q at confidence %d", target, seen.product, seen.confidence)
		}
	}
	for _, percent := range losses {
		for _, mode := range []string{"connect", "syn"} {
			for seed := range seeds {
				t.Run(fmt.Sprintf("%d/%s/%d", percent, mode, seed+1), func(t *testing.T) {
					t.Parallel()
					n := newLossNetwork(t)
					n.filter(n.router, "forward", fmt.Sprintf("meta l4proto tcp numgen random mod 100 < %d drop", percent))
					compareLoss(t, truth, lossRun(t, n, mode, seed+1))
				})
			}
		}
	}
}

// newLossNetwork makes a routed network whose target plays lossDaemons.
func newLossNetwork(t *testing.T) *routedNetwork {
	n := newRoutedNetwork(t)
	next := mailtest.Serve(t, played(t, "postfix-reinjection")).Addr().String()
	for i := range lossHosts {
		for k, h := range lossDaemons(t, next, i) {
			n.serve(n.target, routedHost(i+1), lossPorts[k], h)
		}
	}
	return n
}

// lossRun sweeps the hosts.
func lossRun(t *testing.T, n *routedNetwork, mode string, seed int) map[netip.AddrPort]lossSeen {
	ports := strings.Trim(strings.ReplaceAll(fmt.Sprint(lossPorts), " ", ","), "[]")
	order := uint64(seed)
	a := scan(t, n.scan, run.Options{Mode: mode, FailOn: "none", Seed: &order, Ports: []string{ports},
		Targets: []string{fmt.Sprintf("%s-%d", routedHost(1), 16+lossHosts)}})
	var doc struct {
		Ports []struct {
			IP      netip.Addr
			Port    uint16
			Service *struct {
				Product    string
				Confidence int
			}
		}
		Findings []struct {
			IP       netip.Addr
			Port     uint16
			Severity string
		}
	}
	if err := json.Unmarshal(a.Report, &doc); err != nil {
		t.Fatalf("exit %d, reading the report: %v", a.Code, err)
	}
	seen := make(map[netip.AddrPort]lossSeen)
	for _, p := range doc.Ports {
		if p.Service != nil {
			seen[netip.AddrPortFrom(p.IP, p.Port)] = lossSeen{product: p.Service.Product, confidence: p.Service.Confidence}
		}
	}
	for _, f := range doc.Findings {
		target := netip.AddrPortFrom(f.IP, f.Port)
		s := seen[target]
		s.severity = max(s.severity, slices.Index(severityRank, f.Severity))
		seen[target] = s
	}
	return seen
}

// compareLoss holds what was said under loss against what is true.
func compareLoss(t *testing.T, truth, seen map[netip.AddrPort]lossSeen) {
	right, none := 0, 0
	for target, want := range truth {
		got := seen[target]
		switch {
		case got.product == "":
			none++
		case got.product != want.product:
			t.Errorf("%v is called %q at confidence %d, and is %q", target, got.product, got.confidence, want.product)
		default:
			right++
		}
		if got.confidence >= 9 && got.severity < want.severity {
			t.Errorf("%v is %s at confidence %d, without loss %s", target, severityRank[got.severity], got.confidence, severityRank[want.severity])
		}
	}
	t.Logf("%d of %d named, %d not", right, len(truth), none)
}
