package excerpt

import "testing"

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		source       string
		line, column int
		want         string
	}{
		{"", 3, 1, ""},
		{"a", 0, 1, ""},
		{"a b", 3, 3, "    3 | a b\n      |   ^"},
		{"\tä b", 12, 5, "   12 |  ä b\n      |    ^"},
		{"a", 1, 0, "    1 | a\n      | ^"},
	} {
		if got := Of(tt.source, tt.line, tt.column); got != tt.want {
			t.Errorf("%q, %d:%d gives %q, want %q", tt.source, tt.line, tt.column, got, tt.want)
		}
	}
}
