package report

import (
	"regexp"
	"strings"
)

// markdownMeta are the characters that mean something within a line of
// Markdown (CommonMark 0.31, Section 6) or of GitHub's dialect of it.
const markdownMeta = "\\`*_{}[]<>#|~@&!$"

// escapeMarkdown writes text so that Markdown shows it as it is. A word that
// GitHub's dialect would make a link of is a code span, because escapes do not
// keep it from that.
func escapeMarkdown(s string) string {
	if !strings.ContainsAny(s, markdownMeta+":wWgG") {
		return s
	}
	var b strings.Builder
	for i, word := range strings.Split(s, " ") {
		if i > 0 {
			b.WriteByte(' ')
		}
		if autolinked(word) {
			b.WriteString(codeMarkdown(word))
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

// unlink writes plain text so that no viewer makes a link of what is in it.
func unlink(s string) string {
	return plainLink.ReplaceAllStringFunc(s, func(link string) string {
		if link == "://" {
			return `:\x2f/`
		}
		return link[:len(link)-1] + `\x2e`
	})
}

// plainLink is where viewers of plain text begin a link.
var plainLink = regexp.MustCompile(`(?i)://|\bwww\.`)

// codeMarkdown writes text as a code span, which nothing in it can end
// (CommonMark 0.31, Section 6.1). A bar is escaped, as GitHub's tables want it
// within a code span too.
func codeMarkdown(s string) string {
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

// A span is a part of a text of our own that is written in plain Markdown:
// code stands between backticks.
type span struct {
	Text string
	Code bool
}

// spans splits a fix or a reason at its backticks. A backtick without a
// partner is text.
func spans(s string) []span {
	var list []span
	for s != "" {
		before, rest, found := strings.Cut(s, "`")
		code, after, closed := strings.Cut(rest, "`")
		if !found || !closed || code == "" {
			return append(list, span{Text: s})
		}
		if before != "" {
			list = append(list, span{Text: before})
		}
		list = append(list, span{Text: code, Code: true})
		s = after
	}
	return list
}

// inlineMarkdown writes one line of a fix or a reason.
func inlineMarkdown(s string) string {
	var b strings.Builder
	for _, p := range spans(s) {
		if p.Code {
			b.WriteString(codeMarkdown(p.Text))
		} else {
			b.WriteString(escapeMarkdown(p.Text))
		}
	}
	return b.String()
}

// markdownBlock writes a fix or a reason: one line as it is, several as a
// fenced block.
func markdownBlock(s string) string {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "\n") {
		return inlineMarkdown(s)
	}
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + "\n" + s + "\n" + fence
}
