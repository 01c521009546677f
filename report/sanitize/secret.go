package sanitize

import (
	"regexp"
	"strings"
)

// secrets are what daemons tell strangers that opens something: the cookie of
// Dovecot's auth protocol (auth-protocol.txt, "COOKIE"), the headers of HTTP
// that stand for a login (RFC 6265, Section 4.1), and settings that hold a
// password or key. Line ends and tabs may be escaped already. The first group
// stays.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`((?:^|[^A-Z])COOKIE(?:\t|\\t))[0-9A-Fa-f]+`),
	regexp.MustCompile(`(?i)((?:^|[\r\n"]|\\n)(?:set-cookie2?|x-api-key|x-auth-token|x-csrf-token):[ \t]*)(?:[^\r\n\\"]|\\[^rn"])+`),
	regexp.MustCompile(`(?i)((?:password|passwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token)(?:\s*=\s*["']?|\\?["']\s*:\s*\\?["']))[^\s\\"',;&]{3,}`),
}

// SecretMark stands for what was masked.
const SecretMark = "***"

// MaskSecrets puts "***" in place of the secrets in s, which must go into no
// report: whoever reads it need not be allowed to use them.
func MaskSecrets(s string) string {
	if !mayHoldSecret(s) {
		return s
	}
	return MaskAll(s)
}

// mayHoldSecret reports whether s holds one of the words that go with a secret,
// with what follows there, or letters that may stand for theirs (the Kelvin sign
// for a K). Nearly all that is reported holds none, and three expressions take a
// hundred times as long.
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

// endsCookie reports whether "cookie" is the name of a line or header where this
// follows.
func endsCookie(rest string) bool {
	return strings.HasPrefix(rest, "\t") || strings.HasPrefix(rest, `\t`) || strings.HasPrefix(strings.TrimPrefix(rest, "2"), ":")
}

// isAssigned reports whether a setting or header may get its value where this
// follows its name.
func isAssigned(rest string) bool {
	rest = strings.TrimLeft(rest, "\t\n\f\r ")
	return rest != "" && strings.IndexByte(`=:\"'`, rest[0]) >= 0
}

// MaskAll masks whatever the expressions find in s.
func MaskAll(s string) string {
	for _, secret := range secrets {
		s = secret.ReplaceAllString(s, "${1}"+SecretMark)
	}
	return s
}
