package fingerprint

import (
	"slices"

	"github.com/mxsweep/mxsweep/signatures"
)

// guess asks the fallbacks, in their order, about a port whose daemon no
// signature names. What a signature says stays: a guess that contradicts it
// counts for nothing, and where a signature names alternatives, safe probes
// cannot tell them apart.
func (s *session) guess(svc *Service) {
	if len(s.id.Fallbacks) == 0 || svc.Product != "" || len(svc.Alternatives) > 0 || svc.Role == "not-mail" {
		return
	}
	seen := new(Transcript)
	for _, ex := range s.order {
		seen.Exchanges = append(seen.Exchanges, *ex)
	}
	for _, f := range s.id.Fallbacks {
		g := f.Guess(seen)
		if g == nil || svc.Protocol != "" && g.Protocol != svc.Protocol {
			continue
		}
		s.take(svc, g)
		return
	}
}

// take fills in what a guess says and a signature does not.
func (s *session) take(svc *Service, g *signatures.Guess) {
	svc.Protocol, svc.Product, svc.Version = g.Protocol, clip(g.Product), clip(g.Version)
	if svc.Role == "unknown" && g.Role != "" {
		svc.Role = g.Role
	}
	if svc.Hostname == "" {
		svc.Hostname = clip(g.Hostname)
	}
	if svc.ExtraInfo == "" {
		svc.ExtraInfo = clip(g.ExtraInfo)
	}
	if svc.OSType == "" {
		svc.OSType = clip(g.OSType)
	}
	svc.CPEs = slices.Clone(g.CPEs)
	svc.Method, svc.Confidence, svc.Signature = "probed", g.Confidence, g.Rule
	if ex := s.exchanges[g.Probe]; ex != nil {
		svc.Evidence = append(svc.Evidence, Evidence{
			Probe: ex.Probe, Sent: string(ex.Sent), Observed: observed(ex), Shows: "matches " + g.Rule,
		})
	}
}
