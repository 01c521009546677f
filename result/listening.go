package result

import (
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
)

// A Listening is what a machine says of a port on which it listens. A port of a run that
// looked at the machine itself has one.
type Listening struct {
	// Bound is where it is bound, as ss(8) writes it: "*:25" is each address of both
	// families, "[::]:25" each IPv6 address, "127.0.0.53%lo:53" one of an interface.
	Bound string `json:"bound" clean:"field"`

	// Through says what passes connections on to it: "container" for a socket of a
	// container, which only the networks of that reach, "namespace" for one of another
	// network namespace that is no container, and "published" for a port that
	// is passed on to To, by address translation or by a program such as docker-proxy. ""
	// means that it is bound on the machine itself.
	Through string `json:"through,omitempty" clean:"field"`
	To      string `json:"to,omitempty" clean:"field"`

	// The process that holds it, or on a published port the one to which connections are
	// passed on. All are zero if no process could be seen.
	PID        int    `json:"pid,omitempty"`
	Process    string `json:"process,omitempty" clean:"field"`    // the name
	Command    string `json:"command,omitempty" clean:"field"`    // the command line, with secrets masked
	Executable string `json:"executable,omitempty" clean:"field"` // the path of the program

	Unit      string `json:"unit,omitempty" clean:"field"`      // of systemd; "" if not known
	Package   string `json:"package,omitempty" clean:"field"`   // that installed the program; "" if not known
	Container string `json:"container,omitempty" clean:"field"` // the id or name; "" if it is in none
	Namespace string `json:"namespace,omitempty" clean:"field"` // its name, as ip netns(8) has it; "" if it has none
}

// The ways by which connections reach a [Listening] that is not bound on the machine itself.
const (
	SocketContainer = "container"
	SocketNamespace = "namespace"
	SocketPublished = "published"
)

// Apart reports whether the socket is in another network namespace, and no port of the
// machine is passed on to it.
func (s *Listening) Apart() bool {
	return s.Through == SocketContainer || s.Through == SocketNamespace
}

// Interface returns the network interface outside of which nothing reaches the port, "" if
// there is no such limit.
func (s *Listening) Interface() string {
	_, name := s.address()
	return name
}

// Loopback reports whether only the machine itself can connect to the port, or for a socket
// that is Apart, only its network namespace.
func (s *Listening) Loopback() bool {
	host, name := s.address()
	e := endpoint.Endpoint{Host: host}
	return e.Loopback() || endpoint.LoopbackInterface(name)
}

// address returns the address of Bound without brackets, and its interface.
func (s *Listening) address() (host, name string) {
	host, name, _ = strings.Cut(s.Bound[:max(strings.LastIndexByte(s.Bound, ':'), 0)], "%")
	return strings.Trim(host, "[]"), name
}

// Hidden reports whether nothing is known of who holds the socket.
func (s *Listening) Hidden() bool { return s.PID == 0 && s.Unit == "" && s.Container == "" }
