package scope

import (
	"math/bits"
	"slices"
)

// A portUnion is the union of those lists of ports that are open. It is updated as
// lists open and close, and each result is computed once.
type portUnion struct {
	lists   []PortSet
	hashes  []uint64           // of the lists
	known   map[uint64][]int32 // lists by hash
	opened  map[int32]int      // how many times each list is open
	changed []int32            // lists that opened or closed since count was updated
	counted map[int32]bool     // lists included in count
	count   []uint32           // by port: lists in counted
	present []uint64           // a bit for each port of count
	hash    uint64             // of those ports
	unions  [][]uint16
	byHash  map[uint64]int
	work    int // ports counted and copied

	every []uint16 // all ports from 0 on; a series of adjacent ports is a slice of it
	upTo  []uint64 // by port: the hash of all ports from 0 to it
}

func newPortUnion() *portUnion {
	u := &portUnion{known: map[uint64][]int32{}, opened: map[int32]int{}, counted: map[int32]bool{}, byHash: map[uint64]int{},
		every: make([]uint16, 1<<16), upTo: make([]uint64, 1<<16)}
	var h uint64
	for p := range u.every {
		h ^= hashPort(uint16(p))
		u.every[p], u.upTo[p] = uint16(p), h
	}
	return u
}

// Bounds of the work for targets with different ports, far above any list that a
// person writes.
const (
	maxPortWork   = 1 << 29
	maxUnionPorts = 1 << 24 // of all unions but those of adjacent ports: 32 MiB
)

// list numbers a set of ports. The same ports have the same number.
func (u *portUnion) list(set PortSet) int32 {
	hash := u.hashOf(set)
	for _, id := range u.known[hash] {
		if u.lists[id].equal(set) {
			return id
		}
	}
	id := int32(len(u.lists))
	u.known[hash] = append(u.known[hash], id)
	u.lists = append(u.lists, set)
	u.hashes = append(u.hashes, hash)
	return id
}

// hashOf is a hash of a set of ports: the sum of the hashes of its ports.
func (u *portUnion) hashOf(set PortSet) uint64 {
	var h uint64
	for first, last := range set.Runs() { // never port 0
		h ^= u.upTo[last] ^ u.upTo[first-1]
	}
	return h
}

// hashPort is the hash of one port.
func hashPort(port uint16) uint64 { return mix(uint64(port) + 1<<32) }

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

// current returns the number of the union of the open lists, of which there is at
// least one. Its ports are in unions. It reports false if combining took too long.
func (u *portUnion) current() (id int, ok bool) {
	if len(u.opened) == 1 { // nearly always
		for id := range u.opened {
			if len(u.counted) == 0 {
				u.changed = append(u.changed[:0], id)
			}
			return u.number(u.hashes[id], func() []uint16 { return u.portsOf(u.lists[id]) })
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
	for first, last := range u.lists[id].Runs() {
		for _, p := range u.every[first : int(last)+1] {
			was := u.count[p]
			u.count[p] += n
			if was == 0 || u.count[p] == 0 {
				u.hash ^= hashPort(p)
				u.present[p/64] ^= 1 << (p % 64)
			}
		}
		u.work += int(last) - int(first) + 1
	}
}

// number returns the number of a set of ports with a hash.
func (u *portUnion) number(hash uint64, ports func() []uint16) (id int, ok bool) {
	id, known := u.byHash[hash]
	if !known {
		id = len(u.unions)
		u.unions = append(u.unions, ports())
		u.byHash[hash] = id
	}
	return id, u.work <= maxPortWork
}

// ports returns the ports in count.
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

// portsOf lists the ports of a set. Adjacent ports take no memory of their own.
func (u *portUnion) portsOf(set PortSet) []uint16 {
	if len(set.runs) == 1 {
		first, end := int(set.runs[0].first), int(set.runs[0].last)+1
		return u.every[first:end:end]
	}
	u.work += set.Len() * (maxPortWork / maxUnionPorts)
	return set.Ports()
}
