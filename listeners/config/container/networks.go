package container

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// addNetworks adds the networks of one document.
func (t *tokens) addNetworks(f *source.File, networks *yaml.Node) {
	if networks == nil || networks.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(networks.Content); i += 2 {
		key, network := networks.Content[i], resolved(networks.Content[i+1])
		t.networks[key.Value] = append(t.networks[key.Value], serviceKey{f, key, network})
	}
}

// network returns the place of a key of a network, else that of its name; nil if the files
// have no such network, as for the one that Docker Compose makes by itself.
func (t *tokens) network(name, key string) *result.Anchor {
	for _, n := range slices.Backward(t.networks[name]) {
		if k := keyOf(n.service, key); k != nil {
			at := scalar(n.file, k, k.Value)
			return &at
		}
	}
	if len(t.networks[name]) == 0 {
		return nil
	}
	n := t.networks[name][0]
	at := scalar(n.file, n.key, n.key.Value)
	return &at
}

// defaultNetwork is the network of services that name none.
const defaultNetwork = "default"

// networks returns what decides as whom the daemons of a service see the clients of its
// published ports: whether its networks have IPv6, and the gateways of those of which the
// files set the subnet.
//
//	network ipv6     yes or no; else why the files do not decide it
//	network gateway  addresses; "bridge" for the default bridge of Docker. It is missing if
//	                 Docker chooses the subnet
func (p *composeProject) networks(project *types.Project, service types.ServiceConfig, t *tokens) []listeners.Setting {
	if service.NetworkMode == "bridge" {
		at := t.service(service.Name, "network_mode")
		return []listeners.Setting{{Name: "network ipv6", Value: "no", At: &at}, {Name: "network gateway", Value: "bridge", At: &at}}
	}
	if service.NetworkMode != "" {
		return nil
	}
	names := service.NetworksByPriority()
	if len(names) == 0 {
		names = []string{defaultNetwork}
	}
	v6 := listeners.Setting{Name: "network ipv6"}
	gateways := listeners.Setting{Name: "network gateway"}
	known := true
	for _, name := range names {
		n := project.Networks[name]
		value, key := familyOf(&n)
		if v6.Value == "" {
			v6.Value, v6.At = value, t.network(name, key)
		} else if v6.Value != value {
			v6.Value = "the networks of service " + service.Name + " differ in it"
		}
		list := gatewaysOf(&n)
		known = known && list != nil
		if gateways.At == nil {
			gateways.At = t.network(name, "ipam")
		}
		gateways.Value = strings.TrimSpace(gateways.Value + " " + strings.Join(list, " "))
	}
	if !known {
		return []listeners.Setting{v6}
	}
	return []listeners.Setting{v6, gateways}
}

// familyOf returns whether a network has IPv6, "yes" or "no", or why the file does not decide
// it, and the key that does.
func familyOf(n *types.NetworkConfig) (value, key string) {
	switch {
	case bool(n.External):
		return "network " + n.Name + " is external: whether it has IPv6 is not in the files", "external"
	case n.Driver != "" && n.Driver != "bridge" && n.Driver != "default":
		return "what the driver " + n.Driver + " does with the addresses of clients is not known", "driver"
	case n.EnableIPv6 != nil && *n.EnableIPv6:
		return "yes", "enable_ipv6"
	}
	return "no", "enable_ipv6"
}

// gatewaysOf returns the IPv4 gateways of a network: as the file sets them, or the first
// address of each subnet. It returns nil if Docker chooses the subnet.
func gatewaysOf(n *types.NetworkConfig) []string {
	var list []string
	for _, pool := range n.Ipam.Config {
		if pool == nil {
			continue
		}
		subnet, err := netip.ParsePrefix(pool.Subnet)
		if err != nil || !subnet.Addr().Is4() {
			continue
		}
		gateway := pool.Gateway
		if gateway == "" {
			gateway = subnet.Masked().Addr().Next().String()
		}
		list = append(list, gateway)
	}
	return list
}
