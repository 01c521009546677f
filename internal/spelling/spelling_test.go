package spelling

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	words := []string{"timeout", "retries", "rate", "ports", "policy", "dovecot-imap-login"}
	for word, want := range map[string]string{
		"timout": "timeout", "retires": "retries", "rtae": "rate", "port": "ports",
		"pol": "policy", "dovcot": "dovecot-imap-login", "dovecot-imp": "dovecot-imap-login", "doc": "", "completely-else": "", "x": "", "": "",
		strings.Repeat("timeout", 1<<16): "",
	} {
		if got := Nearest(words, word); got != want {
			t.Errorf("nearest to %.20q is %q, want %q", word, got, want)
		}
	}
}

func TestHint(t *testing.T) {
	words := []string{"internal", "public"}
	for word, want := range map[string]string{
		"internl": `did you mean "internal"? there are two`,
		"other":   "there are two",
	} {
		if got := Hint(words, word, "there are two"); got != want {
			t.Errorf("the hint for %q is %q, want %q", word, got, want)
		}
	}
	if got, want := Hint(words, "publik", ""), `did you mean "public"?`; got != want {
		t.Errorf("the hint is %q, want %q", got, want)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3},
	} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) is %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a); got != tt.want {
			t.Errorf("distance(%q, %q) is %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}
