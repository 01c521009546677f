package fingerprint

import (
	"context"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// around is what is known inside of a layer, and outside of it before that.
type around struct{ *session }

// Exchange makes it a signatures.Seen.
func (a around) Exchange(id string) (*Exchange, bool) {
	ex, pending := a.session.Exchange(id)
	if ex != nil || pending || a.outer == nil {
		return ex, pending
	}
	return a.outer.exchanges[id], false // whose dialogues have ended
}

// wantProxies wants the probes that tell what stands in front of a daemon.
func (s *session) wantProxies(best *signatures.Signature) {
	product := ""
	if best != nil {
		product = best.Product
	}
	for _, p := range s.id.Signatures.Proxies {
		if p.Before(product) && signatures.All(p.When, around{s}) == signatures.Unknown {
			signatures.Needs(p.When, around{s}, s.want)
		}
	}
}

// askHeader sends another PROXY header than the one that was believed, and notes
// whether the port speaks behind it.
func (s *session) askHeader(ctx context.Context, w *wire, p *signatures.Probe) {
	ex := &Exchange{Probe: p.ID, Sent: s.fill(w, p.Send), TLS: s.layer.tls}
	defer s.watch(w)()
	start := time.Now()
	w.send(ex.Sent) // a connection that is gone says so below
	if s.layer.tls {
		err := s.handshake(ctx, w, max(s.patience(p), s.host.resendTime()))
		if ex.Took = time.Since(start); err == nil {
			ex.Handshake, ex.End = signatures.HandshakeComplete, signatures.EndReply
		} else {
			ex.Handshake, ex.End = signatures.HandshakeFailed, handshakeEnd(err)
			ex.Incomplete = s.handshakeIncomplete(w, ex, err)
			w.gone = true
		}
	} else {
		ex.Reply, ex.End, ex.First, ex.Took = s.readReply(ctx, w, until(p.Read.Until, nil), func() time.Duration { return s.patience(p) })
		s.markIncomplete(ctx, w, ex, p.Read.Until, start)
	}
	if ctx.Err() == nil || len(ex.Reply) > 0 {
		s.note(ex)
	}
}

// nameProxy names what stands in front of the daemon, if it showed itself, or says
// that the daemon reads the PROXY header itself.
func (s *session) nameProxy(svc *Identification) {
	p := s.id.Signatures.FrontOf(svc.Product, around{s})
	if p == nil {
		return
	}
	if p.Own || s.layer.proxy != "" {
		svc.ProxyParser = p.Product
	}
	svc.Evidence = slices.Concat(s.proxyEvidence(p), svc.Evidence)
	if p.Own || !p.Differs(svc.Product) {
		return
	}
	svc.Behind = nil
	if svc.Product != "" {
		svc.Behind = &result.Behind{Product: svc.Product, Version: svc.Version}
	}
	svc.Product, svc.Version, svc.CPEs = p.Product, "", nil
	if p.CPE != "" {
		svc.CPEs = []string{p.CPE}
	}
	svc.Alternatives = slices.Clone(p.Alternatives)
	svc.protocolConfidence = svc.ProtocolConfidence()
	svc.Method, svc.Confidence, svc.MatchedRule = result.MethodProbed, p.Confidence, p.ID
}

// proxyEvidence returns the exchanges that show a proxy. An exchange of a negated
// condition only rules another one out.
func (s *session) proxyEvidence(p *signatures.Proxy) (list []result.Evidence) {
	fulfilled(p.When, around{s}, func(c *signatures.Condition) {
		ex, _ := around{s}.Exchange(c.Probe)
		if c.Not || ex == nil {
			return
		}
		e := result.Evidence{Probe: ex.Probe, Sent: string(ex.Sent), Observed: observed(ex), Shows: p.Shows}
		if !slices.Contains(list, e) {
			list = append(list, e)
		}
	})
	return list
}
