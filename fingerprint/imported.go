package fingerprint

import (
	"cmp"
	"strings"

	"github.com/mxsweep/mxsweep/fingerprint/selfname"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// nameImported lets the imported signatures, in their order, name the daemon of a port
// that no other signature names. Results of other signatures are kept: an imported one
// of another protocol is ignored, and if a signature names alternatives, safe probes
// cannot distinguish them. It sends nothing.
func (s *session) nameImported(svc *Identification) {
	if svc.Product != "" || len(svc.Alternatives) > 0 || svc.Role == "not-mail" {
		return
	}
	for _, sig := range s.id.Signatures.Imported {
		if (svc.Name == "" || sig.Protocol == svc.Name) && sig.Match(s) == signatures.True {
			s.fillIn(svc, sig)
			return
		}
	}
}

// fillIn adds the values of an imported signature that no other one has.
func (s *session) fillIn(svc *Identification, sig *signatures.Signature) {
	values := sig.Values(s)
	value := func(name string) string { return clip(strings.TrimSpace(values[name])) }
	svc.Name, svc.Product, svc.Version = sig.Protocol, sig.Product, value("version")
	if svc.Role == "unknown" {
		svc.Role = sig.Role
	}
	svc.Hostname = cmp.Or(svc.Hostname, value("hostname"))
	svc.ExtraInfo = cmp.Or(svc.ExtraInfo, value("extra_info"))
	svc.OSType = cmp.Or(svc.OSType, value("os_type"))
	if cpe := sig.CPEFor(svc.Version); cpe != "" {
		svc.CPEs = []string{cpe}
	}
	svc.Method, svc.Confidence, svc.MatchedRule = result.MethodProbed, sig.Confidence, sig.ID
	s.evidence(svc, sig.When, nil)
}

// selfNamedConfidence is what the name is worth that a daemon gives itself.
const selfNamedConfidence = 5

// owners returns the values in the subject of a certificate (RFC 4514), and their words:
// whom a server belongs to, which is often in its greeting too.
func owners(subject string) []string {
	var all []string
	for part := range strings.FieldsFuncSeq(subject, func(r rune) bool { return r == ',' || r == '+' || r == '\\' }) {
		_, value, _ := strings.Cut(part, "=")
		all = append(append(all, value), strings.Fields(value)...)
	}
	return all
}

// nameItself lets a daemon name itself that no signature names. It is what is said
// to whoever reads the report, and decides nothing: rules, fixes, accepted risks and
// stacks go by [result.Service.KnownProduct].
func nameItself(svc *Identification) {
	if svc.Product != "" || len(svc.Alternatives) > 0 || svc.Inconclusive != "" || svc.Method != result.MethodProbed || svc.Transcript == nil {
		return
	}
	hosts := []string{svc.Hostname}
	if svc.TLS != nil {
		hosts = append(append(hosts, owners(svc.TLS.Subject)...), svc.TLS.Names...)
	}
	said := selfname.Find(svc.Name, svc.Transcript, hosts...)
	if said.Product == "" {
		return
	}
	svc.protocolConfidence = svc.Confidence
	svc.Product, svc.Version, svc.SelfNamed, svc.Confidence = said.Product, said.Version, true, selfNamedConfidence
	ex := svc.Transcript.Find(said.Probe)
	svc.Evidence = append(svc.Evidence, result.Evidence{
		Probe: ex.Probe, Sent: string(ex.Sent), Observed: observed(ex),
		Shows: "says of itself: " + strings.TrimSpace(said.Product+" "+said.Version),
	})
}
