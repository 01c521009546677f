package redact

import (
	"regexp"
	"slices"
	"strings"
)

// signs are what a line with a secret has, one of them in any case.
var signs = []string{"pass", "pw", "secret", "token", "key", "cred", "nonce", "auth", "basic", "bearer", "root", "salt", "psk", "dbi:", "://"}

// suspicious reports whether a line may have a secret.
func suspicious(line string) bool {
	lower := strings.ToLower(line)
	return slices.ContainsFunc(signs, func(s string) bool { return strings.Contains(lower, s) })
}

// names are the shapes of the names of secrets: what a name may contain, what may be one of
// its words, and how it may end.
const names = `[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|credentials?|nonce|(?:api|auth|access|private|shared|account|signing|encryption)[_-]?key)[\w.-]*` +
	`|(?:[\w.-]*[_.-])?(?:pass|pwd|pw|creds?)[_.-][\w.-]*` +
	`|[\w.-]*(?:pass|pwd|pw|creds?|psk|salt|[_.-]key)\d*` +
	`|[\w.-]*(?:db|sql)[_-]?root|masterauth`

// headers are names that are no words of prose, although they have no separator or are
// several words.
const headers = `stats\s+auth|(?:proxy-)?authorization|requirepass`

// holder is what comes before a secret: the scheme of a URL with user and password, a name
// with = or : behind it, the name of a variable in a list of Kubernetes, an option, a
// setting or a header with blanks behind it, a user with a colon behind it, and the source
// and the user of a database in Perl.
var holder = regexp.MustCompile(`(?i)(?P<url>://)[^/\s"'<>]*@` +
	`|(?:\bname["']?\s*:\s*["']?(?:` + names + `)["']?[\s,]+["']?value["']?\s*:\s*)` +
	`|(?P<name>(?:` + names + `))(?P<sign>["']?\s*(?::?=|:(?:\s|$|["'-]))[>\s]*)` +
	`|(?:[\w.-]*auth["']?\s*[:=]\s*["']?[^\s:"'/=]+:)` +
	`|(?:^|[\s"'])(?P<arg>[$@%]?-{0,2}(?:` + names + `|` + headers + `))["']?\s+` +
	`|(?:^|[\s"'])(?:authorization["']?\s*[:=]?\s*["']?)?(?:basic|bearer|auth\\)\s+` +
	`|["']dbi:[^"']*["']\s*,\s*["'][^"']*["']\s*,\s*`)

// Indices of the groups of holder.
var (
	urlGroup  = holder.SubexpIndex("url")
	nameGroup = holder.SubexpIndex("name")
	argGroup  = holder.SubexpIndex("arg")
)

var (
	// paths are the endings of names whose values are files or tables with secrets, and no
	// secrets.
	paths = regexp.MustCompile(`(?i)(?:_maps|[_-]?files?|[_-]path|[_-]dir|_scheme|_attribute|_fetch|_verify_plugin|bypass)$`)

	// negated are names that deny that there is a secret.
	negated = regexp.MustCompile(`(?i)^-*no[_-]?(?:pass|auth|token|secret)`)

	// upstreams are the settings of nginx that name a server.
	upstreams = regexp.MustCompile(`(?i)^(?:proxy|fastcgi|uwsgi|scgi|grpc|memcached)_pass$`)

	// named are the names that may have blanks behind them before the value: options, those
	// of several words, and those that are unusual in prose.
	named = regexp.MustCompile(`(?i)^[$@%]?(?:-|\w*[_.-]|stats\s|authorization|\w+(?:pass|pw|root|auth)$|\w*passw(?:or)?d$|passphrase$)`)

	// switches are values that are no secrets.
	switches = regexp.MustCompile(`(?i)^["']?(?:on|off|yes|no|true|false|none|null)["']?(?:[\s;,\]}]|$)`)

	// keys are the endings of names whose values are keys or files with a key.
	keys = regexp.MustCompile(`(?i)key\d*$`)

	// inFile is the beginning of the name of a file.
	inFile = regexp.MustCompile(`^["']?<?\s*\.{0,2}/`)

	// table is a lookup table of Postfix that is written where it is used.
	table = regexp.MustCompile(`(?i)^["']?(?:inline|static):`)

	// assigned is what separates a name in quotation marks from its value.
	assigned = regexp.MustCompile(`^(?:=>?|:)\s*`)
)

// harmless reports whether the value of a name, which the rest of the line begins with, is
// no secret.
func harmless(name, rest string) bool {
	switch {
	case switches.MatchString(rest):
		return true
	case paths.MatchString(name):
		return !table.MatchString(rest)
	case keys.MatchString(name):
		return inFile.MatchString(rest)
	}
	return negated.MatchString(name) || upstreams.MatchString(name)
}
