package result

import "slices"

// A State says what a port did when it was probed. The words are nmap's.
type State string

// The states of a port.
const (
	// StateOpen means that the port accepted a connection.
	StateOpen State = "open"
	// StateClosed means that the host refused the connection.
	StateClosed State = "closed"
	// StateFiltered means that nothing, or an ICMP error, came back. If the
	// host is up, it answered on another port afterwards.
	StateFiltered State = "filtered"
	// StateUnknown means that the question could not be asked: a local
	// failure, or a run that was stopped. It is never taken for closed.
	StateUnknown State = "unknown"
	// StateSkipped means that the port was left out on purpose, for example
	// because the address left the scope between planning and probing.
	StateSkipped State = "skipped"
)

// states are numbered in the journals of runs, by their place: a new one goes to
// the end.
var states = []State{StateOpen, StateClosed, StateFiltered, StateUnknown, StateSkipped}

// States lists all states.
func States() []State { return slices.Clone(states) }

// ParseState finds the state of a word, and reports whether there is one.
func ParseState(word string) (State, bool) { return find(states, word) }

// A Reason is the evidence for a [State], in the words of the result schema.
type Reason string

// The reasons, as the result schema lists them.
const (
	ReasonSynAck           Reason = "syn-ack"
	ReasonConnRefused      Reason = "conn-refused"
	ReasonReset            Reason = "reset"
	ReasonNoResponse       Reason = "no-response"
	ReasonHostUnreach      Reason = "host-unreach"
	ReasonNetUnreach       Reason = "net-unreach"
	ReasonAdminProhibited  Reason = "admin-prohibited"
	ReasonConnectionClosed Reason = "connection-closed"
	ReasonIOTimeout        Reason = "io-timeout"
	ReasonHandshakeError   Reason = "handshake-error"
	ReasonProtocolError    Reason = "protocol-error"
	ReasonOutOfScope       Reason = "out-of-scope"
	ReasonRateLimited      Reason = "rate-limited"
	// ReasonBlocked is that of a silent pair whose host stopped answering on
	// a pair that is known to answer: the silence proves nothing.
	ReasonBlocked Reason = "blocked"
	// ReasonHostTimeout is that of a pair that was not asked, or not settled,
	// when the time limit of its host was reached.
	ReasonHostTimeout Reason = "host-timeout"
	// ReasonZeroWindow is that of a pair whose SYN-ACK offers no room for
	// data: nothing can be said to it.
	ReasonZeroWindow Reason = "zero-window"
	// ReasonUnacknowledged is that of a pair which accepted a connection and
	// never acknowledged the data that was sent on it.
	ReasonUnacknowledged Reason = "unacknowledged"
	ReasonUnknown        Reason = "unknown"
)

// reasons are numbered in the journals of runs, by their place: a new one goes to
// the end.
var reasons = []Reason{
	ReasonSynAck, ReasonConnRefused, ReasonReset, ReasonNoResponse, ReasonHostUnreach, ReasonNetUnreach,
	ReasonAdminProhibited, ReasonConnectionClosed, ReasonIOTimeout, ReasonHandshakeError, ReasonProtocolError,
	ReasonOutOfScope, ReasonRateLimited, ReasonUnknown, ReasonBlocked, ReasonZeroWindow, ReasonUnacknowledged,
	ReasonHostTimeout,
}

// Reasons lists all reasons.
func Reasons() []Reason { return slices.Clone(reasons) }

// ParseReason finds the reason of a word, and reports whether there is one. "" is
// none.
func ParseReason(word string) (Reason, bool) { return find(reasons, word) }
