package fix

import (
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
)

var (
	slapdServices = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?SLAPD_SERVICES=`)
	slapdURL      = regexp.MustCompile(`(?i)\b(ldaps?)://([^/\s"']*)`)
)

// slapdBind binds the URL of a port in SLAPD_SERVICES, which Debian passes to
// slapd as its option -h (slapd(8)). The last assignment counts. A URL without a
// port has the port of its scheme (RFC 4516 section 2; ldaps: 636).
func slapdBind(text string, port uint16, address string) (string, error) {
	start, line := -1, ""
	eachLine(text, func(l string, at int) {
		if slapdServices.MatchString(l) {
			start, line = at, l
		}
	})
	if start < 0 {
		return "", &NotFoundError{"URL in SLAPD_SERVICES", port}
	}
	if strings.HasSuffix(line, `\`) {
		return "", &UnclearError{1 + strings.Count(text[:start], "\n"), "the value continues on the next line"}
	}
	found := false
	was := map[string]string{} // original URL of each new one
	var unclear error
	bound := slapdURL.ReplaceAllStringFunc(line, func(url string) string {
		m := slapdURL.FindStringSubmatch(url)
		where := m[2]
		if i := strings.LastIndexByte(where, ':'); i < 0 || i < strings.LastIndexByte(where, ']') {
			where += map[string]string{"ldap": ":389", "ldaps": ":636"}[strings.ToLower(m[1])]
		}
		ep, ok := endpoint.Parse(where)
		if !ok || ep.Port != port {
			return url
		}
		found = true
		now := url
		if !ep.Loopback() {
			now = m[1] + "://" + ep.Bound(address)
		}
		if before, ok := was[now]; ok && before != url {
			unclear = &UnclearError{1 + strings.Count(text[:start], "\n"), "several URLs of this port would become the same"}
		}
		was[now] = url
		return now
	})
	switch {
	case !found:
		return "", &NotFoundError{"URL in SLAPD_SERVICES", port}
	case unclear != nil:
		return "", unclear
	}
	return text[:start] + bound + text[start+len(line):], nil
}
