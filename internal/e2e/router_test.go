//go:build linux

package e2e

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/internal/mailtest"
)

// The addresses of a routed network, the same in each.
const (
	routedOwn = "10.81.0.2" // of the scanner

	// routedHosts is how many addresses the target has, from routedHost(1) on.
	routedHosts = 12
)

// routedHost returns the address of the n-th host behind the router, from 1.
func routedHost(n int) string { return fmt.Sprintf("10.81.1.%d", 16+n) }

// routedNetworks counts the routed networks of this run.
var routedNetworks atomic.Int32

// A routedNetwork is what the tests of verdicts disturb: three namespaces, the
// scanner, a router that filters, and a target with several addresses. Each
// test has its own, so that tests which only wait can run side by side.
type routedNetwork struct {
	t *testing.T

	scan, router, target string // the namespaces

	tarpit *tarpit // set if the target is one
}

// newRoutedNetwork makes the namespaces, which end with the test. It skips the
// test, or fails it under "require", where that cannot be done.
func newRoutedNetwork(t *testing.T) *routedNetwork {
	t.Helper()
	gate.Namespaces(t, "ip", "nft")
	rec, err := theRecord()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%srouted-%d-", prefix, routedNetworks.Add(1))
	n := &routedNetwork{t: t, scan: name + "scan", router: name + "router", target: name + "target"}
	t.Cleanup(func() {
		if err := rec.removeNamespaces(n.scan, n.router, n.target); err != nil {
			t.Error(err)
		}
	})
	for _, ns := range []string{n.scan, n.router, n.target} {
		if err := rec.addNamespace(ns); err != nil {
			t.Fatal(err)
		}
		if err := runTool("ip", "netns", "add", ns); err != nil {
			t.Fatal(err)
		}
	}
	n.wire()
	return n
}

// wire joins the namespaces: scanner, router, target.
func (n *routedNetwork) wire() {
	n.t.Helper()
	lines := []string{
		"-n " + n.scan + " link add eth0 type veth peer name in netns " + n.router,
		"-n " + n.target + " link add eth0 type veth peer name out netns " + n.router,
		"-n " + n.scan + " addr add " + routedOwn + "/24 dev eth0",
		"-n " + n.router + " addr add 10.81.0.1/24 dev in",
		"-n " + n.router + " addr add 10.81.1.1/24 dev out",
	}
	for i := range routedHosts {
		lines = append(lines, "-n "+n.target+" addr add "+routedHost(i+1)+"/24 dev eth0")
	}
	for _, up := range []string{n.scan + " link set lo", n.target + " link set lo", n.scan + " link set eth0",
		n.router + " link set in", n.router + " link set out", n.target + " link set eth0"} {
		lines = append(lines, "-n "+up+" up")
	}
	lines = append(lines, "-n "+n.scan+" route add default via 10.81.0.1", "-n "+n.target+" route add default via 10.81.1.1")
	for _, line := range lines {
		if err := runTool("ip", strings.Fields(line)...); err != nil {
			n.t.Fatal(err)
		}
	}
	// Limits on ICMP errors and on RSTs are kept: they are what networks have.
	if err := runTool("ip", "netns", "exec", n.router, "sysctl", "-qw", "net.ipv4.ip_forward=1"); err != nil {
		n.t.Fatal(err)
	}
}

// filter sets rules of nftables in a namespace, in a chain at a hook.
func (n *routedNetwork) filter(ns, hook string, rules ...string) {
	n.t.Helper()
	kind := "filter"
	if hook == "prerouting" {
		kind = "nat"
	}
	text := fmt.Sprintf("table ip e2e { chain c { type %s hook %s priority 0; policy accept;\n%s\n}\n}\n", kind, hook, strings.Join(rules, "\n"))
	n.nft(ns, text)
}

// nft gives commands to nftables in a namespace.
func (n *routedNetwork) nft(ns, text string) {
	cmd := exec.Command("ip", "netns", "exec", ns, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Errorf("nft in %s: %v: %s\n%s", ns, err, out, text)
	}
}

// serve plays a daemon at a port of a host of the target.
func (n *routedNetwork) serve(ns, addr string, port int, h mailtest.Handler) *mailtest.Server {
	n.t.Helper()
	var server *mailtest.Server
	inNamespace(n.t, ns, func() {
		s, err := mailtest.Listen(netip.AddrPortFrom(netip.MustParseAddr(addr), uint16(port)).String(), h)
		if err != nil {
			n.t.Errorf("listening: %v", err)
			return
		}
		server = s
		n.t.Cleanup(func() { s.Close() })
	})
	return server
}

// played returns a played daemon by name.
func played(t *testing.T, name string) mailtest.Handler {
	t.Helper()
	h, err := mailtest.Daemon(name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
