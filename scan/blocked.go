package scan

import (
	"fmt"
	"net/netip"
	"time"
)

// A BlockedHost is a host that was up and stopped answering in the middle of a scan,
// even on a pair that is known to answer.
type BlockedHost struct {
	Addr  netip.Addr
	Since time.Time // when the last probe that it answered was sent
	Pairs uint64    // pairs with ReasonBlocked

	// Resets is set if the host still sends resets, but with another TTL than before,
	// as a firewall in its place does. Pairs refused since then are blocked.
	Resets bool
}

// MaxBlocked is how many blocked hosts [Stats] names.
const MaxBlocked = 100

// An ExpiredError says that a scan ended because its authorization ended.
type ExpiredError struct {
	NotAfter time.Time // the first time at which nothing may be sent
}

// Error says when the authorization ended.
func (e *ExpiredError) Error() string {
	return fmt.Sprintf("scanning is not authorized after %s", e.NotAfter.UTC().Format(time.RFC3339))
}
