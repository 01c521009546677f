package scope

import (
	"cmp"
	"iter"
	"slices"
	"sort"
	"strconv"
)

// A PortSet is an immutable set of ports. It takes a few bytes for each series of
// adjacent ports. The zero PortSet is empty.
type PortSet struct {
	runs []portRun // sorted, with at least one port between them
}

// A portRun is the ports from first to last.
type portRun struct{ first, last uint16 }

// newPortSet combines runs, in any order and overlapping; it takes ownership of runs.
func newPortSet(runs []portRun) PortSet {
	slices.SortFunc(runs, func(a, b portRun) int { return cmp.Compare(a.first, b.first) })
	out := runs[:0]
	for _, r := range runs {
		if n := len(out); n > 0 && int(r.first) <= int(out[n-1].last)+1 {
			out[n-1].last = max(out[n-1].last, r.last)
		} else {
			out = append(out, r)
		}
	}
	return PortSet{runs: slices.Clip(out)}
}

// PortSetOf makes a set of ports, in any order and with duplicates. It does not change
// them.
func PortSetOf(ports []uint16) PortSet {
	for i := 1; i < len(ports); i++ {
		if ports[i-1] >= ports[i] {
			ports = slices.Clone(ports)
			slices.Sort(ports)
			ports = slices.Compact(ports)
			break
		}
	}
	return sortedPortSet(ports)
}

// sortedPortSet makes a set of ports that are sorted and without duplicates. It reads
// few ports of each run, however long it is.
func sortedPortSet(ports []uint16) PortSet {
	var runs []portRun
	for len(ports) > 0 {
		inRun := func(i int) bool { return int(ports[i])-int(ports[0]) == i }
		step := 1
		for step < len(ports) && inRun(step) {
			step *= 2
		}
		from := step / 2 // in the run
		n := from + 1 + sort.Search(min(step, len(ports))-from-1, func(i int) bool { return !inRun(from + 1 + i) })
		runs = append(runs, portRun{ports[0], ports[n-1]})
		ports = ports[n:]
	}
	return PortSet{runs: runs}
}

// minus returns the ports of s that o lacks.
func (s PortSet) minus(o PortSet) PortSet {
	if len(o.runs) == 0 {
		return s
	}
	var out []portRun
	k := 0
	for _, r := range s.runs {
		first := int(r.first)
		for k < len(o.runs) && o.runs[k].last < r.first {
			k++
		}
		for j := k; j < len(o.runs) && o.runs[j].first <= r.last; j++ {
			if int(o.runs[j].first) > first {
				out = append(out, portRun{uint16(first), o.runs[j].first - 1})
			}
			first = max(first, int(o.runs[j].last)+1)
		}
		if first <= int(r.last) {
			out = append(out, portRun{uint16(first), r.last})
		}
	}
	return PortSet{runs: out}
}

// Contains reports whether port is in the set.
func (s PortSet) Contains(port uint16) bool {
	i, _ := slices.BinarySearchFunc(s.runs, port, func(r portRun, p uint16) int { return cmp.Compare(r.last, p) })
	return i < len(s.runs) && s.runs[i].first <= port
}

// Empty reports whether there is no port in the set.
func (s PortSet) Empty() bool { return len(s.runs) == 0 }

// equal reports whether both sets have the same ports.
func (s PortSet) equal(o PortSet) bool { return slices.Equal(s.runs, o.runs) }

// String formats the set so that [ParsePorts] reads back the same set: sorted, without
// duplicates, three and more adjacent ports as a range: "10024-10031,10143". No ports
// give an empty string.
func (s PortSet) String() string {
	var b []byte
	number := func(port uint16) { b = strconv.AppendUint(b, uint64(port), 10) }
	for i, r := range s.runs {
		if i > 0 {
			b = append(b, ',')
		}
		switch number(r.first); {
		case r.last == r.first+1: // two neighbors read better as two numbers
			b = append(b, ',')
			number(r.last)
		case r.last != r.first:
			b = append(b, '-')
			number(r.last)
		}
	}
	return string(b)
}

// Len returns how many ports there are.
func (s PortSet) Len() int {
	n := 0
	for _, r := range s.runs {
		n += int(r.last) - int(r.first) + 1
	}
	return n
}

// Runs yields the first and last port of each series of adjacent ports, in order.
func (s PortSet) Runs() iter.Seq2[uint16, uint16] {
	return func(yield func(first, last uint16) bool) {
		for _, r := range s.runs {
			if !yield(r.first, r.last) {
				return
			}
		}
	}
}

// Union returns the ports of either set.
func (s PortSet) Union(o PortSet) PortSet { return newPortSet(slices.Concat(s.runs, o.runs)) }

// UnionPorts returns the ports of all sets. It takes no more memory for many sets
// than for few.
func UnionPorts(sets iter.Seq[PortSet]) PortSet {
	var all []portRun
	for set := range sets {
		for _, r := range set.runs {
			all = appendRun(all, r)
		}
	}
	return newPortSet(all)
}

// maxLoosePorts is how many runs are kept before they are combined, so that a list of
// megabytes takes no more memory than a short one. It is a power of two, and far above
// how many remain when combined.
const maxLoosePorts = 1 << 18

// appendRun appends a run to others, and combines them when there are many.
func appendRun(runs []portRun, r portRun) []portRun {
	runs = append(runs, r)
	if len(runs)&(maxLoosePorts-1) == 0 {
		runs = newPortSet(runs).runs
	}
	return runs
}

// Ports returns the ports, sorted; nil if there is none.
func (s PortSet) Ports() []uint16 {
	if len(s.runs) == 0 {
		return nil
	}
	out := make([]uint16, 0, s.Len())
	for _, r := range s.runs {
		for p := int(r.first); p <= int(r.last); p++ {
			out = append(out, uint16(p))
		}
	}
	return out
}
