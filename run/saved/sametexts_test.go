package saved

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/mxsweep/mxsweep/result"
)

// TestSameTexts checks that equal texts and lists of records are stored once, and
// that records do not change, even if there are more texts than the table holds.
func TestSameTexts(t *testing.T) {
	record := func() result.Finding {
		own := strings.Clone // as a decoder makes them
		return result.Finding{Rule: own("MXS1001"), Title: own("Reachable"), Tags: []string{own("smtp"), own("exposure")},
			CWE: []int{284}, Evidence: []string{own("a\x00b")}, Anchor: &result.Anchor{File: own("hosts.txt"), Line: 3}}
	}
	var texts sameTexts
	first, second, whole := record(), record(), record()
	texts.share(&first)
	texts.share(&second)
	if !reflect.DeepEqual(first, whole) || !reflect.DeepEqual(second, whole) {
		t.Errorf("records have changed: %+v, %+v", first, second)
	}
	if unsafe.StringData(first.Title) != unsafe.StringData(second.Title) || &first.Tags[0] != &second.Tags[0] ||
		unsafe.StringData(first.Anchor.File) != unsafe.StringData(second.Anchor.File) {
		t.Error("equal texts are held twice")
	}
	other := result.Finding{Evidence: []string{"a", "b"}} // joined, it is equal
	if texts.share(&other); len(other.Evidence) != 2 {
		t.Errorf("evidence is %q", other.Evidence)
	}
	for i := range 2 * maxTexts {
		f := result.Finding{ID: strconv.Itoa(i), Tags: []string{strconv.Itoa(i)}}
		if texts.share(&f); f.ID != strconv.Itoa(i) || f.Tags[0] != f.ID {
			t.Fatalf("record %d is %+v", i, f)
		}
	}
	if len(texts.known) > maxTexts || len(texts.lists) > maxTexts {
		t.Errorf("%d texts and %d lists are known", len(texts.known), len(texts.lists))
	}
}
