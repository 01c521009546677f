package result

import "slices"

// A State is the result of probing a port. The names are those of nmap.
type State string

// The states of a port.
const (
	// StateOpen means that the port accepted a connection.
	StateOpen State = "open"
	// StateClosed means that the host refused the connection.
	StateClosed State = "closed"
	// StateFiltered means that there was no answer, or an ICMP error. If the host
	// is up, it answered on another port afterwards.
	StateFiltered State = "filtered"
	// StateUnknown means that the port could not be probed, or not often enough:
	// because of a local failure, or because the run was stopped. It is never
	// treated as closed.
	StateUnknown State = "unknown"
	// StateSkipped means that the port was not probed on purpose, for example
	// because the address left the scope between planning and probing.
	StateSkipped State = "skipped"
)

// states are numbered by position in the journals of runs: append new ones.
var states = []State{StateOpen, StateClosed, StateFiltered, StateUnknown, StateSkipped}

// States returns all states.
func States() []State { return slices.Clone(states) }

// ParseState returns the state with that name, and reports whether it exists.
func ParseState(word string) (State, bool) { return find(states, word) }

// A Reason is the evidence for a [State], in the words of the result schema.
type Reason string

// The reasons, as listed in the result schema.
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
	// ReasonBlocked means that the pair was silent and its host stopped answering
	// even on a pair that had answered: the silence proves nothing.
	ReasonBlocked Reason = "blocked"
	// ReasonHostTimeout means that the time limit of the host was reached before
	// the pair had a result.
	ReasonHostTimeout Reason = "host-timeout"
	// ReasonZeroWindow means that the SYN-ACK has a window of zero: no data can
	// be sent.
	ReasonZeroWindow Reason = "zero-window"
	// ReasonUnacknowledged means that the pair accepted a connection, but never
	// acknowledged the data sent on it.
	ReasonUnacknowledged Reason = "unacknowledged"
	ReasonUnknown        Reason = "unknown"
)

// reasons are numbered by position in the journals of runs: append new ones.
var reasons = []Reason{
	ReasonSynAck, ReasonConnRefused, ReasonReset, ReasonNoResponse, ReasonHostUnreach, ReasonNetUnreach,
	ReasonAdminProhibited, ReasonConnectionClosed, ReasonIOTimeout, ReasonHandshakeError, ReasonProtocolError,
	ReasonOutOfScope, ReasonRateLimited, ReasonUnknown, ReasonBlocked, ReasonZeroWindow, ReasonUnacknowledged,
	ReasonHostTimeout,
}

// Reasons returns all reasons.
func Reasons() []Reason { return slices.Clone(reasons) }

// ParseReason returns the reason with that name, and reports whether it exists.
// "" means none.
func ParseReason(word string) (Reason, bool) { return find(reasons, word) }
