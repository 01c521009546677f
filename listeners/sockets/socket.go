package sockets

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/internal/wording"
)

// A Snapshot is what listens on a machine at one time.
type Snapshot struct {
	Sockets  []Socket  // ordered by namespace, this machine's own first, port and address
	Forwards []Forward // ports that address translation passes on
	Gaps     []Gap     // what could not be seen

	// Addresses are those of the machine's interfaces, without loopback ones; nil if they
	// are not known.
	Addresses []netip.Addr

	// Inside are those of Addresses through which only network namespaces of this machine
	// connect, such as the address of docker0: those of a bridge that has no other members
	// than virtual Ethernet pairs (veth). A bridge of which that is not known is not here.
	Inside []netip.Addr
}

// A Socket is one TCP socket that listens.
type Socket struct {
	// Address is where it is bound, without a zone: 0.0.0.0 and :: are each address of
	// their family.
	Address netip.Addr
	Port    uint16

	// Dual says whether a socket on :: accepts IPv4 connections too. It is DualNo for
	// IPv4 sockets.
	Dual Dual

	// Interface is the network interface outside of which nothing reaches the socket;
	// "" if there is no such limit. Sockets on link-local addresses always have one.
	Interface string

	UID   int    // who created it; -1 if not known
	Inode uint64 // by which /proc names it; 0 if not known

	// Namespace is the network namespace of the socket if that is another one than that
	// of this process, usually that of a container; nil otherwise.
	Namespace *Namespace

	// Owners are the processes that hold the socket, ordered by PID. It is nil if none
	// could be seen.
	Owners []*Process

	// Unit and Container are those of the first owner that has one. If no owner could
	// be seen, they are those of the control group in which the socket was created.
	// "" if not known.
	Unit      string
	Container string
}

// A Dual says whether a socket on :: accepts IPv4 connections too.
type Dual int

// The answers of a Dual.
const (
	DualUnknown Dual = iota
	DualNo
	DualYes
)

// All reports whether the socket accepts connections on each address of a family.
func (s *Socket) All() bool { return s.Address.Unmap().IsUnspecified() }

// Loopback reports whether only the machine itself can connect to the socket.
func (s *Socket) Loopback() bool {
	return s.Address.Unmap().IsLoopback() || endpoint.LoopbackInterface(s.Interface)
}

// Own reports whether the socket is in the network namespace of this process.
func (s *Socket) Own() bool { return s.Namespace == nil }

// String returns where the socket is bound, as ss(8) writes it: "*:25" is each address
// of both families, "[::]:25" each IPv6 address.
func (s *Socket) String() string {
	host := s.Address.String()
	switch {
	case s.Address.Is6() && s.Address.IsUnspecified() && s.Dual == DualYes:
		host = "*"
	case s.Address.Is6():
		host = "[" + host + "]"
	}
	if s.Interface != "" {
		host += "%" + s.Interface
	}
	return host + ":" + strconv.Itoa(int(s.Port))
}

// A Process is a process that holds a socket.
type Process struct {
	PID int

	// Name is the name by which the kernel knows it, at most 15 bytes on Linux. A
	// process can choose it.
	Name string

	// Command is its command line, with secrets masked by package redact, at most 4096
	// bytes; nil if not known. A process can change it.
	Command []string

	// Executable is the path of its program, "" if not known. In a container it is the
	// path inside.
	Executable string

	Unit      string // of systemd: "postfix@-.service"; "" if not known
	Container string // the id or name of its container; "" if it is in none, or not known
	Package   string // that installed its program, or its script: "postfix"; "" if not known
}

// A Namespace is a network namespace.
type Namespace struct {
	ID        uint64       // the inode by which the kernel names it
	PID       int          // of the lowest process in it that could be seen
	Container string       // the id or name of the container of that process; "" if not known
	Name      string       // as ip-netns(8) names it; "" if it does not
	Addresses []netip.Addr // of its interfaces, without loopback ones, sorted
}

// Has reports whether the address is one of the namespace.
func (n *Namespace) Has(a netip.Addr) bool { return slices.Contains(n.Addresses, a.Unmap()) }

// A Forward is a port of the machine that address translation passes on, whether or not
// a socket listens on it.
type Forward struct {
	Address netip.Addr // to which connections must go; the zero Addr is each one
	Port    uint16

	// To is where they are passed on to. Its address is the zero Addr if the rule keeps
	// it, as a redirection to another port of the machine does.
	To netip.AddrPort

	// Namespace is the one that has the address of To; nil if none is known.
	Namespace *Namespace
}

// A Gap is something that could not be seen.
type Gap struct {
	Kind    GapKind
	Problem string // a sentence without a full stop
	Count   int    // of sockets, processes or namespaces; 0 if not known
	Err     error  // the cause; nil if there is none
}

// unknownOwners is the gap of sockets whose processes could not be seen.
func unknownOwners(count int) Gap {
	return Gap{Kind: GapOwners, Count: count, Problem: "who holds " + wording.Plural(count, "socket")}
}

// A GapKind says what could not be seen.
type GapKind string

// The kinds of gaps.
const (
	GapOwners     GapKind = "owners"     // the processes of some sockets
	GapNamespaces GapKind = "namespaces" // the sockets of other network namespaces
	GapForwards   GapKind = "forwards"   // the rules of address translation
	GapLimit      GapKind = "limit"      // more of something than a limit allows
)
