package wording

import (
	"strings"
	"testing"
)

// TestQuotedEndsWithAWord: what is cut is cut between words, where there are
// any.
func TestQuotedEndsWithAWord(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("word ", 30):                                `"` + strings.Repeat("word ", 23) + `word"...`,
		strings.Repeat("w", maxQuote) + " more":                    `"` + strings.Repeat("w", maxQuote) + `"...`,
		strings.Repeat("x", maxQuote+1):                            `"` + strings.Repeat("x", maxQuote) + `"...`,
		strings.Repeat("w", 90) + "\r\n" + strings.Repeat("x", 90): `"` + strings.Repeat("w", 90) + `"...`,
		"short\r\n": `"short"`,
	} {
		if got := Quote(text); got != want {
			t.Errorf("%q is quoted as %q, want %q", text, got, want)
		}
	}
}
