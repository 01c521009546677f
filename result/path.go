package result

import (
	"net/netip"
	"slices"
)

// A Path is how mail flows through one host, or through what a set of configuration
// files describes, as far as that is known.
type Path struct {
	IP   netip.Addr `json:"ip,omitzero"`                  // without a zone; the zero Addr for files, 0.0.0.0 for a machine that was looked at from inside
	Host string     `json:"host,omitempty" clean:"field"` // the name of the host, "" if it has none

	Steps []PathStep `json:"steps"`
	Edges []PathEdge `json:"edges,omitempty"`

	// Left is the number of ports that are left out because there are too many.
	Left int `json:"left,omitempty"`
}

// A PathStep is where mail, or a question about it, is handed over.
type PathStep struct {
	Kind StepKind `json:"kind"`
	Port uint16   `json:"port,omitempty"` // of StepPort; 0 if the port of that daemon is not known

	// Name is the address of StepElsewhere, "host:25", and of StepQueue the name of the queue
	// manager, if it is not that of the rest of the mail server. It is "" for others.
	Name string `json:"name,omitempty" clean:"field"`

	Product string `json:"product,omitempty" clean:"field"` // as in Service
	Role    Role   `json:"role,omitempty"`

	// Open is set if the port accepts connections from the vantage point, or in files and on
	// a machine that was looked at from inside, if it is not bound to loopback. Internal is set if only the mail system has business
	// there.
	Open     bool `json:"open,omitempty"`
	Internal bool `json:"internal,omitempty"`

	// Unreached is set if files bind the port to more than loopback, or on a machine that was
	// looked at from inside, if they name it at all, and the run did not find it open.
	Unreached bool `json:"unreached,omitempty"`

	Anchor *Anchor `json:"anchor,omitempty"` // of the token that binds the port; nil for scans, and if it is not known
}

// A StepKind says what a step of a path is.
type StepKind string

// The kinds of steps.
const (
	StepPort      StepKind = "port"      // a daemon that listens
	StepQueue     StepKind = "queue"     // the queue of the mail server
	StepMailboxes StepKind = "mailboxes" // where users read their mail
	StepElsewhere StepKind = "elsewhere" // another host
)

// ParseStepKind returns the kind with that name, and reports whether it exists.
func ParseStepKind(word string) (StepKind, bool) {
	return find([]StepKind{StepPort, StepQueue, StepMailboxes, StepElsewhere}, word)
}

// A PathEdge leads from one step to the next.
type PathEdge struct {
	From int `json:"from"` // index into Steps
	To   int `json:"to"`

	// Asks is set if From asks To about mail and keeps the mail: a policy service, a
	// milter, a table.
	Asks bool `json:"asks,omitempty"`

	Basis  EdgeBasis `json:"basis"`
	Anchor *Anchor   `json:"anchor,omitempty"` // of BasisFile: the token that names To
}

// An EdgeBasis says how an edge of a path is known.
type EdgeBasis string

// The bases, from the surest on.
const (
	BasisFile     EdgeBasis = "file"     // a configuration file says so
	BasisRole     EdgeBasis = "role"     // it is what the role of From means
	BasisDialogue EdgeBasis = "dialogue" // From passed on what To says: likely
	BasisTable    EdgeBasis = "table"    // these daemons usually do so: not observed
)

var edgeBases = []EdgeBasis{BasisFile, BasisRole, BasisDialogue, BasisTable}

// ParseEdgeBasis returns the basis with that name, and reports whether it exists.
func ParseEdgeBasis(word string) (EdgeBasis, bool) { return find(edgeBases, word) }

// Weaker returns the less sure one of two bases.
func (b EdgeBasis) Weaker(c EdgeBasis) EdgeBasis {
	return edgeBases[max(slices.Index(edgeBases, b), slices.Index(edgeBases, c), 0)]
}
