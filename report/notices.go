package report

import (
	"mxsweep/exposure"
)

// The codes of the notices that only reports give; those of a run are in
// package exposure. A code never changes its meaning.
const (
	NoticeCutShort = "MXS9030" // the saved run is cut short
	NoticeLeftOut  = "MXS9031" // a format holds less than the run
)

// NewNotice makes the written form of n.
func NewNotice(n exposure.Notice, tree Tree) Notice {
	return Notice{
		Code:    n.Code,
		Level:   string(n.Level),
		Message: Sanitise(n.Message, maxSentence),
		Target:  Sanitise(n.Target, maxField),
		Anchor:  tree.anchor(n.Anchor),
	}
}
