package fingerprint

import "testing"

// TestLossy checks which paths count as lossy.
func TestLossy(t *testing.T) {
	for _, c := range []struct {
		why                 string
		sent, resent, twice int
		want                bool
	}{
		{"nothing was sent", 0, 0, 0, false},
		{"nothing was sent again", 30, 0, 0, false},
		{"one segment got lost", 15, 1, 0, true},
		{"one of many got lost", 100, 1, 0, false},
		{"an acknowledgment was late", 15, 1, 1, false},
		{"two were late", 15, 2, 2, false},
		{"one got lost, another was late", 15, 2, 1, true},
		{"acknowledgments get lost", 15, 3, 3, true},
	} {
		h := &host{sent: c.sent, resent: c.resent, twice: c.twice}
		if got := h.resendTime() > 0; got != c.want {
			t.Errorf("%s: lossy is %t, want %t", c.why, got, c.want)
		}
	}
}
