package scan

import (
	"fmt"
	"net/netip"
	"time"
)

// A BlockedHost is a host that was up and stopped answering in the middle of
// a scan, also on a pair that is known to answer.
type BlockedHost struct {
	Addr  netip.Addr
	Since time.Time // when the last probe left that it answered
	Pairs uint64    // pairs with ReasonBlocked

	// Resets is set if it still answers, but refuses all since then with segments
	// whose TTL is not that of its earlier ones, as those of a firewall: what was
	// refused since is blocked.
	Resets bool
}

// MaxBlocked is how many hosts [Stats] names as blocked.
const MaxBlocked = 100

// An ExpiredError says that a scan ended because nothing may be sent any more.
type ExpiredError struct {
	NotAfter time.Time // the first moment that is too late
}

// Error says when the time was over.
func (e *ExpiredError) Error() string {
	return fmt.Sprintf("scanning is not authorized after %s", e.NotAfter.UTC().Format(time.RFC3339))
}
