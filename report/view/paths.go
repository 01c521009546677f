package view

import (
	"slices"

	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/result"
)

// Paths returns how mail flows through the hosts that are shown, those with the most urgent
// finding first; of files, through all of them.
func (v *View) Paths() []*result.Path {
	var list []*result.Path
	for i := range v.Hosts {
		h := &v.Hosts[i]
		p := mailpath.Find(v.Run.Paths, h.IP)
		if h.File != "" {
			p = mailpath.FindFile(v.Run.Paths, h.File)
		}
		if p != nil && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// Entry returns a sentence, without a full stop, about where in the path of its host whoever
// connects to the port of a finding enters it; "" if that is not known.
func (v *View) Entry(f *result.Finding) string { return mailpath.EntryOf(v.Run.Paths, f) }
