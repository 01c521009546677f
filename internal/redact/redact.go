package redact

import "regexp"

var (
	userInfo   = regexp.MustCompile(`(://)[^/@\s]+@`)
	secretKey  = regexp.MustCompile(`(?i)^(-{0,2}(?:` + names + `))=.*$`)
	secretWord = regexp.MustCompile(`(?i)\b(` + names + `)=[^\s,;&]+`)
	secretArg  = regexp.MustCompile(`(?i)^-{1,2}(?:` + names + `)$`)
)

// Mark replaces a secret.
const Mark = "[REDACTED]"

// Args returns a copy of a command line for reports and logs: passwords in URLs
// and the values of keys that look like secrets are replaced by Mark.
func Args(args []string) []string {
	out := make([]string, len(args))
	hide := false
	for i, arg := range args {
		switch {
		case hide:
			out[i] = Mark
		default:
			arg = userInfo.ReplaceAllString(arg, "${1}"+Mark+"@")
			arg = secretKey.ReplaceAllString(arg, "${1}="+Mark)
			out[i] = secretWord.ReplaceAllString(arg, "${1}="+Mark)
		}
		hide = !hide && secretArg.MatchString(arg)
	}
	return out
}
