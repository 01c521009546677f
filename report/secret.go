package report

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

// secretMark stands for what was masked.
const secretMark = "***"

// MaskSecrets puts "***" in place of the secrets in s, which must go into no
// report: whoever reads it need not be allowed to use them.
func MaskSecrets(s string) string {
	if !strings.ContainsAny(s, ":=\t\\") {
		return s
	}
	for _, secret := range secrets {
		s = secret.ReplaceAllString(s, "${1}"+secretMark)
	}
	return s
}
