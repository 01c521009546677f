package wording

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Plural is a count with its word.
func Plural(n uint64, word string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(word, "s"):
		word += "es"
	default:
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

// Moment writes a moment for people.
func Moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// maxQuote is how much of a text a sentence shows, in bytes.
const maxQuote = 120

// Quote shows bytes from the network as one printable word. The end of the
// last line is left out, unless there is nothing else.
func Quote(text string) string {
	if line := strings.TrimRight(text, "\r\n"); line != "" {
		text = line
	}
	if len(text) > maxQuote {
		end := maxQuote
		if i := strings.LastIndexAny(text[:maxQuote+1], " \t\r\n"); i > maxQuote/2 {
			end = i // never within a word of usual length
		}
		if cut := strings.TrimRight(text[:end], "\r\n"); cut != "" {
			end = len(cut) // nor within the end of a line
		}
		return strconv.QuoteToASCII(text[:end]) + "..."
	}
	return strconv.QuoteToASCII(text)
}
