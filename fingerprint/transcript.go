package fingerprint

import "github.com/mxsweep/mxsweep/signatures"

// A Transcript is all that was said on one port: what signatures are matched
// against.
type Transcript = signatures.Transcript

// An Exchange is one probe of a [Transcript].
type Exchange = signatures.Exchange
