// Package spelling suggests the word that a user probably meant.
package spelling

import (
	"fmt"
	"strings"
)

// longest is the maximum length of a word that is compared, in bytes: all names
// that this program knows are shorter.
const longest = 64

// Nearest returns the word with the least edit distance to word, "" if that is
// more than a third of its length; the first one wins a tie. If none is that
// near, it returns the first that begins with word, if word has at least three
// bytes, or the first of which a part before a dash is that near.
func Nearest(words []string, word string) string {
	if len(word) > longest {
		return ""
	}
	best, least := "", max(len(word)/3, 1)+1
	for _, w := range words {
		if len(w) > longest {
			continue
		}
		if d := distance(w, word); d < least {
			best, least = w, d
		} else if best == "" && len(word) >= 3 && strings.HasPrefix(w, word) {
			best = w
		}
	}
	if best == "" {
		best = nearestPart(words, word)
	}
	return best
}

// nearestPart returns the first word of which a part before a dash is near word.
func nearestPart(words []string, word string) string {
	const least = 4 // bytes of a word that has a near part
	for _, w := range words {
		for at, c := range w {
			if c == '-' && at >= least && len(word) >= least && distance(w[:at], word) <= len(word)/3 {
				return w
			}
		}
	}
	return ""
}

// Hint returns a hint that asks whether the nearest of words was meant, followed
// by rest; if none is near, only rest.
func Hint(words []string, word, rest string) string {
	best := Nearest(words, word)
	if best == "" {
		return rest
	}
	return strings.TrimSpace(fmt.Sprintf("did you mean %q? %s", best, rest))
}

// distance returns the number of bytes to insert, delete, replace or swap with
// their neighbor to turn a into b (restricted Damerau-Levenshtein).
func distance(a, b string) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
