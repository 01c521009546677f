package drift

import (
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
)

// An entryIndex finds the entries of a baseline that match a finding.
type entryIndex struct {
	now     *Conditions
	entries []*Entry
	byID    map[string][]*Entry // by each id that an entry can have
	taken   map[*Entry]bool
}

// newEntryIndex returns the index for a run under the given conditions.
func newEntryIndex(b *Baseline, now *Conditions) *entryIndex {
	x := &entryIndex{now: now, byID: map[string][]*Entry{}, taken: map[*Entry]bool{}}
	for i := range b.Entries {
		e := &b.Entries[i]
		x.entries = append(x.entries, e)
		ids := []string{e.ID}
		if e.Listener != "" {
			x.byID[e.ID] = append(x.byID[e.ID], e)
			continue
		}
		if e.Host != "" {
			ids = append(ids, e.id(e.Host))
		}
		for _, addr := range e.AllAddresses() {
			ids = append(ids, e.id(addr.String()))
		}
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			x.byID[id] = append(x.byID[id], e)
		}
	}
	return x
}

// take returns the entries that are the same as the finding, and marks them as
// found again.
func (x *entryIndex) take(f *exposure.Violation) []*Entry {
	if f.Listener != nil {
		return x.takeListener(f)
	}
	ids := []string{f.ID}
	for _, name := range f.Names() {
		if name != "" && x.now.Identity != exposure.IdentityAddress {
			ids = append(ids, exposure.FindingID(f.Rule.ID, name, f.Target.Port(), f.Vantage))
		}
	}
	for _, addr := range f.AllAddresses() {
		ids = append(ids, exposure.FindingID(f.Rule.ID, addr.String(), f.Target.Port(), f.Vantage))
	}
	var found []*Entry
	for _, id := range ids {
		for _, e := range x.byID[id] {
			if !slices.Contains(found, e) && x.same(e, f) {
				found = append(found, e)
				x.taken[e] = true
			}
		}
	}
	return found
}

// takeListener is take for a finding of a file, which only its own id identifies.
func (x *entryIndex) takeListener(f *exposure.Violation) []*Entry {
	found := x.byID[f.ID]
	for _, e := range found {
		x.taken[e] = true
	}
	return found
}

// same reports whether an entry that shares an id with the finding is about the
// same host. A name stays with its host; an address may have been given to
// another host, which is so if the name of the entry has other addresses now.
func (x *entryIndex) same(e *Entry, f *exposure.Violation) bool {
	addresses := f.AllAddresses()
	if x.now.Gone != nil { // each machine has 0.0.0.0
		return exposure.CanonicalName(f.Host) == exposure.CanonicalName(e.Host)
	}
	if e.Host != "" && f.Host != "" && x.now.Identity != exposure.IdentityAddress {
		if slices.ContainsFunc(f.Names(), func(name string) bool { return exposure.CanonicalName(name) == exposure.CanonicalName(e.Host) }) {
			return true
		}
		if at := x.now.addressesOf(e.Host); len(at) > 0 && !overlap(at, addresses) {
			return false
		}
	}
	return overlap(e.AllAddresses(), addresses)
}

// overlap reports whether two lists of addresses have one in common.
func overlap(a, b []netip.Addr) bool {
	return slices.ContainsFunc(a, func(x netip.Addr) bool { return slices.Contains(b, x) })
}

// rest returns the entries that were not found again, in their order.
func (x *entryIndex) rest() []*Entry {
	return slices.DeleteFunc(slices.Clone(x.entries), func(e *Entry) bool { return x.taken[e] })
}
