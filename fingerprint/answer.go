package fingerprint

import (
	"bytes"
	"slices"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// maxBanner is how much of the greeting is reported.
const maxBanner = 1024

// service returns the result of the dialogue.
func (s *session) service() *Identification {
	if s.inner != nil {
		return s.inside()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish()
	svc := unknownService()
	svc.slow = s.id.late.Load() || s.host.slow() > 0
	svc.slowPort, svc.suggested = s.oneByOne || s.spared || s.slowest > slowness, s.suggestsQuiet()
	svc.Transcript = s.transcript()
	svc.TLS = s.tlsInfo
	if s.layer.tls {
		svc.Tunnel = result.TunnelTLS
	}
	if g := s.exchanges[signatures.Greeting]; g != nil && len(g.Reply) > 0 {
		svc.Banner = bytes.Clone(g.Reply[:min(len(g.Reply), maxBanner)])
		svc.BannerTruncated = len(g.Reply) > maxBanner || g.End == signatures.EndLimit
	}
	best := s.best()
	svc.unheard = s.unheard(best)
	if best != nil {
		s.name(svc, best)
	}
	s.nameImported(svc)
	s.observe(svc)
	s.nameProxy(svc)
	why, words := s.inconclusive()
	if svc.Inconclusive = why; why != "" && len(words) > 0 {
		svc.Refusal = string(bytes.TrimSpace(words[:min(len(words), maxBanner)]))
	}
	return svc
}

// inside returns the service inside of a layer, with what opened the layer. Questions
// asked on both sides have the exchange of the inside.
func (s *session) inside() *Identification {
	svc := s.inner.service()
	var outer []Exchange
	for _, ex := range s.order {
		if svc.Transcript.Find(ex.Probe) == nil {
			outer = append(outer, s.kept(ex))
		}
		if p := s.id.Signatures.Probe(ex.Probe); p.Enters != nil && (ex.Handshake == signatures.HandshakeComplete || p.Enters.Reply != nil && p.Enters.Reply.Match(ex.Reply)) {
			sent := string(ex.Sent)
			if sent == "" {
				sent = "(TLS ClientHello)"
			}
			svc.Evidence = append(svc.Evidence, result.Evidence{Probe: p.ID, Sent: sent, Observed: observed(ex), Shows: p.Why})
		}
	}
	svc.Transcript.Exchanges = append(outer, svc.Transcript.Exchanges...)
	return svc
}

// finish treats everything that was not received as not coming. If something was lost,
// what could have come without that stays unknown, and signatures that match as far as
// received are alternatives.
func (s *session) finish() {
	s.pending = make(map[string]bool)
	if s.host.resendTime() > 0 { // which may have become known after they ended
		for _, ex := range s.order {
			ex.Incomplete = ex.Incomplete || ex.End == signatures.EndSilence && ex.Probe != signatures.Greeting
		}
	}
	// A question without an answer counts as lost only if the path shows loss: a daemon
	// that rejects further connections leaves it unanswered as well.
	lost := s.timedOut || s.host.resendTime() > 0 || s.skipped || slices.ContainsFunc(s.order, func(ex *Exchange) bool { return ex.Incomplete })
	if s.lost = lost; !lost {
		for _, p := range s.id.Signatures.Probes {
			s.pending[p.ID] = false
		}
	}
	var held []*signatures.Signature
	for _, sig := range s.alive {
		switch sig.Match(s) {
		case signatures.True:
			held = append(held, sig)
		case signatures.Unknown:
			s.rivals = append(s.rivals, sig)
		}
	}
	s.alive = held
}

// couldHaveCome reports whether a question that was not asked would have been, if all
// others had been answered.
func (s *session) couldHaveCome(p *signatures.Probe) bool {
	return !(p.Safety == signatures.Intrusive && !s.id.Intrusive ||
		p.OnlyThere && !s.hints[p.ID] ||
		p.OnlyElsewhere && !s.unnamed() ||
		p.Layer == signatures.LayerClear && (s.layer != layer{}) ||
		p.Layer == signatures.LayerProxy && s.layer.proxy == "" ||
		slices.Contains(p.Except, s.target.Port()) ||
		p.Layer == signatures.LayerTLS && !s.layer.tls ||
		p.Quiet > 0 && s.greetingBegun) && signatures.All(p.After, s) != signatures.False
}

func (s *session) transcript() *Transcript {
	t := new(Transcript)
	for _, ex := range s.order {
		t.Exchanges = append(t.Exchanges, s.kept(ex))
	}
	if ex := s.exchanges[signatures.Goodbye]; ex != nil {
		t.Exchanges = append(t.Exchanges, s.kept(ex))
	}
	return t
}

// maxKept is how much of a reply is kept after the dialogue, unless it is recorded.
// Thousands of ports may send much each.
const maxKept = 2048

// kept returns what is kept of an exchange at the end.
func (s *session) kept(ex *Exchange) Exchange {
	k := *ex
	k.Remember(false)
	if !s.id.Record {
		k.Greeting = bytes.Clone(ex.Greeting[:min(len(ex.Greeting), maxKept)])
		k.Reply = bytes.Clone(ex.Reply[:min(len(ex.Reply), maxKept)])
	}
	return k
}

// name fills in the values of the best signature.
func (s *session) name(svc *Identification, sig *signatures.Signature) {
	values := sig.Values(s)
	svc.Name, svc.Product, svc.Role = sig.Protocol, sig.Product, sig.Role
	svc.Version, svc.Hostname = clip(values["version"]), clip(values["hostname"])
	svc.ExtraInfo, svc.OSType = clip(values["extra_info"]), clip(values["os_type"])
	svc.Method, svc.Confidence, svc.MatchedRule = result.MethodProbed, sig.Confidence, sig.ID
	if cpe := sig.CPEFor(svc.Version); cpe != "" {
		svc.CPEs = []string{cpe}
	}
	svc.Alternatives = slices.Clone(sig.Alternatives)
	for _, o := range s.alive {
		if o.Confidence == sig.Confidence && o.Product != "" && o.Product != sig.Product && !sig.Relays(o, s) {
			svc.Alternatives = append(svc.Alternatives, o.Product)
		}
	}
	s.doubt(svc, sig)
	s.weaken(svc, sig)
	if sig.ProductConfidence > 0 && svc.Product != "" {
		svc.protocolConfidence = svc.Confidence
		svc.Confidence = min(svc.Confidence, sig.ProductConfidence)
	}
	slices.Sort(svc.Alternatives)
	svc.Alternatives = slices.Compact(svc.Alternatives)
	svc.Behind = behind(values)
	if next, values := s.id.Signatures.Behind(sig, s); next != nil && svc.Behind == nil {
		svc.Behind = &result.Behind{Product: next.Product, Version: clip(values["version"])}
	}
	s.evidence(svc, sig.When, nil)
}

// unheardConfidence is the maximum confidence of a name that lost exchanges could have
// refuted.
const unheardConfidence = 5

// contradictedConfidence is the most that a name is worth where another signature
// that holds names a product of another maker.
const contradictedConfidence = certain - 1

// doubt takes certainty from a product that something else that was said
// contradicts. What a proxy hands on is another daemon's, and a page is written by
// whoever puts it there.
func (s *session) doubt(svc *Identification, sig *signatures.Signature) {
	if len(sig.Behind) > 0 || sig.Protocol == "http" {
		return
	}
	for _, o := range s.alive {
		if o.Confidence >= signatures.LeastBehavior && o.Contradicts(sig) {
			svc.Confidence = min(svc.Confidence, contradictedConfidence)
		}
	}
	for _, o := range s.id.Signatures.Signatures {
		if o.Contradicts(sig) && o.Claims(s) {
			svc.Confidence = min(svc.Confidence, contradictedConfidence)
		}
	}
}

// weaken removes a product that could be another one, given what was received.
func (s *session) weaken(svc *Identification, sig *signatures.Signature) {
	var others []string
	for _, r := range s.rivals {
		if r.Confidence < sig.Confidence || r.Protocol != sig.Protocol || r.Product == sig.Product {
			continue
		}
		if others = append(others, r.Alternatives...); r.Product != "" {
			others = append(others, r.Product)
		}
	}
	if len(others) == 0 {
		return
	}
	svc.Confidence = min(svc.Confidence, unheardConfidence)
	if svc.Product == "" {
		return
	}
	svc.Alternatives = append(append(svc.Alternatives, svc.Product), others...)
	svc.Product, svc.Version, svc.CPEs = "", "", nil
}

func behind(values map[string]string) *result.Behind {
	if values["behind_product"] == "" {
		return nil
	}
	return &result.Behind{Product: clip(values["behind_product"]), Version: clip(values["behind_version"])}
}

// observe adds the observations that match the service.
func (s *session) observe(svc *Identification) {
	for _, o := range s.id.Signatures.Observations {
		if !o.About(svc.Name, svc.Product) {
			continue
		}
		if s.lost && !o.Idle && signatures.All(o.When, s) == signatures.Unknown {
			svc.Confidence = min(svc.Confidence, certain-1) // worse may be true
		}
		if o.Versioned && svc.Version == "" || signatures.All(o.When, s) != signatures.True {
			continue
		}
		svc.Observations = append(svc.Observations, o.ID)
		s.evidence(svc, o.When, o)
	}
	slices.Sort(svc.Observations)
}

// evidence adds the exchanges to which the conditions of an observation refer, or
// those of the signature if o is nil.
func (s *session) evidence(svc *Identification, conditions []signatures.Condition, o *signatures.Observation) {
	fulfilled(conditions, s, func(c *signatures.Condition) {
		ex := s.exchanges[c.Probe]
		if ex == nil {
			return
		}
		e := result.Evidence{Probe: ex.Probe, Sent: string(ex.Sent), Observed: observed(ex)}
		if o != nil {
			e.Observation, e.Shows = o.ID, o.Shows
		} else {
			e.Shows = s.id.Signatures.Probe(ex.Probe).Why
		}
		if !slices.Contains(svc.Evidence, e) {
			svc.Evidence = append(svc.Evidence, e)
		}
	})
}

// fulfilled calls f for each condition on an exchange that is true. Those within a
// negated group are left out: they do not make the group true.
func fulfilled(conditions []signatures.Condition, seen signatures.Seen, f func(*signatures.Condition)) {
	for i := range conditions {
		c := &conditions[i]
		switch {
		case c.Match(seen) != signatures.True:
		case c.Any == nil && c.All == nil:
			f(c)
		case !c.Not:
			fulfilled(c.Any, seen, f)
			fulfilled(c.All, seen, f)
		}
	}
}

// observed returns what was received and how it ended.
func observed(ex *Exchange) string {
	text := string(ex.Reply[:min(len(ex.Reply), maxBanner)])
	switch {
	case ex.Handshake == signatures.HandshakeFailed:
		return text + "(the TLS handshake does not complete)"
	case ex.Tail == signatures.TailReset:
		return text + "(then closed, and what follows is reset)"
	case ex.Tail != "":
		return text + "(then ended, and what follows is taken)"
	case ex.Handshake == signatures.HandshakeComplete:
		return text + "(the TLS handshake completes)"
	case ex.End == signatures.EndClosed && text == "":
		return "(closed without a reply)"
	case ex.End == signatures.EndClosed:
		return text + "(then closed)"
	case ex.End == signatures.EndReset:
		return text + "(reset)"
	case ex.Incomplete && text == "":
		return "(no reply)"
	case ex.End == signatures.EndSilence && text == "":
		return "(silence)"
	case ex.End == signatures.EndLimit:
		return text + "(and more data)"
	}
	return text
}
