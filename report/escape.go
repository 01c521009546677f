package report

import "strings"

// markdownMeta are the characters that mean something within a line of
// Markdown (CommonMark 0.31, Section 6) or of GitHub's dialect of it.
const markdownMeta = "\\`*_{}[]<>#|~@&!"

// escapeMarkdown writes text so that Markdown shows it as it is.
func escapeMarkdown(s string) string {
	if !strings.ContainsAny(s, markdownMeta) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(markdownMeta, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
