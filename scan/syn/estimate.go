package syn

import (
	"math/bits"
	"time"

	"mxsweep/scan"
	"mxsweep/scan/syn/rawnet"
)

// An Estimate is what a sweep would take if nothing answered and nothing were
// known of loss: the most that it takes on a network that loses nothing.
type Estimate struct {
	Packets  uint64        // SYNs, all passes
	Bytes    uint64        // on Ethernet, headers included, preamble and gap not
	Duration time.Duration // 0 if the rate has no limit
}

// Plan reckons what sweeping space would take. It sends nothing and needs no
// right.
func Plan(space *scan.Space, config Config) Estimate {
	passes := uint64(3)
	if config.Retries > 0 {
		passes = uint64(config.Retries) + 1
	} else if config.Retries < 0 {
		passes = 1
	}
	var e Estimate
	hi, packets := bits.Mul64(space.Len(), passes)
	if hi != 0 {
		packets = ^uint64(0)
	}
	e.Packets = packets
	left := space.Len()
	for r, ports := range space.Spans() {
		// A frame has 60 bytes and the check sequence at least (IEEE 802.3,
		// clause 4.4.2).
		frame := max(uint64(rawnet.FrameLen(r.From().Is6())), 60) + 4
		whole := newPiece(0, r, ports, nil)
		pairs := min(left, whole.pairs())
		left -= pairs
		e.Bytes += pairs * frame * passes
	}
	if config.Rate > 0 {
		e.Duration = time.Duration(float64(e.Packets) / config.Rate * float64(time.Second))
	}
	return e
}
