package scan

import (
	"math/bits"
	"slices"

	"go4.org/netipx"
)

// A stretch is a run of neighbouring addresses that targets ask for the same
// ports.
type stretch struct {
	addrs netipx.IPRange
	ports []uint16
	id    int // of the ports
}

// stretchesOf sorts the addresses of targets without a zone by what they are
// asked for. The stretches are sorted and disjoint.
func stretchesOf(targets []Target, ports []uint16) ([]stretch, error) {
	list := make([]*Target, 0, len(targets))
	for i := range targets {
		if t := &targets[i]; t.Zone == "" {
			list = append(list, t)
		}
	}
	u := newPortUnion()
	usual := u.list(ports)
	ids := make([]int32, len(list))
	for i, t := range list {
		if ids[i] = usual; t.Ports != nil {
			ids[i] = u.list(t.Ports)
		}
	}
	es := edges(list)
	out := make([]stretch, 0, len(es)/2)
	for i, e := range es {
		if id := ids[e.target]; e.opens {
			u.open(id)
		} else {
			u.close(id)
		}
		if i+1 == len(es) || es[i+1].at == e.at || len(u.opened) == 0 {
			continue
		}
		id, err := u.current()
		if err != nil {
			return nil, err
		}
		if len(u.unions[id]) == 0 {
			continue
		}
		last := es[i+1].at.minus(spot{v6: e.at.v6, lo: 1}).addr()
		if n := len(out); n > 0 && out[n-1].id == id && touches(out[n-1].addrs.To(), e.at.addr()) {
			out[n-1].addrs = netipx.IPRangeFrom(out[n-1].addrs.From(), last)
			continue
		}
		out = append(out, stretch{netipx.IPRangeFrom(e.at.addr(), last), u.unions[id], id})
	}
	return out, nil
}

// A portUnion is the union of those lists of ports that are open. It is kept up
// as lists open and close, and each outcome is made once.
type portUnion struct {
	lists   [][]uint16
	hashes  []uint64         // of the lists
	known   map[string]int32 // lists by canonical form
	opened  map[int32]int    // how often each list is open
	changed []int32          // lists that opened or closed since count was brought up to date
	counted map[int32]bool   // lists that count holds
	count   []uint32         // by port: lists in counted
	present []uint64         // a bit for each port of count
	hash    uint64           // of those ports
	unions  [][]uint16
	byHash  map[uint64]int
	work    int // ports counted and copied
}

func newPortUnion() *portUnion {
	return &portUnion{known: map[string]int32{}, opened: map[int32]int{}, counted: map[int32]bool{}, byHash: map[uint64]int{}}
}

// Bounds of the work for targets that overlap with different ports, which no
// list that a person keeps comes near.
const (
	maxPortWork   = 1 << 29
	maxUnionPorts = 1 << 24 // of all unions
)

// list numbers a list of ports. The same ports have the same number.
func (u *portUnion) list(ports []uint16) int32 {
	key := FormatPorts(ports)
	id, ok := u.known[key]
	if !ok {
		sorted := slices.Clone(ports)
		slices.Sort(sorted)
		sorted = slices.Compact(sorted)
		id = int32(len(u.lists))
		u.known[key] = id
		u.lists = append(u.lists, sorted)
		u.hashes = append(u.hashes, hashPorts(sorted))
	}
	return id
}

// hashPorts is a hash of a set of ports that does not depend on their order.
func hashPorts(ports []uint16) uint64 {
	var h uint64
	for _, p := range ports {
		h ^= mix(uint64(p) + 1<<32)
	}
	return h
}

func (u *portUnion) open(id int32) {
	if u.opened[id]++; u.opened[id] == 1 {
		u.changed = append(u.changed, id)
	}
}

func (u *portUnion) close(id int32) {
	if u.opened[id]--; u.opened[id] == 0 {
		delete(u.opened, id)
		u.changed = append(u.changed, id)
	}
}

// current returns the number of the union of the open lists, of which there is
// at least one. Its ports are in unions.
func (u *portUnion) current() (int, error) {
	if len(u.opened) == 1 { // nearly always
		for id := range u.opened {
			if len(u.counted) == 0 {
				u.changed = append(u.changed[:0], id)
			}
			return u.number(u.hashes[id], func() []uint16 { return u.lists[id] })
		}
	}
	if u.count == nil {
		u.count, u.present = make([]uint32, 1<<16), make([]uint64, 1<<16/64)
	}
	for _, id := range u.changed {
		switch open := u.opened[id] > 0; {
		case open && !u.counted[id]:
			u.add(id, 1)
			u.counted[id] = true
		case !open && u.counted[id]:
			u.add(id, ^uint32(0))
			delete(u.counted, id)
		}
	}
	u.changed = u.changed[:0]
	return u.number(u.hash, u.ports)
}

// add adds n to the count of each port of a list; n is 1 or -1.
func (u *portUnion) add(id int32, n uint32) {
	for _, p := range u.lists[id] {
		was := u.count[p]
		u.count[p] += n
		if was == 0 || u.count[p] == 0 {
			u.hash ^= mix(uint64(p) + 1<<32)
			u.present[p/64] ^= 1 << (p % 64)
		}
	}
	u.work += len(u.lists[id])
}

// number returns the number of a set of ports with a hash.
func (u *portUnion) number(hash uint64, ports func() []uint16) (int, error) {
	id, ok := u.byHash[hash]
	if !ok {
		id = len(u.unions)
		u.unions = append(u.unions, ports())
		u.byHash[hash] = id
	}
	if u.work > maxPortWork {
		return 0, &TooManyPortSetsError{}
	}
	return id, nil
}

// ports are those that are in count.
func (u *portUnion) ports() []uint16 {
	var out []uint16
	for i, word := range u.present {
		for ; word != 0; word &= word - 1 {
			out = append(out, uint16(i*64+bits.TrailingZeros64(word)))
		}
	}
	u.work += len(u.present) + len(out)*(maxPortWork/maxUnionPorts)
	return slices.Clip(out)
}

// A TooManyPortSetsError says that overlapping targets carry so many different
// ports that it would take too long to add them up.
type TooManyPortSetsError struct{}

// Error says so.
func (*TooManyPortSetsError) Error() string {
	return "the targets overlap with too many different ports of their own"
}

// Hint says what to do.
func (*TooManyPortSetsError) Hint() string {
	return "give the ports with --ports, and write ports of their own only behind targets that do not overlap"
}
