// Package scopetest makes scopes and spaces for tests.
package scopetest

import (
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// Set returns the scope of targets written as on the command line; those with "!"
// are excluded.
func Set(t testing.TB, entries ...string) *scope.Set {
	t.Helper()
	var b scope.Bounds
	var p scope.Parser
	for _, e := range entries {
		word, bang := strings.CutPrefix(e, "!")
		targets, err := p.Targets(t.Context(), []string{word})
		if err != nil {
			t.Fatal(err)
		}
		if bang {
			b.Excluded = append(b.Excluded, targets...)
		} else {
			b.Targets = append(b.Targets, targets...)
		}
	}
	s, err := scope.New(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Space returns the space of a scope and ports.
func Space(t testing.TB, within *scope.Set, ports ...uint16) *scope.Space {
	t.Helper()
	s, err := scope.NewSpace(within, ports)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
