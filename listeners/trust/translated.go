package trust

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// A translation says as whom a daemon sees clients whose connections address translation
// passes on.
type translation struct {
	why listeners.Cause // why the address of the client is lost

	// seen are the addresses of which the daemon sees one; several if it is not known
	// which one it will be.
	seen []netip.Addr

	keep string // a line that says how to keep the address of the client

	// undecided says why it is not known whether the address is lost; "" if it is.
	undecided string
}

// The gateways of the networks that Docker makes where a file sets no subnet, in its order
// (Docker's default address pools, daemon/libnetwork/ipamutils): the default bridge has the
// first one.
var (
	defaultBridge   = netip.MustParseAddr("172.17.0.1")
	defaultGateways = func() (list []netip.Addr) {
		for second := byte(18); second <= 31; second++ {
			list = append(list, netip.AddrFrom4([4]byte{172, second, 0, 1}))
		}
		return list
	}()
)

// The networks of pods that distributions of Kubernetes have by default: k3s and RKE2,
// kubeadm with flannel, Calico, Cilium.
var podNetworks = []netip.Addr{
	netip.MustParseAddr("10.42.0.1"), netip.MustParseAddr("10.244.0.1"), netip.MustParseAddr("192.168.0.1"), netip.MustParseAddr("10.0.0.1"),
}

// translated returns how the address of clients is lost on the way to a published listener;
// nil if it is not.
func translated(l *listeners.Listener) *translation {
	switch l.Through {
	case listeners.ThroughCluster:
		return byCluster(l)
	case listeners.ThroughPublished:
		return byEngine(l)
	}
	return nil
}

// byCluster is translated for a Service of Kubernetes: with the policy Cluster, which is the
// default, nodes give connections an address of their own.
func byCluster(l *listeners.Listener) *translation {
	policy, ok := l.Setting("externalTrafficPolicy")
	if !ok || policy.Value == "Local" {
		return nil
	}
	why := "externalTrafficPolicy is " + policy.Value + ": the nodes replace the address of the client by one of their own"
	if policy.At == nil {
		why = "externalTrafficPolicy is not set; its default is Cluster: the nodes replace the address of the client by one of their own"
	}
	return &translation{why: listeners.Cause{Why: why, At: policy.At}, seen: podNetworks, keep: keepByCluster}
}

// byEngine is translated for a port that Docker publishes. It leaves the address of a client
// as it is, but where the network of the container has no IPv6: then docker-proxy passes
// connections over IPv6 on, with the address of the gateway.
func byEngine(l *listeners.Listener) *translation {
	v6, ok := l.Setting("network ipv6")
	if !ok || v6.Value == "yes" || l.Address.IsValid() && l.Address.Is4() {
		return nil
	}
	if v6.Value != "no" {
		return &translation{undecided: v6.Value, keep: keepByEngine(l), seen: append([]netip.Addr{defaultBridge}, defaultGateways...)}
	}
	t := &translation{keep: keepByEngine(l), why: listeners.Cause{Why: "the network of the container has no IPv6: docker-proxy passes connections over IPv6 on, with the address of the gateway of that network", At: v6.At}}
	gateways, ok := l.Setting("network gateway")
	switch {
	case !ok:
		t.seen = defaultGateways
	case gateways.Value == "bridge":
		t.seen = []netip.Addr{defaultBridge}
	default:
		for word := range strings.FieldsSeq(gateways.Value) {
			if a, err := netip.ParseAddr(word); err == nil {
				t.seen = append(t.seen, a)
			}
		}
	}
	return t
}

// covered says whether a list of networks has the address as which clients are seen: by is
// its entry. If that is not decided, doubt says why.
func (t *translation) covered(l *networks) (by, doubt string) {
	n := 0
	unknown := ""
	for _, a := range t.seen {
		entry, open := l.covers(a)
		switch {
		case entry != "":
			by = cmp.Or(by, entry)
			n++
		case open != "":
			unknown = open
		}
	}
	switch {
	case n == 0 && unknown != "":
		return "", missing(unknown)
	case n == 0:
		return "", ""
	case t.undecided != "":
		return "", t.undecided
	case n < len(t.seen) && len(t.seen) == len(defaultGateways):
		return "", "the file does not set the subnet of the network of the container, and the list has some of those from which Docker chooses"
	}
	return by, ""
}
