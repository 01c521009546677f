package report

import (
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
)

// NewNotice makes the written form of n.
func NewNotice(n exposure.Notice, tree Tree) result.Notice {
	return result.Notice{
		Code:    n.Code,
		Level:   n.Level,
		Message: sanitize.Text(n.Message, sanitize.MaxSentence),
		Target:  sanitize.Text(n.Target, sanitize.MaxField),
		Anchor:  tree.anchor(n.Anchor),
		Names:   sanitize.All(n.Names, sanitize.MaxField),

		Acceptance: newAcceptance(n.Acceptance),
	}
}
