package fingerprint

import "time"

// How the wait for bytes ended.
const (
	EndReply   = "reply"   // the reply that the probe waits for is complete
	EndSilence = "silence" // the wait ended, the connection is still open
	EndClosed  = "closed"  // the other side closed the connection
	EndReset   = "reset"   // the other side reset the connection
	EndLimit   = "limit"   // more bytes came than are read
	EndError   = "error"   // the connection failed in another way
)

// A Transcript is all that was said on one port: one Exchange for each probe.
type Transcript struct {
	Exchanges []Exchange `json:"exchanges"`
}

// An Exchange is one probe as it went: what was sent on one connection, what
// came back, how that ended and after how long.
type Exchange struct {
	Probe    string        `json:"probe"`
	Greeting []byte        `json:"greeting,omitempty"` // what came before anything was sent
	Sent     []byte        `json:"sent,omitempty"`
	Reply    []byte        `json:"reply,omitempty"` // what came after that
	End      string        `json:"end"`
	First    time.Duration `json:"first_ns,omitempty"` // until the first byte of the reply
	Took     time.Duration `json:"took_ns"`            // until the end
	TLS      bool          `json:"tls,omitempty"`      // the exchange ran inside of TLS
}
