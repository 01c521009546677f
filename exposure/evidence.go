package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
)

// maxEvidence is the maximum number of sentences of evidence of a finding; the
// transcript has the rest.
const maxEvidence = 8

// evidence returns the evidence of a finding as sentences: first what shows the
// fault and what answers, then the bytes of both, and last that the port answers
// at all.
func evidence(r *Rule, p Subject, v Vantage) []string {
	switch {
	case p.Listener != nil:
		return p.listenerEvidence()
	case p.Socket != nil:
		return p.socketEvidence()
	}
	reached := fmt.Sprintf("port %d/tcp accepts connections (%s), seen from the vantage point %s", p.Target.Port(), p.Reason, v)
	if p.Reachability == result.ReachabilityAssumed {
		reached = fmt.Sprintf("port %d/tcp accepts connections (%s) from this machine, which has this address; reachability from the vantage point %s is assumed",
			p.Target.Port(), p.Reason, v)
	}
	s := p.Service
	if s == nil || s.Method == "table" && !s.Has(ObservedRefused) {
		return []string{"only the port number is known; the service was not identified", reached}
	}
	var list, bytes []string
	for _, e := range s.Evidence {
		if e.Observation != "" && r.asksFor(e.Observation) && len(bytes) < (maxEvidence-3)/2 {
			if !slices.Contains(list, e.Shows) {
				list = append(list, e.Shows)
			}
			bytes = append(bytes, e.Shows+": "+exchange(e))
		}
	}
	if sentence := answer(s); sentence != "" {
		list = append(list, sentence+r.guess(s))
	}
	return append(append(append(list, bytes...), dialogue(s)...), reached)
}

// asksFor reports whether a condition of the rule requires the observation.
func (r *Rule) asksFor(observation string) bool {
	return slices.ContainsFunc(r.When, func(c Condition) bool { return slices.Contains(c.Observed, observation) })
}

// maxExchanges is the maximum number of exchanges quoted as evidence.
const maxExchanges = 3

// dialogue returns one sentence with the exchanges that identify the daemon, nil
// if there are none.
func dialogue(s *fingerprint.Identification) []string {
	var parts []string
	for _, e := range s.Evidence {
		if e.Observation == "" && len(parts) < maxExchanges {
			parts = append(parts, exchange(e))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{strings.Join(parts, "; ")}
}

// exchange describes what was sent and what was received.
func exchange(e result.Evidence) string {
	text, end := e.Observed, ""
	if i := strings.LastIndexByte(text, '('); i >= 0 && strings.HasSuffix(text, ")") && (i == 0 || text[i-1] == '\n') {
		text, end = text[:i], " "+text[i:]
	}
	if text != "" {
		end = wording.Quote(text) + end
	}
	end = strings.TrimSpace(end)
	if e.Sent == "" {
		return "greeting " + end
	}
	return "sent " + wording.Quote(e.Sent) + ", got " + end
}

// talked maps protocols to the phrase for speaking them; other protocols are
// named.
var talked = map[string]string{
	"dovecot-auth":   "sent a greeting of the Dovecot auth protocol",
	"http":           "answered an HTTP request",
	"milter":         "negotiated the milter protocol",
	"postfix-policy": "answered a request of the Postfix policy protocol",
	"rspamd-http":    "answered an Rspamd HTTP request",
	"socketmap":      "answered a socketmap lookup",
	"tcp-table":      "answered a tcp_table lookup",
}

// answer describes what the service did, and which product it is.
func answer(s *fingerprint.Identification) string {
	text := talked[s.Name]
	switch {
	case namedByHTTP(s):
		text = "named itself in the reply to an HTTP request"
	case text == "" && s.Name != "":
		text = "spoke " + s.Name
	}
	switch name := ProductOf(s); {
	case name != "" && text != "":
		text = "recognized as " + name + " (" + text + ")"
	case name != "":
		text = "recognized as " + name
	case text == "":
		return ""
	}
	if s.Role != "" && s.Role != "unknown" {
		text += ", in the role " + string(s.Role)
	}
	if s.Behind != nil && s.Behind.Product != "" {
		text += ", in front of " + s.Behind.Product
	}
	if s.SelfNamed {
		text += ", says of itself: " + s.Label()
	}
	sure := s.ProtocolConfidence()
	if s.Product != "" && !s.SelfNamed && s.Behind == nil && s.Confidence < sure {
		return fmt.Sprintf("%s (confidence %d of 10, in the product %d)", text, sure, s.Confidence)
	}
	return fmt.Sprintf("%s (confidence %d of 10)", text, sure)
}

// namedByHTTP reports whether a daemon of another protocol was identified by its
// reply to HTTP.
func namedByHTTP(s *fingerprint.Identification) bool {
	named := false
	for _, e := range s.Evidence {
		if e.Observation != "" {
			continue
		}
		if !strings.HasPrefix(e.Observed, "HTTP/") {
			return false
		}
		named = true
	}
	return named && s.Product != "" && !strings.Contains(s.Name, "http") && s.Name != "elasticsearch"
}

// guess says which part of a finding is inferred from the port number alone, ""
// if none is.
func (r *Rule) guess(s *fingerprint.Identification) string {
	switch {
	case s.RoleByPort:
		return "; role guessed from the port number"
	case slices.ContainsFunc(r.When, func(c Condition) bool { return c.Place == PlaceInternal && fillsIn(&c, s) }):
		return "; purpose guessed from the port number"
	}
	return ""
}

// fillsIn reports whether a condition holds for a service of which the dialogue
// determined only the protocol.
func fillsIn(c *Condition, s *fingerprint.Identification) bool {
	return len(c.Protocols) > 0 && slices.Contains(c.Roles, string(s.Role)) && matchesWord(c.Protocols, s.Name)
}
