package redact

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// Line returns a line of a configuration file with an asterisk in place of each UTF-16 code
// unit of a secret, so that columns stay what they are. Secrets are the passwords in URLs and
// the values of names such as "password", "DB_SECRET" or "api-key": all that follows if the
// name begins the line, otherwise one word or what is in quotation marks.
func Line(line string) string {
	var b strings.Builder
	at := 0
	for _, s := range Secrets(line) {
		b.WriteString(line[at:s[0]])
		for _, c := range line[s[0]:s[1]] {
			b.WriteString("**"[:max(utf16.RuneLen(c), 1)])
		}
		at = s[1]
	}
	if at == 0 {
		return line
	}
	return b.String() + line[at:]
}

// Value returns the value of a setting as Line shows it behind the name of the setting.
func Value(name, value string) string {
	if name == "" {
		return Line(value)
	}
	return Line(name + "=" + value)[len(name)+1:]
}

// Secrets returns where a line of a configuration file has secrets, in order; see Line.
func Secrets(line string) [][2]int {
	lower := strings.ToLower(line)
	if !slices.ContainsFunc(signs, func(s string) bool { return strings.Contains(lower, s) }) {
		return nil
	}
	var list [][2]int
	for at := 0; at < len(line); {
		m := holder.FindStringSubmatchIndex(line[at:])
		if m == nil {
			break
		}
		s, next := secret(line, at, m)
		if s[0] < s[1] {
			list = append(list, s)
		}
		at = next
	}
	return list
}

// signs are what a line with a secret has, one of them in any case.
var signs = []string{"pass", "pw", "secret", "token", "key", "credential", "nonce", "auth", "basic", "bearer", "://"}

// names are the names of secrets.
const names = `[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|credentials?|nonce|(?:api|auth|access|private|shared|account|signing|encryption)[_-]?key)[\w.-]*` +
	`|(?:[\w.-]*[_.-])?(?:pass|pwd)|\w*dnpass|\w*bindpw|\w*rootpw|requirepass|masterauth`

// holder is what comes before a secret: the scheme of a URL with user and password, a name
// with = or : behind it, the name of a variable in a list of Kubernetes, a name of HAProxy
// or a header with blanks behind it.
var holder = regexp.MustCompile(`(?i)(?P<url>://)[^/\s"'<>]*@` +
	`|(?:\bname["']?\s*:\s*["']?(?:` + names + `)["']?\s*,\s*["']?value["']?\s*:\s*)` +
	`|(?P<name>(?:` + names + `))(?P<sign>["']?\s*(?:=|:(?:\s|$|["']))[>\s]*)` +
	`|(?P<word>(?:^|[\s"'])-{0,2}(?:[\w.-]*(?:passw(?:or)?d|passphrase|_secret|_token|_api_?key)|ca-sign-pass|requirepass|masterauth|stats\s+auth|authorization|proxy-authorization)["']?\s+)` +
	`|(?P<auth>(?:^|[\s"'])(?:authorization["']?\s*[:=]?\s*["']?)?(?:basic|bearer|auth\\)\s+)`)

// Indices of the groups of holder.
var (
	urlGroup  = holder.SubexpIndex("url")
	nameGroup = holder.SubexpIndex("name")
	signGroup = holder.SubexpIndex("sign")
)

// paths are the endings of names whose values are files or tables with secrets, and no
// secrets.
var paths = regexp.MustCompile(`(?i)(?:_maps|file|_path|_dir|_scheme|_attribute|_fetch|_verify_plugin)$`)

// assigned is what separates a name in quotation marks from its value.
var assigned = regexp.MustCompile(`^(?:=>?|:)\s*`)

// secret returns where the secret is that a match of holder at an offset of the line
// announces, and where to look on.
func secret(line string, at int, m []int) (s [2]int, next int) {
	end := at + m[1]
	if m[2*urlGroup] >= 0 {
		return [2]int{at + m[2*urlGroup+1], end - 1}, end
	}
	whole := false
	if m[2*nameGroup] >= 0 {
		name := line[at+m[2*nameGroup] : at+m[2*nameGroup+1]]
		if paths.MatchString(name) || strings.HasPrefix(strings.ToLower(name), "no") && !strings.HasPrefix(strings.ToLower(name), "nonce") {
			return s, at + m[2*signGroup]
		}
		whole = begins(line[:at+m[2*nameGroup]])
	}
	if sign := assigned.FindString(line[end:]); m[2*nameGroup] < 0 && sign != "" {
		end += len(sign)
	}
	s = [2]int{end, valueEnd(line, end, whole)}
	if line[end:] != "" && (line[end] == '"' || line[end] == '\'') {
		s[0]++
		if s[1] > s[0] && line[s[1]-1] == line[end] {
			s[1]--
		}
	}
	return s, max(s[1], end)
}

// begins reports whether only marks of lists, options and the like are before a name.
func begins(before string) bool { return strings.Trim(before, " \t-\"'") == "" }

// valueEnd returns where the value ends that begins at an offset: at the end of the line if
// whole is set and it is in no quotation marks.
func valueEnd(line string, from int, whole bool) int {
	if from < len(line) && (line[from] == '"' || line[from] == '\'') {
		for i := from + 1; i < len(line); i++ {
			switch line[i] {
			case '\\':
				i++
			case line[from]:
				return i + 1
			}
		}
		return len(line)
	}
	if whole {
		return len(strings.TrimRight(line, " \t\r;"))
	}
	if n := strings.IndexAny(line[from:], " \t\r,;&}\"'"); n >= 0 {
		return from + n
	}
	return len(line)
}
