package html

import (
	"slices"

	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// An htmlChange lists the findings with one kind of drift.
type htmlChange struct {
	Drift  result.Drift
	Means  string
	Places []htmlLink // finding, rule and place of each
	Count  int
}

// maxChanges is the maximum number of findings listed per kind of drift.
const maxChanges = 50

// changes returns what changed since the baseline, nil if there is none.
func (b *htmlBuilder) changes() []htmlChange {
	if b.v.Run.Baseline == nil {
		return nil
	}
	list := []htmlChange{
		{Drift: result.DriftNew, Means: "not in the earlier run"},
		{Drift: result.DriftReopened, Means: "was fixed, but is present again"},
		{Drift: result.DriftExpired, Means: "its acceptance has expired"},
		{Drift: result.DriftUpdated, Means: "still present, with a different severity or product"},
		{Drift: result.DriftFixed, Means: "no longer present"},
		{Drift: result.DriftUnverified, Means: "this run could not check whether it is still present"},
	}
	for i := range b.c.Findings {
		f := &b.c.Findings[i]
		at := slices.IndexFunc(list, func(c htmlChange) bool { return c.Drift == f.Drift })
		if at < 0 || f.Status != result.StatusOpen && f.Drift != result.DriftFixed {
			continue
		}
		c := &list[at]
		if c.Count++; c.Count <= maxChanges {
			c.Places = append(c.Places, htmlLink{view.FindingAnchor(f), f.Rule, view.FindingPlace(f)})
		}
	}
	return slices.DeleteFunc(list, func(c htmlChange) bool { return c.Count == 0 })
}

// Left returns the number of findings that are not listed.
func (c htmlChange) Left() int { return c.Count - len(c.Places) }
