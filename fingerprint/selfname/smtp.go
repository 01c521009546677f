package selfname

import (
	"strings"

	"github.com/mxsweep/mxsweep/signatures"
)

// maxLines is the maximum number of lines of a reply that are examined.
const maxLines = 8

// smtp looks in the greeting, the reply to EHLO or LHLO and the help text.
func (s *source) smtp() Name {
	greeting := s.positive(signatures.Greeting)
	if greeting != nil {
		host, _, _ := strings.Cut(greeting[0], " ")
		s.hosts.add(host) // RFC 5321, Section 4.2: the domain is first
	}
	for _, probe := range []string{"smtp-ehlo", "lmtp-lhlo"} {
		if lines := s.positive(probe); lines != nil {
			host, _, _ := strings.Cut(lines[0], " ")
			s.hosts.add(host)
		}
		if ex := s.transcript.Find(probe); ex != nil {
			_, ours, _ := strings.Cut(strings.TrimSpace(string(ex.Sent)), " ")
			s.hosts.add(ours)
		}
	}
	return s.first(
		func() Name { return s.smtpGreeting(greeting) },
		s.smtpHelp,
		func() Name { return s.helo("smtp-ehlo") },
		func() Name { return s.helo("lmtp-lhlo") },
	)
}

// positive returns the lines of a reply with a code of 2yz, without their codes;
// nil for other codes.
func (s *source) positive(probe string) []string {
	var lines []string
	for line := range strings.Lines(s.reply(probe)) {
		line = strings.TrimRight(line, "\r\n")
		if len(line) < 4 || line[0] != '2' || line[3] != ' ' && line[3] != '-' || len(lines) >= maxLines {
			break
		}
		lines = append(lines, enhancedCode(line[4:]))
	}
	return lines
}

// enhancedCode removes the enhanced status code at the start of a text (RFC 2034,
// Section 4).
func enhancedCode(text string) string {
	code, rest, ok := strings.Cut(text, " ")
	if !ok || len(code) < 5 || code[0] != '2' || code[1] != '.' || strings.Trim(code, "0123456789.") != "" {
		return text
	}
	return rest
}

// smtpGreeting looks in the first line for a name, and in the others for one with
// a version.
func (s *source) smtpGreeting(lines []string) Name {
	for i, line := range lines {
		kind := versionOnly
		if i == 0 {
			kind = behindHost
		}
		if n := s.from(signatures.Greeting, s.hosts.sentence(line, kind)); n.Product != "" {
			return n
		}
	}
	return Name{}
}

// smtpHelp looks in the help text for a name with a version, or the home page of
// the product.
func (s *source) smtpHelp() Name {
	for _, line := range s.positive("smtp-help") {
		f := s.hosts.sentence(line, versionOnly)
		if f.product == "" {
			if product, _, ok := strings.Cut(line, " home page"); ok {
				f = s.hosts.value(product)
			}
		}
		if n := s.from("smtp-help", f); n.Product != "" {
			return n
		}
	}
	return Name{}
}

// helo looks in the text of the first line for a name with a version (RFC 5321,
// Section 4.1.1.1: ehlo-greet).
func (s *source) helo(probe string) Name {
	lines := s.positive(probe)
	if lines == nil {
		return Name{}
	}
	_, text, _ := strings.Cut(lines[0], " ")
	return s.from(probe, s.hosts.sentence(text, versionOnly))
}
