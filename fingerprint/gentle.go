package fingerprint

import (
	"slices"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

// A rank says which questions to a silent port go first. A daemon logs what it does not
// understand as an error, so that those of the daemons that are expected on a port come
// before all others, and those that are not text last.
type rank uint8

const (
	alone     rank = iota // asked alone on this port: see [signatures.Probe.FirstOn]
	suggested             // by the number of the port
	opening               // the first where the number suggests none, with what follows on its connection
	textual
	binary
)

// rankLook is how often a question that waits for others is thought of again, and
// rankWait how long it waits for each: longer than the reply to a question is waited for,
// unless the host is slow. There the waits would use up the time of the port.
const (
	rankLook = 200 * time.Millisecond
	rankWait = 1600 * time.Millisecond
)

// rankOf returns the rank of a question. A port that hung up on text takes none, so that
// other bytes are as good.
func (s *session) rankOf(p *signatures.Probe, leads map[string]bool) rank {
	switch {
	case s.asksAlone(p):
		return alone
	case leads[p.ID]:
		return suggested
	case s.opens(p):
		return opening
	case p.Binary() && !s.hungUpOnText():
		return binary
	}
	return textual
}

// asksAlone reports whether the port is one on which the probe is asked before all
// others.
func (s *session) asksAlone(p *signatures.Probe) bool {
	return slices.Contains(p.FirstOn, s.target.Port()) && s.layer == (layer{}) && !s.id.Record
}

// opens reports whether a probe is the first question to a port of which nothing is known.
// Who reads something else logs it as an error, and is often named by how it takes it.
func (s *session) opens(p *signatures.Probe) bool {
	return p == firstQuestion(s.id.Signatures) && s.unnamed() && s.layer == (layer{}) && !s.id.Record && !s.host.holdsUp()
}

// ready reports whether what a probe waits for is known to be so. Where it is asked
// alone, nothing else was asked before.
func (s *session) ready(p *signatures.Probe) bool {
	after := signatures.All(p.After, s)
	return after == signatures.True || after == signatures.Unknown && s.asksAlone(p)
}

// underWay returns the first rank of a question that has been under way for less than
// rankWait: what goes after it waits for its outcome. The caller holds the lock.
func (s *session) underWay(leads map[string]bool) rank {
	first := binary
	for id, begun := range s.questions {
		p := s.id.Signatures.Probe(id)
		under := s.exchanges[id] == nil || s.open[id] && s.opens(p) // where another may follow
		if under && s.running > 0 && time.Since(begun) < rankWait {
			first = min(first, s.rankOf(p, leads))
		}
	}
	return first
}

// textQuestions are those to a silent port that are text, and had an outcome.
func (s *session) textQuestions(yes func(*Exchange) bool) bool {
	return slices.ContainsFunc(s.order, func(ex *Exchange) bool {
		p := s.id.Signatures.Probe(ex.Probe)
		return p.Quiet > 0 && !p.Binary() && yes(ex)
	})
}

// hungUpOnText reports whether the port ended a connection because of text.
func (s *session) hungUpOnText() bool {
	return s.textQuestions(func(ex *Exchange) bool { return len(ex.Reply) == 0 && ex.HungUp() })
}

// speaksText reports whether the port answered text with text: it takes no other bytes.
// A server for HTTP may do both, and tell so.
func (s *session) speaksText() bool {
	return s.textQuestions(func(ex *Exchange) bool {
		return len(ex.Reply) > 0 && !ex.Echo() && signatures.Printable(ex.Reply) && !slices.ContainsFunc([]string{"HTTP/", "<"}, func(begin string) bool {
			return len(ex.Reply) >= len(begin) && string(ex.Reply[:len(begin)]) == begin
		})
	})
}

// spares reports whether a question would only be an error in the log of a daemon that
// has shown what it reads. The caller holds the lock.
func (s *session) spares(p *signatures.Probe) bool {
	header := p.Enters != nil && p.Enters.Layer == signatures.LayerProxy
	return p.Binary() && !header && !s.hints[p.ID] && !s.id.Record && s.speaksText()
}

// concerns reports whether an observation is one of the protocol or the product of a
// signature, by name.
func concerns(o *signatures.Observation, sig *signatures.Signature) bool {
	return slices.Contains(o.Protocols, sig.Protocol) || slices.ContainsFunc(o.Products, func(p string) bool { return strings.HasPrefix(sig.Product, p) })
}

// answeredAlone reports whether a signature rests on a question that was asked alone, or on
// the first connection for questions, and holds by that. No other question tells of a milter that says no more.
func (s *session) answeredAlone(sig *signatures.Signature) bool {
	return (sig.Product != "" || sig.Protocol == "milter") && slices.ContainsFunc(sig.When, func(c signatures.Condition) bool {
		any := append([]signatures.Condition{c}, c.Any...)
		return slices.ContainsFunc(any, func(c signatures.Condition) bool {
			p := s.id.Signatures.Probe(c.Probe)
			ex := s.exchanges[c.Probe]
			return p != nil && ex != nil && len(ex.Reply) > 0 && (s.asksAlone(p) || p.OnlyElsewhere) && c.Match(s) == signatures.True
		})
	})
}

// namesBetter reports whether a signature may still name the daemon whose answer to a
// question that was asked alone shows little so far: it rests on that answer too, and on
// others. Rspamd's proxy says no more than another milter might, but hangs up on HTTP.
func (s *session) namesBetter(sig, best *signatures.Signature) bool {
	return sig.Product != "" && (best.Product == "" || best.Confidence < plain) && s.answeredAlone(sig)
}
