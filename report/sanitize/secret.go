package sanitize

import (
	"regexp"
	"strings"
)

// secrets match what daemons disclose that grants access: the cookie of Dovecot's
// auth protocol (auth-protocol.txt, "COOKIE"), HTTP headers that authenticate
// (RFC 6265, Section 4.1), and settings with a password or key. Line ends and
// tabs may already be escaped. The first group is kept.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`((?:^|[^A-Z])COOKIE(?:\t|\\t))[0-9A-Fa-f]+`),
	regexp.MustCompile(`(?i)((?:^|[\r\n"]|\\n)(?:set-cookie2?|x-api-key|x-auth-token|x-csrf-token):[ \t]*)(?:[^\r\n\\"]|\\[^rn"])+`),
	regexp.MustCompile(`(?i)((?:password|passwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token)(?:\s*=\s*["']?|\\?["']\s*:\s*\\?["']))[^\s\\"',;&]{3,}`),
}

// SecretMark replaces a secret.
const SecretMark = "***"

// MaskSecrets replaces the secrets in s by "***". They must not be in a report,
// because its readers may not be allowed to use them.
func MaskSecrets(s string) string {
	if !mayHoldSecret(s) {
		return s
	}
	return MaskAll(s)
}

// mayHoldSecret reports whether s contains one of the words before a secret,
// followed by what must follow, or letters that match theirs when case is folded
// (the Kelvin sign for a K). Nearly all texts contain none, and matching the
// three expressions takes a hundred times as long.
func mayHoldSecret(s string) bool {
	for i := range len(s) {
		var word string
		switch c := s[i]; {
		case c >= 0x80:
			return strings.ContainsAny(s, ":=\t\\")
		case c|0x20 == 'c':
			word = "cookie"
		case c|0x20 == 'k':
			word = "key"
		case c|0x20 == 'p':
			word = "passw" // word or d
		case c|0x20 == 's':
			word = "secret"
		case c|0x20 == 't':
			word = "token"
		default:
			continue
		}
		if len(s)-i < len(word) || s[i+1]|0x20 != word[1] || !strings.EqualFold(s[i:i+len(word)], word) {
			continue
		}
		if rest := s[i+len(word):]; endsCookie(rest) || isAssigned(strings.TrimLeft(rest, "ordORD")) {
			return true
		}
	}
	return false
}

// endsCookie reports whether "cookie", followed by rest, is the name of a line or
// header.
func endsCookie(rest string) bool {
	return strings.HasPrefix(rest, "\t") || strings.HasPrefix(rest, `\t`) || strings.HasPrefix(strings.TrimPrefix(rest, "2"), ":")
}

// isAssigned reports whether a setting or header, followed by rest, may be
// assigned a value.
func isAssigned(rest string) bool {
	rest = strings.TrimLeft(rest, "\t\n\f\r ")
	return rest != "" && strings.IndexByte(`=:\"'`, rest[0]) >= 0
}

// MaskAll masks what the expressions match in s, without looking for words first.
func MaskAll(s string) string {
	for _, secret := range secrets {
		s = secret.ReplaceAllString(s, "${1}"+SecretMark)
	}
	return s
}
