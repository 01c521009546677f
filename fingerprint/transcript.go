package fingerprint

import "mxsweep/signatures"

// A Transcript is all that was said on one port, and an Exchange one probe of
// it. They are what signatures are matched against.
type (
	Transcript = signatures.Transcript
	Exchange   = signatures.Exchange
)
