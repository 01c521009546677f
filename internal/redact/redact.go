package redact

import "regexp"

var (
	userInfo   = regexp.MustCompile(`(://)[^/@\s]+@`)
	secretKey  = regexp.MustCompile(`(?i)^(-{0,2}[a-z0-9_.-]*(?:password|passwd|secret|token|api[-_]?key|credential)[a-z0-9_.-]*)=.*$`)
	secretWord = regexp.MustCompile(`(?i)\b([a-z0-9_.-]*(?:password|passwd|secret|token|api[-_]?key|credential)[a-z0-9_.-]*)=[^\s,;&]+`)
	secretArg  = regexp.MustCompile(`(?i)^-{1,2}[a-z0-9-]*(?:password|passwd|secret|token|api-?key|credential)[a-z0-9-]*$`)
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
