package nmapprobes

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

// The confidence of a guess: the file knows single replies, and not how a
// daemon behaves.
const (
	matchConfidence = 6
	softConfidence  = 4
)

const (
	// guessTime is how long all patterns together may take with one port.
	guessTime = time.Second

	// maxReply is how much of a reply is matched.
	maxReply = 8 << 10
)

var _ signatures.Fallback = (*Set)(nil)

// Guess names the daemon whose replies match an entry that names a product: the
// first match, else the first softmatch. It returns nil if there is none: an
// entry that names a protocol only goes by a word, like "smtp" behind a 220,
// which what is no mail may say as well.
func (s *Set) Guess(seen *signatures.Transcript) *signatures.Guess {
	deadline := time.Now().Add(guessTime)
	var best *signatures.Guess
	greeting := seen.Find(signatures.Greeting)
	for i := range seen.Exchanges {
		ex := &seen.Exchanges[i]
		for _, p := range s.probes {
			if !p.asks(ex) {
				continue
			}
			for _, reply := range p.replies(ex, greeting) {
				g := p.guess(reply, deadline)
				if g == nil || g.Product == "" || best != nil && g.Confidence <= best.Confidence {
					continue
				}
				best = g
				best.Probe = ex.Probe
				if best.Confidence == matchConfidence {
					return best
				}
			}
		}
	}
	return best
}

// asks reports whether an exchange is one that the probe would have held: the
// same bytes, or the same command of SMTP with an argument. A probe that sends
// nothing is the greeting.
func (p *probe) asks(ex *signatures.Exchange) bool {
	if len(p.send) == 0 {
		return ex.Probe == signatures.Greeting
	}
	ours, argument, _ := bytes.Cut(ex.Sent, []byte(" "))
	return bytes.Equal(ex.Sent, p.send) ||
		bytes.Equal(ours, []byte("EHLO")) && bytes.Equal(p.send, []byte("EHLO\r\n")) && bytes.IndexByte(argument, '\n') == len(argument)-1
}

// replies are the texts that the probe's patterns may be meant for: nmap reads
// the greeting together with the reply unless it waited for it before.
func (p *probe) replies(ex, greeting *signatures.Exchange) [][]rune {
	if len(ex.Reply) == 0 {
		return nil
	}
	before := ex.Greeting
	if before == nil && greeting != nil && greeting != ex {
		before = greeting.Reply
	}
	alone := runes(ex.Reply[:min(len(ex.Reply), maxReply)])
	if ex.Probe == signatures.Greeting || len(before) == 0 {
		return [][]rune{alone}
	}
	return [][]rune{append(runes(before[:min(len(before), maxReply)]), alone...), alone}
}

// guess is what the first entry that matches says; after a soft one, only those
// for the same service are tried on.
func (p *probe) guess(reply []rune, deadline time.Time) *signatures.Guess {
	var soft *signatures.Guess
	var service string
	for _, e := range p.entries {
		if soft != nil && (e.soft || e.service.name != service) {
			continue
		}
		if time.Now().After(deadline) {
			break
		}
		groups := e.match(reply)
		switch {
		case groups == nil:
		case e.soft:
			soft, service = e.guess(groups), e.service.name
		default:
			return e.guess(groups)
		}
	}
	return soft
}

// match returns the groups of a match, nil if there is none or the time is up.
func (e *entry) match(reply []rune) []string {
	m, err := e.pattern.FindRunesMatch(reply)
	if err != nil || m == nil {
		return nil
	}
	groups := make([]string, m.GroupCount())
	for i := range groups {
		if g := m.GroupByNumber(i); g != nil {
			groups[i] = unrunes(g.Runes())
		}
	}
	return groups
}

// guess puts what the entry says in our words.
func (e *entry) guess(groups []string) *signatures.Guess {
	plain := func(s string) string { return s }
	field := func(name string) string { return strings.TrimSpace(expand(e.fields[name], groups, plain)) }
	g := &signatures.Guess{
		Rule:     fmt.Sprintf("nmap:%s:%d", e.service.name, e.line),
		Protocol: e.service.protocol, Role: e.service.role,
		Product: field("p"), Version: field("v"), ExtraInfo: field("i"), Hostname: field("h"), OSType: field("o"),
	}
	if device := field("d"); device != "" && g.ExtraInfo != "" {
		g.ExtraInfo += "; device: " + device
	} else if device != "" {
		g.ExtraInfo = "device: " + device
	}
	g.Confidence = matchConfidence
	if e.soft {
		g.Confidence = softConfidence
	}
	for _, template := range e.cpes {
		if cpe := signatures.CPE23(expand(template, groups, signatures.ShieldCPE)); cpe != "" {
			g.CPEs = append(g.CPEs, cpe)
		}
	}
	return g
}
