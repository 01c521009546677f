package syn

import (
	"math"
	"time"

	"mxsweep/scan"
)

// An expiry is the moment from which on no packet leaves, in nanoseconds since
// 1970. It is looked at right before each system call that sends.
type expiry int64

// newExpiry is the expiry at t; there is none if t is zero.
func newExpiry(t time.Time) expiry {
	if t.IsZero() {
		return math.MaxInt64
	}
	return expiry(t.UnixNano())
}

// check returns a *scan.ExpiredError if the moment has come.
func (e expiry) check(at int64) error {
	if at < int64(e) {
		return nil
	}
	return &scan.ExpiredError{NotAfter: time.Unix(0, int64(e))}
}
