package selfname

import (
	"regexp"
	"strings"
)

// httpProbes are the probes with HTTP replies, the simplest first.
var httpProbes = []string{"http-get", "http-again", "http-ping"}

// http looks in the field Server (RFC 9110, Section 10.2.4), and then in the
// title of the page.
func (s *source) http() Name {
	for _, probe := range httpProbes {
		reply := s.reply(probe)
		if !strings.HasPrefix(reply, "HTTP/") {
			continue
		}
		head, body := split(reply)
		n := s.first(
			func() Name { return s.from(probe, s.hosts.value(field(head, "server"))) },
			func() Name { return s.from(probe, s.hosts.title(body)) },
		)
		if n.Product != "" {
			return n
		}
	}
	return Name{}
}

// split splits a response into head and body.
func split(reply string) (head, body string) {
	for _, between := range []string{"\r\n\r\n", "\n\n"} {
		if head, body, ok := strings.Cut(reply, between); ok {
			return head, body
		}
	}
	return reply, ""
}

// field returns the value of a field; name is in lower case.
func field(head, name string) string {
	for line := range strings.Lines(head) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.ToLower(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

var titlePattern = regexp.MustCompile(`(?i)<title[^>]{0,100}>([^<]{1,200})</title>`)

// title returns the product in the title of a page: a part of it that consists
// only of words of a name.
func (h hosts) title(body string) found {
	m := titlePattern.FindStringSubmatch(body)
	if m == nil {
		return found{}
	}
	for part := range strings.FieldsFuncSeq(m[1], func(r rune) bool { return r == '|' || r == ':' || r == '\n' || r > '~' }) {
		for part := range strings.SplitSeq(part, " - ") {
			if f := h.sentence(part, alone); f.product != "" {
				return f
			}
		}
	}
	return found{}
}
