// Package selfname finds the product and version that a daemon states about
// itself.
//
// A greeting, a capability or a header contains what an administrator, or an
// attacker, chose. It names a daemon only if no signature does, and proves
// nothing. It must never be something other than a product: if in doubt, [Find]
// finds nothing.
package selfname

import (
	"strings"

	"github.com/mxsweep/mxsweep/signatures"
)

// MaxProduct and MaxVersion are the maximum lengths of a product and a version,
// in bytes.
const (
	MaxProduct = 48
	MaxVersion = 32
)

// A Name is what a daemon states about itself.
type Name struct {
	Product string
	Version string // "" if it states none
	Probe   string // the exchange in which it does so
}

// Find returns the name that a daemon states in its replies in a protocol, the
// zero Name if there is none. hosts are names that must not be taken for a
// product, in addition to those in the replies.
func Find(protocol string, t *signatures.Transcript, hosts ...string) Name {
	s := &source{transcript: t, hosts: newHosts(hosts)}
	switch protocol {
	case "smtp", "lmtp":
		return s.smtp()
	case "imap":
		return s.first(s.imapID, s.imapGreeting)
	case "pop3":
		return s.first(s.pop3Capability, s.pop3Greeting)
	case "managesieve":
		return s.sieve()
	case "http":
		return s.http()
	}
	return Name{}
}

// A source is a transcript in which names are searched.
type source struct {
	transcript *signatures.Transcript
	hosts      hosts
}

// reply returns the reply to a probe, "" if it was not sent.
func (s *source) reply(probe string) string {
	if ex := s.transcript.Find(probe); ex != nil {
		return string(ex.Reply[:min(len(ex.Reply), maxText)])
	}
	return ""
}

// maxText is the maximum length of a reply that is examined, in bytes.
const maxText = 2048

// first returns the first name that a finder finds.
func (s *source) first(finders ...func() Name) Name {
	for _, find := range finders {
		if n := find(); n.Product != "" {
			return n
		}
	}
	return Name{}
}

// from returns the Name for what was found in a probe, if it is proper.
func (s *source) from(probe string, f found) Name {
	if !f.proper(s.hosts) {
		return Name{}
	}
	return Name{Product: f.product, Version: f.version, Probe: probe}
}

// imapID reads the reply to ID (RFC 2971, Section 3.2): a list of pairs.
func (s *source) imapID() Name {
	values := idPairs(s.reply("imap-id"))
	f := s.hosts.value(values["name"])
	if v := strings.TrimPrefix(values["version"], "v"); f.product != "" && isVersion(v) {
		f.version = v
	}
	return s.from("imap-id", f)
}

// idPairs returns the pairs of a reply to ID, with keys in lower case.
func idPairs(reply string) map[string]string {
	for line := range strings.Lines(reply) {
		if len(line) > 6 && strings.EqualFold(line[:6], "* ID (") {
			words := quoted(line[6:])
			pairs := make(map[string]string)
			for i := 0; i+1 < len(words); i += 2 {
				pairs[strings.ToLower(words[i])] = words[i+1]
			}
			return pairs
		}
	}
	return nil
}

// quoted returns the strings and NILs of a list, in their order; a NIL is "".
func quoted(list string) []string {
	var words []string
	for len(words) < 60 { // RFC 2971, Section 3.3: at most 30 pairs
		list = strings.TrimLeft(list, " ")
		if rest, ok := strings.CutPrefix(list, "NIL"); ok {
			words, list = append(words, ""), rest
			continue
		}
		rest, ok := strings.CutPrefix(list, `"`)
		if !ok {
			break
		}
		word, rest, ok := strings.Cut(rest, `"`)
		if !ok || strings.HasSuffix(word, `\`) {
			break
		}
		words, list = append(words, word), rest
	}
	return words
}

// imapGreeting reads what follows * OK and the response code (RFC 3501, Section 7.1).
func (s *source) imapGreeting() Name {
	text, ok := strings.CutPrefix(s.reply(signatures.Greeting), "* OK ")
	if !ok {
		return Name{}
	}
	if strings.HasPrefix(text, "[") {
		if _, text, ok = strings.Cut(text, "]"); !ok {
			return Name{}
		}
	}
	return s.from(signatures.Greeting, s.hosts.sentence(firstLine(text), anywhere))
}

// pop3Capability reads IMPLEMENTATION (RFC 2449, Section 6.9).
func (s *source) pop3Capability() Name {
	for line := range strings.Lines(s.reply("pop3-capa")) {
		if value, ok := strings.CutPrefix(line, "IMPLEMENTATION "); ok {
			return s.from("pop3-capa", s.hosts.value(value))
		}
	}
	return Name{}
}

// pop3Greeting reads what follows +OK (RFC 1939, Section 4).
func (s *source) pop3Greeting() Name {
	text, ok := strings.CutPrefix(s.reply(signatures.Greeting), "+OK ")
	if !ok {
		return Name{}
	}
	return s.from(signatures.Greeting, s.hosts.sentence(firstLine(text), anywhere))
}

// sieve reads IMPLEMENTATION (RFC 5804, Section 1.7).
func (s *source) sieve() Name {
	for line := range strings.Lines(s.reply(signatures.Greeting)) {
		if words := quoted(line); len(words) == 2 && words[0] == "IMPLEMENTATION" {
			return s.from(signatures.Greeting, s.hosts.value(words[1]))
		}
	}
	return Name{}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
