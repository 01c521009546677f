package wording

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Plural returns a count with its unit, whose plural ends in s: "1 port" or "2
// ports".
func Plural[N int | uint64](n N, word string) string {
	many := word + "s"
	if strings.HasSuffix(word, "s") {
		many = word + "es"
	}
	return Amount(n, word, many)
}

// Amount returns a count with its unit: one in the singular, many in the plural.
func Amount[N int | uint64](n N, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// List joins words for a sentence: "a, b and c".
func List(words []string) string { return list(words, " and ") }

// First joins words for a sentence as List does, the first ones if they are more than most:
// "a, b and 3 more".
func First(words []string, most int) string {
	if more := len(words) - most; more > 0 {
		words = append(slices.Clone(words[:most]), strconv.Itoa(more)+" more")
	}
	return List(words)
}

// Either joins words for a sentence: "a, b or c".
func Either(words []string) string { return list(words, " or ") }

func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	end := len(words) - 1
	return strings.Join(words[:end], ", ") + last + words[end]
}

// Ports returns the word before a list of ports: "port" for a single one,
// otherwise "ports".
func Ports(list string) string {
	if list != "" && !strings.ContainsAny(list, ",-") {
		return "port"
	}
	return "ports"
}

// Duration formats d with its two most significant units: 1h12m, 3m20s, 14s.
func Duration(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	default:
		return fmt.Sprintf("%ds", d/time.Second)
	}
}

// Moment formats a time for people.
func Moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Named returns an address or a pair with its name in scope, if it has one.
func Named(addr fmt.Stringer, name string) string {
	if name == "" {
		return addr.String()
	}
	return addr.String() + " (" + name + ")"
}

// maxQuote is the maximum length of a quote in a sentence, in bytes.
const maxQuote = 120

// Quote returns bytes from the network as a quoted printable string. The end of
// the last line is omitted, unless there is nothing else.
func Quote(text string) string {
	if line := strings.TrimRight(text, "\r\n"); line != "" {
		text = line
	}
	if len(text) > maxQuote {
		end := maxQuote
		if i := strings.LastIndexAny(text[:maxQuote+1], " \t\r\n"); i > maxQuote/2 {
			end = i // not within a word of usual length
		}
		if cut := strings.TrimRight(text[:end], "\r\n"); cut != "" {
			end = len(cut) // nor within the end of a line
		}
		return strconv.QuoteToASCII(text[:end]) + "..."
	}
	return strconv.QuoteToASCII(text)
}
