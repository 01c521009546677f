package scope

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"sort"

	"github.com/mxsweep/mxsweep/result"
	"go4.org/netipx"
)

// A Bulk is the part of a long list that consists of IPv4 addresses, prefixes and
// ranges. It takes a few bytes per entry where a Target takes hundreds. It is
// immutable.
type Bulk struct {
	rows []bulkRow // sorted by first address, the wider ones first, then by line
	ends []uint32  // the last address of the rows of each block of rowBlock
	form []bulkForm
	wide int // rows with more than one address
}

// A bulkRow is one entry.
type bulkRow struct{ first, line, form uint32 } // line counts all files as they were read

// A bulkForm is what entries that are written alike have in common.
type bulkForm struct {
	file   string
	base   int    // lines read from other files before
	mark   string // "!" or nothing
	indent int    // bytes before the entry
	rest   string // what follows its first address
	size   uint32 // how many addresses follow the first one
	ports  PortSet
}

// rowBlock is how many rows share an end.
const rowBlock = 256

// newBulk sorts and indexes rows. Of equal entries it keeps the first.
func newBulk(rows []bulkRow, form []bulkForm) *Bulk {
	b := &Bulk{form: form}
	compare := func(x, y bulkRow) int {
		switch {
		case x.first != y.first:
			return cmp.Compare(x.first, y.first)
		case x.form != y.form && form[x.form].size != form[y.form].size:
			return cmp.Compare(form[y.form].size, form[x.form].size)
		}
		return cmp.Compare(x.line, y.line)
	}
	if !slices.IsSortedFunc(rows, compare) {
		slices.SortFunc(rows, compare) // no two are equal
	}
	rows = slices.CompactFunc(rows, func(x, y bulkRow) bool { return x.first == y.first && x.form == y.form })
	b.rows = rows
	b.ends = make([]uint32, (len(rows)+rowBlock-1)/rowBlock)
	for i := range rows {
		r := b.rangeOf(i)
		b.ends[i/rowBlock] = max(b.ends[i/rowBlock], r.last)
		if r.first != r.last {
			b.wide++
		}
	}
	return b
}

// Len returns how many entries there are.
func (b *Bulk) Len() int { return len(b.rows) }

// Wide returns how many entries have more than one address.
func (b *Bulk) Wide() int { return b.wide }

// rangeOf returns the addresses of the i-th entry.
func (b *Bulk) rangeOf(i int) range4 {
	r := b.rows[i]
	return range4{r.first, r.first + b.form[r.form].size}
}

// Target returns the i-th entry as a single target.
func (b *Bulk) Target(i int) Target {
	return Target{Ranges: []netipx.IPRange{b.rangeOf(i).ipRange()}, Ports: b.form[b.rows[i].form].ports, Anchor: b.anchor(i)}
}

// anchor returns where the i-th entry was written.
func (b *Bulk) anchor(i int) result.Anchor {
	r, f := b.rows[i], &b.form[b.rows[i].form]
	text := f.mark + addr4(r.first).String() + f.rest
	return result.Anchor{File: f.file, Line: int(r.line) - f.base, EndColumn: f.indent + len(text) + 1, Text: text}
}

// Ranges yields the addresses of each entry with its number, by address.
func (b *Bulk) Ranges() iter.Seq2[int, netipx.IPRange] {
	return func(yield func(int, netipx.IPRange) bool) {
		for i := range b.rows {
			if !yield(i, b.rangeOf(i).ipRange()) {
				return
			}
		}
	}
}

// PortSets yields the port sets of entries, each set at least once.
func (b *Bulk) PortSets() iter.Seq[PortSet] {
	return func(yield func(PortSet) bool) {
		for i := range b.form {
			if !yield(b.form[i].ports) {
				return
			}
		}
	}
}

// Single reports whether an entry is exactly that address.
func (b *Bulk) Single(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	i, ok := b.narrowest(number4(a))
	r := range4{}
	if ok {
		r = b.rangeOf(i)
	}
	return ok && r.first == r.last
}

// narrowest finds the entry that contains an address: the narrowest if there are
// several, the first of equal ones.
func (b *Bulk) narrowest(n uint32) (best int, ok bool) {
	i := sort.Search(len(b.rows), func(i int) bool { return b.rows[i].first > n }) - 1
	var size uint32
	for ; i >= 0; i-- {
		r := b.rangeOf(i)
		if ok && n-r.first > size {
			return best, true // no further entry is as narrow
		}
		if r.last >= n && (!ok || r.last-r.first <= size && (r.last-r.first < size || b.rows[i].line < b.rows[best].line)) {
			best, size, ok = i, r.last-r.first, true
		}
		for i%rowBlock == 0 && i > 0 && b.ends[i/rowBlock-1] < n {
			i -= rowBlock
		}
	}
	return best, ok
}

// ranges returns the addresses of all entries.
func (b *Bulk) ranges() ranges4 {
	n := 0
	var last uint64
	for i := range b.rows {
		if r := b.rangeOf(i); i == 0 || uint64(r.first) > last+1 {
			n++
			last = uint64(r.last)
		} else {
			last = max(last, uint64(r.last))
		}
	}
	out := make(ranges4, 0, n)
	for i := range b.rows {
		out = out.push(b.rangeOf(i))
	}
	return out
}
