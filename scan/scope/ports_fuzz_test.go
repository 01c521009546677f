package scope

import (
	"errors"
	"slices"
	"testing"
)

// FuzzParsePorts sees to it that no list of ports upsets the parser, and that
// what it takes is sorted, without repeats and without port 0.
func FuzzParsePorts(f *testing.F) {
	profiles := map[string][]uint16{"internal": {10024, 10025}}
	for _, spec := range []string{"25", "internal,!10025", "1-65535,!1-65534", "0-1", "-", "25,,26", " 25 - 26 ", "99999999999999999999"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		ports, err := ParsePorts(spec, profiles)
		if err != nil {
			var input *InputError
			if !errors.As(err, &input) || input.ErrorHint() == "" {
				t.Errorf("%q: error %v has no hint", spec, err)
			}
			return
		}
		if len(ports) == 0 || ports[0] == 0 || !slices.IsSorted(ports) || len(slices.Compact(slices.Clone(ports))) != len(ports) {
			t.Errorf("%q is read as %d", spec, ports)
		}
	})
}
