package scan

import (
	"cmp"
	"iter"
	"slices"
)

// A PortSet is a set of ports. It takes a few bytes for each run of
// neighbouring ports, whatever it was written as. The zero PortSet is empty. It
// does not change once it is made.
type PortSet struct {
	runs []portRun // sorted, apart from each other by at least one port
}

// A portRun is the ports from first to last.
type portRun struct{ first, last uint16 }

// newPortSet adds runs up, in any order and overlapping; it takes over runs.
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

// Len returns how many ports there are.
func (s PortSet) Len() int {
	n := 0
	for _, r := range s.runs {
		n += int(r.last) - int(r.first) + 1
	}
	return n
}

// Runs gives the first and last port of each run of neighbors, in order.
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

// Ports lists the ports, sorted; nil if there is none.
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
