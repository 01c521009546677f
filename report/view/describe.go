package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// Number returns the port with its protocol, like 25/tcp; "dns" for records of a domain.
func (p *PortEntry) Number() string {
	if p.Port == nil && len(p.Findings) > 0 && p.Findings[0].OfRecords() {
		return "dns"
	}
	return strconv.Itoa(int(p.Num)) + "/" + cmp.Or(p.protocol, "tcp")
}

// Describe returns one line about what answers on the port.
func (p *PortEntry) Describe() string {
	if p.Port == nil {
		return p.unseen()
	}
	s := p.Port.Service
	if s == nil {
		return "open, not identified" + assumed(p.Port)
	}
	parts := []string{s.Label()}
	if parts[0] == "" {
		parts[0] = "unknown service"
	}
	switch {
	case s.SelfNamed:
		parts[0] += " (says of itself)"
	case s.Product != "" || len(s.Alternatives) == 0:
	case s.ByNumber():
		parts[0] += " on a port that " + wording.Either(s.Alternatives) + " uses"
	default:
		parts[0] += ": " + wording.Either(s.Alternatives)
	}
	if s.ByNumber() {
		// What the port number suggests is not a fact about the service.
	} else if s.Role != "" && s.Role != "unknown" {
		parts = append(parts, strings.ReplaceAll(string(s.Role), "-", " "))
	} else if s.Product != "" && s.Name != "" {
		parts = append(parts, s.Name)
	}
	if b := s.Behind; b != nil {
		parts = append(parts, "in front of "+strings.TrimSpace(b.Product+" "+b.Version))
	}
	if s.Tunnel == "ssl" {
		parts = append(parts, "TLS")
	}
	if slices.Contains(s.Observations, "acl-refused") {
		parts = append(parts, "its access list refused us")
	}
	if why := Inconclusive(s); why != "" {
		parts = append(parts, why)
	} else if s.Product == "" && p.Port.Banner != nil {
		parts = append(parts, `said "`+words.Shorten(p.Port.Banner.Text, 60)+`"`)
	}
	return strings.Join(parts, ", ") + confidence(s) + assumed(p.Port)
}

// unseen says what is known of a port that the run did not see open.
func (p *PortEntry) unseen() string {
	if len(p.Findings) > 0 {
		switch f := p.Findings[0]; {
		case f.OfRecords():
			return "records of the domain"
		case f.State != "":
			return string(f.State)
		}
	}
	return "not seen in this run, but in the baseline"
}

// NamedBy returns the paths that lead from the domains of the run to the host of a finding, as one
// text; "" if there are none.
func NamedBy(f *result.Finding) string {
	const most = 4
	text := strings.Join(f.NamedBy[:min(len(f.NamedBy), most)], "; ")
	if more := len(f.NamedBy) - most; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// assumed is appended if the reachability from the vantage point was not tested.
func assumed(p *result.Port) string {
	if p.Reachability != result.ReachabilityAssumed {
		return ""
	}
	return " (an address of the scanning machine: reachability assumed)"
}

// confidence is appended if the confidence is not high.
func confidence(s *result.Service) string {
	if s.Confidence >= 7 || s.Confidence == 0 || s.ByNumber() {
		return ""
	}
	return fmt.Sprintf(" (confidence %d of 10)", s.Confidence)
}

// SeverityLabel returns the severity, with the drift if there is a baseline.
func SeverityLabel(f *result.Finding) string {
	if f.Drift == result.DriftNone {
		return f.Severity.String()
	}
	return f.Severity.String() + ", " + string(f.Drift)
}
