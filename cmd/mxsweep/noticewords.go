package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report"
)

// likeNotice tells the code of a notice from the id of a rule.
var likeNotice = regexp.MustCompile(`(?i)^mxs9\d{3}$`)

// namedNotices takes the codes of notices out of words, for reports name those and
// rules alike, and gives their kinds.
func namedNotices(words []string) (kinds []exposure.NoticeKind, rest []string) {
	for _, word := range words {
		k := report.NoticeKindOf(strings.ToUpper(word))
		if likeNotice.MatchString(word) && k.Title != "" {
			kinds = append(kinds, k)
		} else {
			rest = append(rest, word)
		}
	}
	return kinds, rest
}

// foundNotices are the kinds of notices that hold all of the words, in any case;
// none of no word.
func foundNotices(words []string) []exposure.NoticeKind {
	if len(words) == 0 {
		return nil
	}
	return slices.DeleteFunc(report.NoticeKinds(), func(k exposure.NoticeKind) bool {
		return !holdsWords([]string{k.Name, k.Title, k.Why, k.Help}, words)
	})
}

// explainNotice writes all that is known of a kind of notice, wrapped at width
// columns.
func explainNotice(b *bytes.Buffer, k exposure.NoticeKind, width int) {
	fmt.Fprintf(b, "%s  %s\nnotice of a run, %s\n", k.Code, k.Title, k.Level)
	fmt.Fprintf(b, "\nWhy\n%s\n", wrap(k.Why, width, "  "))
	fmt.Fprintf(b, "\nWhat to do\n%s\n", wrap(k.Help, width, "  "))
}
