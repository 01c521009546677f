package scope

import (
	"math"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// Widest is how many public IPv4 addresses, and how many IPv6 addresses (a
// /112), may be swept without a scope file.
const Widest = 1 << 16

// reserved are the IPv4 addresses that belong to no one on the internet (RFC 6890 and
// its updates), so that sweeping them needs no authorization of others.
var reserved = mustSet("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4")

// CheckWidth refuses a scope that sweeps more than [Widest] public IPv4 addresses
// or IPv6 addresses: that needs a scope file, in which someone wrote down what may
// be contacted.
func (s *Set) CheckWidth() error {
	var v4, v6 uint64
	for r := range s.asked.all() {
		n := countRange(r)
		sum := &v4
		if r.From().Is6() {
			sum = &v6
		}
		if *sum += n; *sum < n {
			*sum = math.MaxUint64
		}
	}
	if v4 -= s.asked.v4.countCommon(asSet(reserved.Ranges()).v4); v4 > Widest {
		return fault.Refusef(widthHint, "the sweep covers %d public addresses, more than %d", v4, Widest)
	}
	switch {
	case v6 == math.MaxUint64: // all larger counts, too
		return fault.Refusef(widthHint, "the sweep covers 2^64 IPv6 addresses or more, more than a /112 holds")
	case v6 > Widest:
		return fault.Refusef(widthHint, "the sweep covers %d IPv6 addresses, more than a /112 holds", v6)
	}
	return nil
}

// widthHint says how a wide sweep is allowed.
const widthHint = "list what you may contact in a file, and give it with --scope"
