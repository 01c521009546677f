package main

import (
	"strconv"
	"strings"
)

// holdsWords reports whether each of the words occurs in one of the texts at the
// beginning of a word, in any case: "relay" finds "relays", not "prelay".
func holdsWords(texts, words []string) bool {
	all := strings.ToLower(strings.Join(texts, "\n"))
	for _, word := range words {
		if !beginsWord(all, strings.ToLower(word)) {
			return false
		}
	}
	return true
}

// beginsWord reports whether part occurs in text at the beginning of a word.
func beginsWord(text, part string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], part)
		if i < 0 {
			return false
		}
		at += i
		if at == 0 || !alphanumeric(text[at-1]) || part == "" {
			return true
		}
		at++
	}
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c >= 0x80
}

// quoted formats words for an error.
func quoted(words []string) string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = strconv.Quote(word)
	}
	return strings.Join(all, " and ")
}
