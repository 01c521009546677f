// Package escape escapes text for Markdown and plain text.
package escape

import (
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// markdownMeta are the characters with a meaning within a line of Markdown
// (CommonMark 0.31, Section 6) or of GitHub's dialect.
const markdownMeta = "\\`*_{}[]<>#|~@&!$"

// Markdown escapes text so that Markdown shows it literally. A word that GitHub's
// dialect would turn into a link becomes a code span, because escapes do not
// prevent that.
func Markdown(s string) string {
	if !strings.ContainsAny(s, markdownMeta+":wWgG") {
		return s
	}
	var b strings.Builder
	for i, word := range strings.Split(s, " ") {
		if i > 0 {
			b.WriteByte(' ')
		}
		if autolinked(word) {
			b.WriteString(Code(word))
			continue
		}
		for j := 0; j < len(word); j++ {
			if strings.IndexByte(markdownMeta, word[j]) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(word[j])
		}
	}
	return b.String()
}

// autolink matches what becomes a link without markup: the extended autolinks of
// GitHub Flavored Markdown 0.29, Section 6.9, and GitHub's mentions and
// references to issues.
var autolink = regexp.MustCompile(`(?i)://|\bwww\.|\b(?:mailto|xmpp):|@[a-z0-9]|#[0-9]|\bgh-[0-9]`)

func autolinked(word string) bool { return autolink.MatchString(word) }

// Unlink changes plain text so that no viewer turns a part of it into a link.
func Unlink(s string) string {
	return plainLink.ReplaceAllStringFunc(s, func(link string) string {
		if link == "://" {
			return `:\x2f/`
		}
		return link[:len(link)-1] + `\x2e`
	})
}

// plainLink matches where viewers of plain text start a link.
var plainLink = regexp.MustCompile(`(?i)://|\bwww\.`)

// Code returns text as a code span that nothing in it can end (CommonMark 0.31,
// Section 6.1). A vertical bar is escaped, because GitHub's tables require that
// in code spans too.
func Code(s string) string {
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	pad := ""
	if s[0] == '`' || s[len(s)-1] == '`' {
		pad = " "
	}
	return fence + pad + strings.ReplaceAll(s, "|", `\|`) + pad + fence
}

// Fenced returns text as a fenced code block that nothing in it can end (CommonMark 0.31,
// Section 4.5), with an info string.
func Fenced(info, text string) string {
	fence := strings.Repeat("`", max(longestRun(text, '`')+1, 3))
	return fence + info + "\n" + text + "\n" + fence
}

// longestRun returns the length of the longest run of c in s.
func longestRun(s string, c byte) int {
	best, run := 0, 0
	for i := 0; i < len(s); i++ {
		if s[i] == c {
			run++
			best = max(best, run)
		} else {
			run = 0
		}
	}
	return best
}

// A Span is a part of a trusted text in simple Markdown, where code is between
// backticks.
type Span struct {
	Text string
	Code bool
}

// Spans splits a fix or a reason at its backticks. A backtick without a
// counterpart is text.
func Spans(s string) []Span {
	var list []Span
	for s != "" {
		before, rest, found := strings.Cut(s, "`")
		code, after, closed := strings.Cut(rest, "`")
		if !found || !closed || code == "" {
			return append(list, Span{Text: s})
		}
		if before != "" {
			list = append(list, Span{Text: before})
		}
		list = append(list, Span{Text: code, Code: true})
		s = after
	}
	return list
}

// Inline returns one line of a fix or a reason as Markdown.
func Inline(s string) string {
	var b strings.Builder
	for _, p := range Spans(s) {
		if p.Code {
			b.WriteString(Code(p.Text))
		} else {
			b.WriteString(Markdown(p.Text))
		}
	}
	return b.String()
}

// Block returns a fix or a reason as Markdown: one line as Inline does, several
// as a fenced block.
func Block(s string) string {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "\n") {
		return Inline(s)
	}
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + "\n" + s + "\n" + fence
}

// SeverityMark returns the symbol shown with a severity.
func SeverityMark(s result.Severity) string {
	switch s {
	case result.SeverityCritical:
		return "🟥 critical"
	case result.SeverityHigh:
		return "🟧 high"
	case result.SeverityMedium:
		return "🟨 medium"
	case result.SeverityLow:
		return "🟦 low"
	}
	return "⬜ info"
}
