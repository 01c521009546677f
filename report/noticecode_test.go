package report

import (
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report/view"
)

// TestNoticeCodesAreUnique checks that the codes of reports are not also codes of
// runs.
func TestNoticeCodesAreUnique(t *testing.T) {
	seen := map[string]string{}
	for _, k := range exposure.NoticeKinds() {
		if other := seen[k.Code]; other != "" {
			t.Errorf("%s means %s and %s", k.Code, other, k.Name)
		}
		seen[k.Code] = k.Name
	}
	for _, code := range []string{view.NoticeCutShort, view.NoticeLeftOut} {
		if other := seen[code]; other != "" {
			t.Errorf("%s means %s and %s", code, other, view.NoticeKindOf(code).Name)
		}
		seen[code] = view.NoticeKindOf(code).Name
	}
}
