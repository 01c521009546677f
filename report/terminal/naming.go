package terminal

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
)

// namingOf explains the identification of a product: by which signature, based on
// what, and with which confidence. "" if no product was identified, or none by a dialogue.
func namingOf(s *result.Service) string {
	if s.Label() == "" || s.Method == result.MethodConfigured || s.Method == result.MethodListening {
		return "" // a file or a process names it, and no signature
	}
	var probes, parts []string
	for _, e := range s.Evidence {
		switch {
		case e.Observation == "": // the purpose of a probe is not an observation
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
		text += "; also fits " + wording.Either(s.Alternatives)
	}
	return text
}
