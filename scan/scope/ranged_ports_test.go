package scope

import "testing"

func TestRangedPorts(t *testing.T) {
	profiles := map[string][]uint16{"internal": {24, 10024, 10025}}
	for spec, want := range map[string]string{
		"internal":            "24,10024,10025",
		"internal,!24":        "10024,10025",
		"25,10024,10143":      "",
		"25,10024-10026":      "10024-10026",
		"10025,10024-10026":   "10024-10026",
		"1-3, 2 ,!2,internal": "1,3,24,10024,10025",
	} {
		if got := FormatPorts(RangedPorts(spec, profiles)); got != want {
			t.Errorf("RangedPorts(%q) = %q, want %q", spec, got, want)
		}
	}
}
