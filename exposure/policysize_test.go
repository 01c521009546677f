package exposure

import (
	"errors"
	"strings"
	"testing"
)

// TestPolicySize refuses policies that take too much memory, and says what to
// do instead.
func TestPolicySize(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"bytes":  {"version: 1\n" + strings.Repeat("#", MaxPolicy), "p.yaml: larger than 16 MiB"},
		"values": {"version: 1\nscope:\n  targets:\n" + strings.Repeat("  - 192.0.2.1\n", 400_000), "values"},
	} {
		_, err := LoadPolicy("p.yaml", []byte(tt.text), PolicyContext{})
		var user *UserError
		if !errors.As(err, &user) || !strings.Contains(err.Error(), tt.want) || user.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
		if name == "values" && (user.Line < 100_000 || user.Source != "  - 192.0.2.1") {
			t.Errorf("%s: line %d, %q", name, user.Line, user.Source)
		}
	}
}
