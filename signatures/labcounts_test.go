package signatures

import "testing"

// TestLabCounts: the counts of the laboratory are those of the probes that there are.
func TestLabCounts(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	lab, err := Lab()
	if err != nil {
		t.Fatal(err)
	}
	const hint = `"make probe-counts" counts again`
	for id, c := range lab.Probes {
		if set.Probe(id) == nil {
			t.Errorf("%q is counted, and is no probe: %s", id, hint)
		}
		if c.Decided > c.Asked || c.Asked > lab.Ports || c.Decided < 0 {
			t.Errorf("%q was asked at %d of %d ports and decided at %d", id, c.Asked, lab.Ports, c.Decided)
		}
	}
	for _, p := range set.Probes {
		if _, ok := lab.Probes[p.ID]; !ok {
			t.Errorf("probe %q is not counted: %s", p.ID, hint)
		}
	}
}
