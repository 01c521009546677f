package query

import "github.com/miekg/dns"

// A silence counts, for each name, the questions about it and the names below it that had no reply,
// until there is a first one; then replied.
type silence map[string]int

// maxSilent is how many questions about the names below one name wait for a reply, if there never was
// one: the servers of a zone are there for all its names, and each wait is long.
const maxSilent = 3

// zone returns the name without the dot at the end, at or above name, whose servers do not reply; "" if
// there is none.
func (s silence) zone(name string) string {
	for above := range zonesOf(name) {
		if s[above] >= maxSilent {
			return above[:len(above)-1]
		}
	}
	return ""
}

// note counts an answer.
func (s silence) note(a *Answer) {
	for above := range zonesOf(a.Name) {
		switch {
		case a.Outcome != Timeout:
			s[above] = replied
		case s[above] != replied:
			s[above]++
		}
	}
}

// zonesOf yields a name in canonical form and those above it that can be of one owner: each has at least
// two labels.
func zonesOf(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			next, end := dns.NextLabel(name, 0)
			if end || !yield(name) {
				return
			}
			name = name[next:]
		}
	}
}
