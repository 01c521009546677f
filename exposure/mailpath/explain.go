package mailpath

import (
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// Explain adds to the evidence of findings where in the path of their host, or of their file,
// whoever connects to the port enters it.
func Explain(paths []result.Path, findings []exposure.Violation) {
	for i := range findings {
		f := &findings[i]
		p := Find(paths, f.Target.Addr().WithZone(""))
		if f.Listener != nil {
			p = FindFile(paths, f.Host)
		}
		if entry := Entry(p, f.Target.Port()); entry != "" && len(f.Evidence) > 0 {
			f.Evidence = slices.Insert(slices.Clone(f.Evidence), 1, entry) // after what shows the fault
		}
	}
}

// EntryOf returns the sentence of Entry for a finding as reports have it.
func EntryOf(paths []result.Path, f *result.Finding) string {
	if f.Listener != nil {
		return Entry(FindFile(paths, f.Host), f.Port)
	}
	return Entry(Find(paths, f.IP), f.Port)
}
