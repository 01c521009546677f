// Package spelling finds the word that a user probably meant.
package spelling

import (
	"fmt"
	"strings"
)

// longest is how many bytes a word has that is compared at all: no name that
// this program knows is as long.
const longest = 64

// Nearest is the word with the least edit distance to word, "" if that is more
// than a third of its length; ties go to the first. Where none is that near,
// it is the first that begins with word, if word has at least three bytes.
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
	return best
}

// Hint asks whether the nearest of words was meant, before it says the rest;
// where none is near, it is the rest alone.
func Hint(words []string, word, rest string) string {
	best := Nearest(words, word)
	if best == "" {
		return rest
	}
	return strings.TrimSpace(fmt.Sprintf("did you mean %q? %s", best, rest))
}

// distance is the number of bytes to insert, delete, replace or swap with their
// neighbour that turns a into b (restricted Damerau-Levenshtein).
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
