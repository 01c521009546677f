package result

import (
	"slices"
	"testing"
)

func TestProtocols(t *testing.T) {
	list := Protocols()
	if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Errorf("not sorted, or a name twice: %q", list)
	}
}
