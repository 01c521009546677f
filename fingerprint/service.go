// Package fingerprint identifies the daemon on an open port through dialogues
// with it.
//
// An [Identifier] runs short dialogues of probes with the port and matches the
// replies, and the behavior, against the signatures of package signatures. The
// port number alone never decides.
package fingerprint

import (
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// A Transcript has all exchanges with one port: what signatures are matched
// against.
type Transcript = signatures.Transcript

// An Exchange is one probe of a [Transcript] with its result.
type Exchange = signatures.Exchange

// An Identification is the result of an [Identifier] for an open port: the
// service as it is reported, and in addition the raw exchanges.
type Identification struct {
	result.Service

	// RoleByPort is set if Role is a guess from the port number: the dialogue
	// showed only the kind of daemon.
	RoleByPort bool

	// Filtered is set if a configuration file says that the listener hands its mail to a
	// content filter. A dialogue never sets it.
	Filtered bool

	// Banner is the first data that the daemon sent, at most 1024 bytes.
	Banner          []byte
	BannerTruncated bool

	TLS *result.TLS // the TLS handshake, nil if there was none

	// protocolConfidence is the confidence in everything but the product, if that
	// is only what the daemon states about itself, what stands in front of it, or a
	// guess among the programs that behave alike.
	protocolConfidence int

	// slow is set if the host or this machine was overloaded: then silence does
	// not show that the port waits for a probe.
	slow bool

	// slowPort says that the port itself took long for an answer, or gave none, perhaps
	// because it was busy with our other connections to it.
	slowPort bool

	// unheard says that a question without an answer could have given a surer name.
	unheard bool

	// suggested says that the port number suggests a question for silent ports.
	suggested bool

	// left is what the port may still be asked; nil if there was no dialogue with it.
	left *allowance

	// Transcript has the raw exchanges, for reports on unknown services and for
	// recording examples. Replies are complete if Record is set, otherwise cut
	// after 2048 bytes.
	Transcript *Transcript
}

// Suggested reports whether the port number suggests a question for silent ports.
func (i *Identification) Suggested() bool { return i.suggested }

// ProtocolConfidence is how sure all but the name of the product is: what the daemon
// says of itself makes it neither surer nor less sure, the name of a proxy in front takes
// nothing from what was said behind it, and that others behave as the product does
// takes nothing from what they speak.
func (i *Identification) ProtocolConfidence() int {
	if i.SelfNamed {
		return i.protocolConfidence
	}
	return max(i.Confidence, i.protocolConfidence)
}
