// Package sanitize makes text from the network safe to show: it escapes control
// characters, masks secrets and limits lengths.
package sanitize

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mxsweep/mxsweep/internal/wording"
)

// truncated is appended to a text that was cut.
const truncated = "… truncated"

// The maximum length of each kind of text, in bytes.
const (
	MaxEvidence = 1024
	MaxField    = 256 // product, version, host name, ...
	MaxSentence = 2048
	MaxBlock    = 16 << 10 // rule texts, the only ones with several lines
)

// Text makes text from the network, or from a file, safe to show. The result is
// valid UTF-8 on one line. What is not printable, or looks like something else,
// is replaced by a visible escape: \r, \n, \t, \x1b for other control characters
// and for bytes that are not UTF-8, and \u202e for the rest, including
// bidirectional and zero-width characters. What a CI system would take for a
// command ("::error", "##[error]", "##vso[") is broken by escaping one of its
// characters.
//
// A backslash is not escaped, so that clean text, including the result of an
// earlier Text, is unchanged. If the result would be longer than limit bytes it
// is cut, never within an escape, and ends with "… truncated". A limit below 16
// means 16.
//
// Secrets are masked first, by [MaskSecrets].
//
// It is applied once to each text: when a record of a run, live or read from a
// saved run, is handed to package report (see [Value]). Every format escapes the
// result for its syntax.
func Text(s string, limit int) string { return text(MaskSecrets(s), limit, false) }

// Block is [Text] for text of several lines: line feeds are kept.
func Block(s string, limit int) string { return text(s, limit, true) }

func text(s string, limit int, lines bool) string {
	limit = max(limit, 16)
	if len(s) <= limit && isClean(s, lines) {
		return s
	}
	var b strings.Builder
	b.Grow(min(len(s)+16, limit))
	cut := 0 // length to keep if the text must be cut
	marks := 0
	for i := 0; i < len(s); {
		unit, size := s[i:i+1], 1
		r, n := utf8.DecodeRuneInString(s[i:])
		marks = countMarks(marks, r)
		switch {
		case s[i] == '\n' && lines:
		case IsCommand(s, i):
			// GitHub's runner reads "##[" anywhere in a line, and "::" at its
			// start; Azure's reads "##vso[" anywhere.
			unit, size = s[i:i+1]+`\x`+strconv.FormatUint(uint64(s[i+1]), 16), 2
		case !wording.Printable(r, n) || marks > 2:
			unit, size = escape(r, s[i:i+n]), n
		default:
			unit, size = s[i:i+n], n
		}
		if b.Len()+len(unit) > limit {
			return b.String()[:cut] + truncated
		}
		b.WriteString(unit)
		if b.Len() <= limit-len(truncated) {
			cut = b.Len()
		}
		i += size
	}
	return b.String()
}

// isClean reports whether s is printable ASCII without a command, as nearly every
// text is. If lines is set it may have line feeds.
func isClean(s string, lines bool) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\n' && lines:
		case c < ' ' || c > '~', (c == ':' || c == '#') && IsCommand(s, i):
			return false
		}
	}
	return true
}

// IsCommand reports whether a CI log command begins at s[i].
func IsCommand(s string, i int) bool {
	if i+2 >= len(s) {
		return false
	}
	switch {
	case s[i] == ':' && s[i+1] == ':':
		return (i == 0 || s[i-1] <= ' ') && workflowCommand(s[i+2:])
	case s[i] == '#' && s[i+1] == '#':
		rest := s[i+2:]
		j := 0
		for j < len(rest) && j < 16 && letter(rest[j]) {
			j++
		}
		return j < len(rest) && rest[j] == '['
	}
	return false
}

// workflowCommand reports whether the text after "::" may be a command of
// GitHub's runner: a word of letters and hyphens up to a blank, another "::" or
// the end, because the format may append to it. Up to four hexadecimal digits are
// the group of an IPv6 address ("::ffff:192.0.2.1", "::dead"); no command is that
// short.
func workflowCommand(s string) bool {
	n, hex := 0, true
	for n < len(s) && (letter(s[n]) || s[n] == '-') {
		hex = hex && s[n] != '-' && s[n]|0x20 <= 'f'
		n++
	}
	if n == 0 || hex && n <= 4 {
		return false
	}
	return n == len(s) || s[n] <= ' ' || strings.HasPrefix(s[n:], "::")
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// countMarks counts consecutive combining marks: more than two cover the lines
// around them.
func countMarks(n int, r rune) int {
	if r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me) {
		return n + 1
	}
	return 0
}

// escape returns raw, which decodes to r, as visible characters.
func escape(r rune, raw string) string {
	switch {
	case r == '\r':
		return `\r`
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r == utf8.RuneError && len(raw) == 1, r < 0x80:
		return fmt.Sprintf(`\x%02x`, raw[0])
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}
