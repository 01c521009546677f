package journal

// A placeSet is a set of places of an order. A sweep visits its order from the first
// place to the last, so most of the set is one series of full pages, which take no
// memory.
type placeSet struct {
	full  uint64 // pages below this one are full
	pages map[uint64]*page
	count uint64
}

// A page holds pageSize places.
type page struct {
	bits  [pageSize / 64]uint64
	count int
}

const pageSize = 1 << 13

// add adds a place to the set. It reports whether the place was not in the earlier
// run.
func (s *placeSet) add(place uint64) bool {
	n, bit := place/pageSize, place%pageSize
	if n < s.full {
		return false
	}
	if s.pages == nil {
		s.pages = map[uint64]*page{}
	}
	p := s.pages[n]
	if p == nil {
		p = &page{}
		s.pages[n] = p
	}
	if p.bits[bit/64]&(1<<(bit%64)) != 0 {
		return false
	}
	p.bits[bit/64] |= 1 << (bit % 64)
	p.count++
	s.count++
	for q := s.pages[s.full]; q != nil && q.count == pageSize; q = s.pages[s.full] {
		delete(s.pages, s.full)
		s.full++
	}
	return true
}

// has reports whether a place is in the set.
func (s *placeSet) has(place uint64) bool {
	n, bit := place/pageSize, place%pageSize
	if n < s.full {
		return true
	}
	p := s.pages[n]
	return p != nil && p.bits[bit/64]&(1<<(bit%64)) != 0
}
