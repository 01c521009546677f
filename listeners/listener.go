package listeners

import (
	"cmp"
	"net/netip"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/result"
)

// A Listener is one address and TCP port that a file opens.
type Listener struct {
	// Address is where it is bound. 0.0.0.0 is each IPv4 address, :: each IPv6
	// address (and by V6Only not each IPv4 address); the zero Addr is each address of
	// both families.
	Address netip.Addr
	V6Only  bool

	// Host is the address as the file has it; "" if the file has none. If it is a
	// name or a variable that the files do not resolve, Address is the zero Addr and
	// Doubt says so.
	Host string

	// Interface is the network interface outside of which nothing reaches the listener, if
	// the file has one; "" if there is no such limit.
	Interface string

	Port uint16 // from 1

	// Protocol, Product and Role are what a scan would report of the port if the file
	// is obeyed, in the words of result.Service; "" and RoleUnknown if the file does
	// not say.
	Protocol string
	Product  string
	Role     result.Role
	Tunnel   result.Tunnel // TunnelTLS if TLS begins with the first byte

	// Service is the name by which the file, or its format, calls the listener, unique
	// in the file and the same when lines move: "10025 inet", "service imap-login
	// imaps", "frontend imap *:143".
	Service string

	// Entry is the name of what opens it, if that opens others, too: "10025 inet" for each
	// address of inet_interfaces; "" if it is Service.
	Entry string

	// Kind is the kind of file, in words: "Postfix master.cf". Package config sets it, unless
	// a reader has read a file of another kind.
	Kind string

	// At is the token that binds: the "10025" in "10025 inet". Its Text is the line.
	At result.Anchor

	// Causes are settings elsewhere, and defaults, because of which the address is as
	// wide as it is; the decisive one first.
	Causes []Cause

	// Settings are the settings that hold for this listener and that a judgement needs,
	// as its own options or as defaults of its daemon.
	Settings []Setting

	// Through says what passes connections from the host to the listener; "" if they
	// reach it directly.
	Through Through

	// Services are the services whose containers it is in, or to whose containers it is
	// passed on, if its file says so; see also Config.InContainer.
	Services []string

	// Doubt says why it is not certain that the listener exists as described; "" if it
	// is.
	Doubt string
}

// A Through says how connections from outside reach a listener.
type Through string

// The ways. A listener in a container is reached by none of its host's addresses
// unless its port is published.
const (
	ThroughHost      Through = ""          // it is bound on the host
	ThroughContainer Through = "container" // it is bound in a container, and only its networks reach it
	ThroughPublished Through = "published" // a port of the host, passed on by address translation
	ThroughCluster   Through = "cluster"   // a port of the nodes or of a load balancer of a cluster
)

// A Cause is a setting or a default that widens the address of a listener.
type Cause struct {
	Why string // a sentence without a full stop: "inet_interfaces is not set; its default is all"

	// At is the setting; nil for a default.
	At *result.Anchor
}

// A Setting is a name and a value of a file.
type Setting struct {
	Name, Value string

	// Source is what the file calls it, if it is another name: "environment MYNETWORKS"; ""
	// if it is Name.
	Source string

	// At is where the value is set; nil for a default of the daemon or of an image.
	At *result.Anchor

	// Narrow is a word that the file can have in place of the value, and which stands for
	// no network; "" if none is known.
	Narrow string

	// Needed is the entry of a list that must stay, because daemons need each other's
	// mail; "" if there is none.
	Needed string
}

// OwnNetwork is a word in lists of networks that readers return: each network of the container
// of the listener.
const OwnNetwork = "own-network"

// Name returns the name by which findings identify the listener. It is the same for all that one
// entry of the file opens, so that another address for the entry makes no other finding of it.
func (l *Listener) Name() string { return cmp.Or(l.Entry, l.Service) }

// Loopback reports whether only the host itself can connect to the listener.
func (l *Listener) Loopback() bool {
	return l.Address.IsValid() && l.Address.Unmap().IsLoopback() || endpoint.LoopbackInterface(l.Interface)
}

// All reports whether the listener accepts connections on each address of a family.
func (l *Listener) All() bool { return !l.Address.IsValid() || l.Address.IsUnspecified() }

// SettingQueue is the setting of a listener of Postfix that hands its mail to another queue
// manager than the rest: the name of that one.
const SettingQueue = "queue_service_name"

// Setting returns the value of a setting that holds for the listener, and reports
// whether there is one.
func (l *Listener) Setting(name string) (Setting, bool) {
	for _, s := range l.Settings {
		if s.Name == name {
			return s, true
		}
	}
	return Setting{}, false
}

// An Edge says that a daemon hands mail, or a question about mail, to a port.
type Edge struct {
	From string // the Service of the listener whose mail it is, "" for all of the daemon
	File string // the file of that listener

	Kind EdgeKind

	// Host and Port are where it goes, as the file has them; Host is "" for the same
	// host.
	Host string
	Port uint16

	At result.Anchor // the token that names the port
}

// An EdgeKind says what is handed over.
type EdgeKind string

// The kinds of edges.
const (
	EdgeFilter  EdgeKind = "filter"  // mail, to a content filter after the queue or a proxy before it
	EdgeRelay   EdgeKind = "relay"   // mail, to the next hop
	EdgeDeliver EdgeKind = "deliver" // mail, to the mailboxes
	EdgeMilter  EdgeKind = "milter"  // the course of an SMTP dialogue
	EdgePolicy  EdgeKind = "policy"  // questions to a policy service
	EdgeLookup  EdgeKind = "lookup"  // questions to a table or an authentication service
	EdgeProxy   EdgeKind = "proxy"   // connections, by a proxy
)

// A Doubt is what the files do not decide: a variable without a value, a program that
// computes the setting, a file that is missing. A judgement that has doubts is not
// complete.
type Doubt struct {
	Problem string // in lower case, without a full stop: "$inet_socket_port is computed"
	At      result.Anchor

	// OfEdge is set if what a host opens does not depend on it: only an edge is doubtful, or
	// what listens in a container.
	OfEdge bool
}
