package result

import "net/netip"

// A Joined says of one address and port of a machine what its files configure, or what
// listens on it, and what a scan from outside saw there.
type Joined struct {
	// IP is the address that was scanned, without a zone. If none was scanned on which the
	// listener could be reached, it is the one to which that is bound.
	IP   netip.Addr `json:"ip"`
	Host string     `json:"host,omitempty" clean:"field"` // the name of IP, "" if it has none
	Port uint16     `json:"port"`

	State JoinState `json:"join"`

	// Outside is what the scan saw; "" if it did not probe the port, or cannot tell closed
	// from filtered.
	Outside State `json:"outside,omitempty"`

	Why string `json:"why"` // a sentence, without a full stop

	// What listens, or is configured: "" and nil if nothing of that is known.
	Bound   string  `json:"bound,omitempty" clean:"field"`   // as ss(8) writes it: "*:25" is each address of both families
	Product string  `json:"product,omitempty" clean:"field"` // as in Service
	Anchor  *Anchor `json:"anchor,omitempty"`                // of the token that opens the port
}

// A JoinState is what configuration, sockets and scan together say of a port.
type JoinState string

// The states, the most urgent first.
const (
	JoinReachable  JoinState = "reachable"   // bound to all, or to this address, and open from outside
	JoinElsewhere  JoinState = "elsewhere"   // open from outside, but nothing listens here
	JoinFiltered   JoinState = "filtered"    // bound to all, or to this address, and not open from outside
	JoinUnknown    JoinState = "unknown"     // the scan does not show it
	JoinNotRunning JoinState = "not-running" // configured, but nothing listens
	JoinLoopback   JoinState = "loopback"    // bound to loopback, and not open from outside
)

var joinStates = []JoinState{JoinReachable, JoinElsewhere, JoinFiltered, JoinUnknown, JoinNotRunning, JoinLoopback}

// JoinStates returns all states, the most urgent first.
func JoinStates() []JoinState { return joinStates[:len(joinStates):len(joinStates)] }

// ParseJoinState returns the state with that name, and reports whether it exists.
func ParseJoinState(word string) (JoinState, bool) { return find(joinStates, word) }
