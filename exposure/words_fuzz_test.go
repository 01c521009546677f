package exposure

import "testing"

// FuzzWords checks that no value of a flag crashes its parser, and that parsed
// values are formatted as they were read.
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
