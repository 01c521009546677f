// Package fingerprint finds out which daemon answers on an open port, by
// talking to it.
//
// An [Identifier] holds short scripted dialogues (probes) with the port and
// matches what was said, and how it was said, against the signatures of
// package signatures. It decides by dialogue, never by port number alone.
package fingerprint

import (
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// A Transcript is all that was said on one port: what signatures are matched
// against.
type Transcript = signatures.Transcript

// An Exchange is one probe of a [Transcript].
type Exchange = signatures.Exchange

// An Identification is what an [Identifier] finds out of an open port: the service
// as it is reported, and beside it what was said, raw.
type Identification struct {
	result.Service

	// RoleByPort says that Role is a guess from the port number: the dialogue
	// told only what kind of daemon it is.
	RoleByPort bool

	// Banner is what the daemon said first, raw, at most 1024 bytes.
	Banner          []byte
	BannerTruncated bool

	TLS *result.TLS // the TLS handshake, nil if there was none

	// protocolConfidence is the confidence in all but the product, where that is
	// only what the daemon says of itself.
	protocolConfidence int

	// slow says that the host or this machine had no time: silence then does not
	// tell that the port waits to be asked.
	slow bool

	// slowPort says that the port itself took long for an answer, or gave none, perhaps
	// because it was busy with our other connections to it.
	slowPort bool

	// suggested says that the port number suggests a question for silent ports.
	suggested bool

	// spent is how long the conversations with the port took in all.
	spent time.Duration

	// Transcript is the raw record of every probe, for reports on unknown
	// services and for recording examples. Replies are whole if Record is set,
	// else their first 2048 bytes.
	Transcript *Transcript
}

// Suggested reports whether the port number suggests a question for silent ports.
func (i *Identification) Suggested() bool { return i.suggested }

// ProtocolConfidence is how sure all but the name of the product is: what the daemon
// says of itself makes it neither surer nor less sure.
func (i *Identification) ProtocolConfidence() int {
	if i.SelfNamed {
		return i.protocolConfidence
	}
	return i.Confidence
}
