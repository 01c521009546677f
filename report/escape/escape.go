// Package escape writes text into Markdown so that it stays text.
package escape

import (
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// markdownMeta are the characters that mean something within a line of
// Markdown (CommonMark 0.31, Section 6) or of GitHub's dialect of it.
const markdownMeta = "\\`*_{}[]<>#|~@&!$"

// Markdown writes text so that Markdown shows it as it is. A word that
// GitHub's dialect would make a link of is a code span, because escapes do not
// keep it from that.
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

// autolink is what becomes a link without markup: the extended autolinks of
// GitHub Flavored Markdown 0.29, Section 6.9, and GitHub's own mentions and
// references to issues.
var autolink = regexp.MustCompile(`(?i)://|\bwww\.|\b(?:mailto|xmpp):|@[a-z0-9]|#[0-9]|\bgh-[0-9]`)

func autolinked(word string) bool { return autolink.MatchString(word) }

// Unlink writes plain text so that no viewer makes a link of what is in it.
func Unlink(s string) string {
	return plainLink.ReplaceAllStringFunc(s, func(link string) string {
		if link == "://" {
			return `:\x2f/`
		}
		return link[:len(link)-1] + `\x2e`
	})
}

// plainLink is where viewers of plain text begin a link.
var plainLink = regexp.MustCompile(`(?i)://|\bwww\.`)

// Code writes text as a code span, which nothing in it can end
// (CommonMark 0.31, Section 6.1). A bar is escaped, as GitHub's tables want it
// within a code span too.
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

// longestRun is the length of the longest run of c in s.
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

// A Span is a part of a text of our own that is written in plain Markdown:
// code stands between backticks.
type Span struct {
	Text string
	Code bool
}

// Spans splits a fix or a reason at its backticks. A backtick without a
// partner is text.
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

// Inline writes one line of a fix or a reason.
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

// Block writes a fix or a reason: one line as it is, several as a
// fenced block.
func Block(s string) string {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "\n") {
		return Inline(s)
	}
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + "\n" + s + "\n" + fence
}

// SeverityMark goes with the word of the severity.
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
