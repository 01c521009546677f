package redact

import (
	"slices"
	"testing"
)

func TestRedactArgs(t *testing.T) {
	got := Args([]string{"scan", "--api-token", "s3cret", "--webhook=https://u:p@example.org/x", "PASSWORD=x", "-p", "10025",
		"CHG-1, password=hunter2 of ops", "https://example.org/?token=abc&x=1"})
	want := []string{"scan", "--api-token", "[REDACTED]", "--webhook=https://[REDACTED]@example.org/x", "PASSWORD=[REDACTED]", "-p", "10025",
		"CHG-1, password=[REDACTED] of ops", "https://example.org/?token=[REDACTED]&x=1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
