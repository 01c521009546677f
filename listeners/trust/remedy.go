package trust

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// ofEnvironment begins the source of a setting that is a variable of a container.
const ofEnvironment = "environment "

// remove says that an entry must leave a list.
func remove(s *listeners.Setting, entry string) string {
	what := "`" + entry + "`"
	if entry == listeners.OwnNetwork {
		what = ownNetwork
	}
	variable, isVariable := strings.CutPrefix(s.Source, ofEnvironment)
	switch {
	case s.Source == "":
		return fmt.Sprintf("remove %s from `%s`", what, title(s))
	case !isVariable: // what the image has by itself
		return "set by the environment of the image which networks may relay, without " + what
	case s.At != nil && strings.Contains(s.At.Text, entry):
		return fmt.Sprintf("remove %s from `%s`", what, variable)
	}
	return fmt.Sprintf("set `%s` so that it does not stand for %s", variable, what)
}

// ownNetwork is how sentences call listeners.OwnNetwork.
const ownNetwork = "the network of the container"

// named is how sentences call an entry of a list.
func named(entry string) string {
	if entry == listeners.OwnNetwork {
		return ownNetwork
	}
	return entry
}

// untranslate says how to close a fault by keeping the address of the client, where an entry
// must stay; otherwise removal is the first way.
func untranslate(s *listeners.Setting, entry, removal string, t *translation) string {
	if entry != s.Needed {
		return removal + "\n" + t.keep
	}
	return named(entry) + " must stay, for the other containers; " + strings.TrimPrefix(t.keep, "Or ")
}

// style says what to set where mynetworks is what a style makes of it.
func style(s *listeners.Setting) string {
	const list = "set `mynetworks` in main.cf to the addresses that may relay, such as `127.0.0.0/8 [::1]/128`"
	if s.At == nil {
		return list + ", or `compatibility_level` to 2 or more"
	}
	return "set `mynetworks_style` to `" + narrowStyle + "`, or " + list
}

// The values that trust nobody but the host itself.
const (
	narrowStyle = "host"
	localIPv4   = "127.0.0.0/8" // an empty list would be the default of some images
	localhost   = "127.0.0.1"   // of one address
)

// narrow sets how an edit of the value of a setting closes the fault.
func (x *Fault) narrow(s *listeners.Setting, l *listeners.Listener) {
	switch {
	case s.Name == "mynetworks_style":
		x.Instead = narrowStyle
		return
	case s.Narrow != "":
		x.Instead = s.Narrow
		return
	case s.Name == "mynetworks":
		x.Instead = localIPv4
	case s.Name == "secure_ip":
		x.Instead = localhost
	case s.Name != "haproxy_trusted_networks" && s.Name != "set_real_ip_from" && s.Name != "hosts_proxy":
		return
	}
	t := translated(l)
	for _, e := range parseList(s.Value) {
		one := list{e}
		seen := func(a netip.Addr) bool { by, _ := one.covers(a); return by != "" }
		if one.all() != "" || s.Name != "mynetworks" && one.privateRange() != "" || t != nil && slices.ContainsFunc(t.seen, seen) {
			x.Remove = append(x.Remove, e.word)
		}
	}
	if x.Remove == nil {
		x.Instead = ""
	}
}

// balancers says that an entry of a list of trusted proxies is too wide.
func balancers(s *listeners.Setting, entry string) string {
	name := title(s)
	if name == "expect-proxy" { // whose addresses may be those of an acl
		name = "the condition of expect-proxy"
	} else {
		name = "`" + name + "`"
	}
	return fmt.Sprintf("replace `%s` in %s by the addresses of the load balancers", entry, name)
}

// keepByEngine says how an address of a client reaches a port that Docker publishes. For IPv4
// alone, Docker takes a port with a host address only in the form ADDRESS:PORT:PORT.
func keepByEngine(l *listeners.Listener) string {
	const way = "Or keep the address of the client: set `enable_ipv6: true` and an IPv6 subnet for the network of the container"
	if l.Address.IsValid() && !l.Address.IsUnspecified() { // published on one address, of IPv6
		return way
	}
	return fmt.Sprintf("%s, or publish the port for IPv4 alone, as `0.0.0.0:%d:%d`", way, l.Port, l.Target())
}

// keepByCluster says how an address of a client reaches a Service of Kubernetes.
const keepByCluster = "Or keep the address of the client: set `externalTrafficPolicy: Local` for the Service"
