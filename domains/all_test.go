package domains

import (
	"context"
	"fmt"
	"testing"
)

// TestAll: domains come back in their order, and each is told once.
func TestAll(t *testing.T) {
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("d%d.example.org", i))
	}
	w := &Walker{Asker: newZone(t, "@ A 192.0.2.1\n")}
	told := 0
	found, err := w.All(t.Context(), names, 8, nil, func(n int) {
		if told++; n != told {
			t.Errorf("told %d, want %d", n, told)
		}
	})
	if err != nil || told != len(names) {
		t.Fatalf("%v, told %d times", err, told)
	}
	for i, d := range found {
		if d.Name != names[i] {
			t.Errorf("%d is %s", i, d.Name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.All(ctx, names, 8, nil, nil); err == nil {
		t.Error("no error of the context")
	}
}
