package exposure

import "testing"

// FuzzWords sees to it that no word of a flag upsets its parser, and that what a
// parser takes is written as it was read.
func FuzzWords(f *testing.F) {
	for _, text := range []string{"lan", "high", "internet", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := ParseVantage(text, nil); err == nil && text != "" && v.String() != text {
			t.Errorf("vantage %q is written %q", text, v)
		}
	})
}
