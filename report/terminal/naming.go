package terminal

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// namingOf says why the product of a service was named: by which signature, what
// that rests on, and how sure it is. "" where no product was named.
func namingOf(s *result.Service) string {
	if s.Label() == "" {
		return ""
	}
	var probes, parts []string
	for _, e := range s.Evidence {
		switch {
		case e.Observation == "": // what the probe is for is nothing that was seen
			if !slices.Contains(probes, e.Probe) {
				probes = append(probes, e.Probe)
			}
		case e.Shows != "" && !slices.Contains(parts, e.Shows):
			parts = append(parts, e.Shows)
		}
	}
	told := ""
	if len(probes) > 0 {
		told = ", identified by " + strings.Join(probes, ", ")
	}
	text := "signature " + cmp.Or(s.MatchedRule, "not recorded") + told
	switch {
	case s.SelfNamed:
		text = "it speaks " + s.Name + told + "; no signature identifies the product, the daemon says of itself: " + s.Label()
	case s.Product == "":
		text = "it speaks " + s.Name + told + "; no signature identifies the product"
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, "; ")
	}
	text += " (confidence " + strconv.Itoa(s.Confidence) + " of 10)"
	if s.Product != "" && len(s.Alternatives) > 0 {
		text += "; also fits " + strings.Join(s.Alternatives, " or ")
	}
	return text
}
