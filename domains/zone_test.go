package domains

import (
	"testing"

	"github.com/mxsweep/mxsweep/domains/zonetest"
)

// newZone reads a zone.
func newZone(t testing.TB, text string) *zonetest.Zone {
	t.Helper()
	z, err := zonetest.New(text)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// walkZone walks through example.org in the zone.
func walkZone(t testing.TB, w *Walker, text string) *Domain {
	t.Helper()
	z := newZone(t, text)
	z.Secure = w.Trusted
	w.Asker = z
	d, err := w.Walk(t.Context(), "example.org")
	if err != nil {
		t.Fatal(err)
	}
	return d
}
