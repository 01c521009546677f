package view

import (
	"cmp"
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// The codes of notices that are only in reports; those of a run are in package
// exposure. The meaning of a code never changes.
const (
	NoticeCutShort = "MXS9030" // the saved run is cut short
	NoticeLeftOut  = "MXS9035" // a format holds less than the run
)

// NoticeKinds returns all kinds of notices, of runs and of reports, in the order
// of their codes.
func NoticeKinds() []exposure.NoticeKind {
	list := append(exposure.NoticeKinds(), NoticeKindOf(NoticeCutShort), NoticeKindOf(NoticeLeftOut))
	slices.SortFunc(list, func(a, b exposure.NoticeKind) int { return cmp.Compare(a.Code, b.Code) })
	return list
}

// NoticeKindOf returns the kind with a code, of a run or of a report.
func NoticeKindOf(code string) exposure.NoticeKind {
	switch code {
	case NoticeCutShort:
		return exposure.NoticeKind{
			Code: code, Name: "RecordCutShort", Level: result.LevelError,
			Title: "The saved run is truncated.",
			Why:   "Everything after the truncation is lost, so the run cannot pass.",
			Help:  "Run the scan again.",
		}
	case NoticeLeftOut:
		return exposure.NoticeKind{
			Code: code, Name: "ResultsRolledUp", Level: result.LevelWarning,
			Title: "This file contains less than the run.",
			Why:   "Several findings are combined into one result.",
			Help:  "The json and html reports contain every finding.",
		}
	}
	return exposure.NoticeKindOf(code)
}
