package syn

import (
	"container/heap"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// An upHost is a host that has sent a packet itself: its silent pairs are filtered, as
// long as a control shows that the host still answers.
//
// A control is a pair of the host that is known to answer and is probed again.
type upHost struct {
	first uint64 // number of its first pair
	since int64  // when the probe was sent that the host answered first, in nanoseconds since 1970; 0 if it answered an earlier run
	proof int64  // when the last probe that it answered was sent, in nanoseconds since 1970
	asked int64  // when the control under way was sent; 0 if there is none
	icmp  int64  // when it was last probed for an ICMP error
	last  int64  // when the latest probe was sent that stayed without an answer

	pairs  uint32 // from first on
	open   uint32 // of those
	tcp    uint32 // index, from first on, of a pair that answers with a segment
	other  uint32 // index of another one, in case that one stops answering
	reject uint32 // index of a pair that it rejects by ICMP
	proven uint32 // silent pairs below this index are filtered

	lost     uint16      // validation probes of it that were lost since its last answer
	step     uint16      // silent pairs until the next control
	pass     int16       // the pass of the control under way
	missed   uint8       // controls and validation probes without an answer since its last answer
	probes   uint8       // how many probes of each of its silent pairs count; 0 if those of all passes do
	kind     rawnet.Kind // kind of the answer at index tcp
	why      rawnet.ICMPError
	resetTTL uint8 // of the first reset; 0 if there was none
	resets   uint8 // pairs refused with that TTL
	mixed    bool  // its resets come with more than one TTL, alternating
	suspect  bool  // it was silent for a while, and the pairs probed meanwhile must be probed again
}

// noPlace is the index of no pair.
const noPlace = ^uint32(0)

// The number of silent pairs of a host between two of its controls.
const (
	firstStep = 32
	lastStep  = 512
)

// icmpGap is the minimum time between two controls that are answered by ICMP: a host
// sends one error per second to each address (RFC 1812, Section 4.3.2.8, requires a
// limit of routers, and hosts have one too).
const icmpGap = int64(time.Second)

// maxUp is how many hosts are stored. Silent pairs of the others are unknown.
const maxUp = 1 << 20

// A hostTable is the hosts that are up. It is safe for concurrent use.
type hostTable struct {
	mu     sync.Mutex
	ids    map[uint64]uint32 // by first
	all    []upHost
	due    dueHeap
	full   bool                    // there were more than maxUp
	latest int64                   // when the latest answered probe of all hosts was sent
	gone   uint64                  // validation probes lost at hosts that are silent, and controls if they count
	resets map[uint64]*resetChange // by first, of hosts whose resets came with another TTL from some time on
	taken  int                     // pairs in them
	once   bool                    // each pair is probed once: controls count for the loss
	passes [passSlots]tally        // of controls

	// filter has a bit set for each host in all, by a hash of its first pair, so that
	// answers of other hosts need no lookup in ids. Any goroutine may read it.
	filter [filterBits / 64]atomic.Uint64
}

// filterBits is how many bits the filter of a hostTable has: it fits into the first
// cache of a processor.
const filterBits = 1 << 16

// filterPlace returns the position of a host in the filter.
func filterPlace(first uint64) (word int, bit uint64) {
	h := first * 0x9e3779b97f4a7c15 >> 48 // Fibonacci hashing
	return int(h / 64), 1 << (h % 64)
}

// unknown reports whether a host is certainly not in the table.
func (t *hostTable) unknown(first uint64) bool {
	word, bit := filterPlace(first)
	return t.filter[word].Load()&bit == 0
}

// newHostTable returns an empty table. once is whether each pair is probed once.
func newHostTable(once bool) *hostTable {
	return &hostTable{ids: map[uint64]uint32{}, resets: map[uint64]*resetChange{}, once: once}
}

// host returns the first pair of the host of pair i, and how many it has in the Space:
// a shard may have a part of them.
func (v *view) host(i uint64, p *addrRange) (first uint64, pairs uint32) {
	n := uint64(len(p.ports))
	host, _ := p.split(i)
	first = p.start + host*n
	end := first + n
	if first >= v.count { // before the shard: it wrapped
		first = 0
	}
	return first, uint32(min(end, v.count) - first)
}

// add returns the host with the first pair first, which is up; nil if there
// are too many. The caller holds the lock.
func (t *hostTable) add(first uint64, pairs uint32) (h *upHost, fresh bool) {
	id, ok := t.ids[first]
	if ok {
		return &t.all[id], false
	}
	if len(t.all) >= maxUp {
		t.full = true
		return nil, false
	}
	word, bit := filterPlace(first)
	t.filter[word].Or(bit)
	t.ids[first] = uint32(len(t.all))
	t.all = append(t.all, upHost{first: first, pairs: pairs, tcp: noPlace, other: noPlace, reject: noPlace, step: firstStep})
	return &t.all[len(t.all)-1], true
}

// find returns a host that is up, nil if it is not known to be. The caller
// holds the lock.
func (t *hostTable) find(first uint64) *upHost {
	if id, ok := t.ids[first]; ok {
		return &t.all[id]
	}
	return nil
}

// answers records that a pair of the host answers with a segment. A closed one is the
// better control: it leaves no connection at the host.
func (h *upHost) answers(place uint32, k rawnet.Kind) {
	switch {
	case h.tcp == noPlace:
		h.tcp, h.kind = place, k
	case h.kind != rawnet.KindReset && k == rawnet.KindReset:
		h.tcp, h.kind, h.other = place, k, h.tcp
	default:
		h.other = place
	}
	if k == rawnet.KindSynAck {
		h.open++
	}
}

// rejects records that the host itself rejects a pair by ICMP.
func (h *upHost) rejects(place uint32, u rawnet.ICMPError) {
	if h.reject == noPlace {
		h.reject, h.why = place, u
	}
}

// answered records that the host answered a probe that was sent at sent, plus or minus
// slack.
func (t *hostTable) answered(h *upHost, sent int64, slack time.Duration) {
	t.gone -= t.goneOf(h)
	defer func() { t.gone += t.goneOf(h) }()
	if h.asked != 0 && sent >= h.asked-int64(slack) {
		sent = max(sent, h.asked)
		h.asked = 0
		t.passes[h.pass].asked++
	}
	h.proof = max(h.proof, sent)
	t.latest = max(t.latest, sent)
	if sent > h.last {
		h.missed, h.lost = 0, 0
	}
}

// control returns the index of the pair with which to probe the host again, and
// whether there is one: a closed one, else an open one. For a host that has sent
// nothing but ICMP errors it is one that it rejects, if the last such probe was a
// second ago. If the last control was missed, another pair is used: the port itself
// may have changed.
func (h *upHost) control(at int64) (place uint32, ok bool) {
	if h.tcp == noPlace && h.reject != noPlace && at-h.icmp >= icmpGap {
		return h.reject, true
	}
	if h.missed%2 == 1 && h.other != noPlace {
		return h.other, true
	}
	return h.tcp, h.tcp != noPlace
}

// ask records that the control at an index is sent now.
func (h *upHost) ask(place uint32, at int64, pass int) {
	h.asked, h.pass = at, int16(pass)
	if place == h.reject {
		h.icmp = at
	}
}

// miss records that the host did not answer a probe that was sent at sent, a control
// or a validation probe. enough of them in a row show that it is silent.
func (t *hostTable) miss(h *upHost, sent int64, enough uint8, validation bool) {
	if sent <= h.proof {
		return // it answered a later one
	}
	t.gone -= t.goneOf(h)
	h.last = max(h.last, sent)
	if h.missed < math.MaxUint8 {
		h.missed++
	}
	if validation && h.lost < math.MaxUint16 {
		h.lost++
	}
	if h.missed >= enough {
		h.suspect, h.step = true, firstStep
	}
	t.gone += t.goneOf(h)
}

// goneOf returns how many probes to the host that count for the loss were lost because
// it is silent, and not on the path.
func (t *hostTable) goneOf(h *upHost) uint64 {
	switch {
	case !h.suspect || h.missed == 0:
		return 0
	case t.once:
		return uint64(h.missed)
	}
	return uint64(h.lost)
}

// expire records that the time for the host's control is over, if it was sent before a
// moment. An ICMP error may have been withheld while others were sent; counts is
// whether none was expected.
func (t *hostTable) expire(h *upHost, before int64, enough uint8, counts bool) {
	if h.asked == 0 || h.asked >= before {
		return
	}
	sent := h.asked
	h.asked = 0
	if sent == h.icmp && !counts {
		return
	}
	t.passes[h.pass].asked++
	t.passes[h.pass].lost++
	t.miss(h, sent, enough, false)
}

// plan schedules the next control of a host for when as many of its silent pairs as
// its step says have been probed after a count of the walk. A walk scatters the pairs
// of a host evenly, so that they need not be counted: their number follows from the
// position in the walk. At the end of a pass there is a control in any case. The
// caller holds the lock.
func (t *hostTable) plan(id uint32, silent, count, length uint64) {
	h := &t.all[id]
	if silent <= uint64(h.step) {
		return
	}
	hi, lo := bits.Mul64(length, uint64(h.step))
	if hi >= silent {
		return
	}
	gap, _ := bits.Div64(hi, lo, silent)
	if next := count + gap; next < length {
		heap.Push(&t.due, due{next, id})
	}
}

// next takes the host whose control is due before a count of the walk. The caller
// holds the lock.
func (t *hostTable) next(count uint64) (id uint32, ok bool) {
	if len(t.due) == 0 || t.due[0].count > count {
		return 0, false
	}
	return heap.Pop(&t.due).(due).id, true
}
