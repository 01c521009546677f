package words

import (
	"slices"
	"strings"
	"testing"
)

func TestWrapKeepsCode(t *testing.T) {
	for _, tt := range []struct {
		text        string
		first, rest int
		want        []string
	}{
		{"run `a b c d` now", 9, 12, []string{"run", "`a b c d`", "now"}},
		{"run (`a b c`), then", 10, 12, []string{"run", "(`a b c`),", "then"}},
		{"`a b c d` x", 8, 12, []string{"`a b c", "d` x"}},                   // the first line has no room
		{"run `aaaa bbbb cccc`", 9, 12, []string{"run `aaaa", "bbbb cccc`"}}, // no line has
		{"one ` alone two", 8, 8, []string{"one `", "alone", "two"}},
		{"`a`b `c", 8, 8, []string{"`a`b `c"}},
	} {
		if got := Wrap(tt.text, tt.first, tt.rest); !slices.Equal(got, tt.want) {
			t.Errorf("%q in %d, %d: got %q, want %q", tt.text, tt.first, tt.rest, got, tt.want)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("run `a b` (`c d e`), `f", 10, 20)
	f.Fuzz(func(t *testing.T, text string, first, rest int) {
		lines := Wrap(text, first%100, rest%100)
		if got, want := strings.Join(strings.Fields(strings.Join(lines, "")), ""), strings.Join(strings.Fields(text), ""); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		for i, line := range lines {
			limit := max(rest%100, 8)
			if i == 0 {
				limit = max(first%100, 8)
			}
			if w := Width(line); w > limit && len([]rune(line)) > 1 && w > 2*limit {
				t.Errorf("%d columns in a line of %d: %q", w, limit, line)
			}
		}
	})
}
