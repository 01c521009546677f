package terminal

import (
	"testing"

	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

func TestNaming(t *testing.T) {
	shows := []result.Evidence{{Shows: "HELP lists it", Observation: "help"}, {Shows: "HELP lists it", Observation: "help"}, {Shows: "STARTTLS is offered", Observation: "tls"}}
	asked := []result.Evidence{{Probe: "greeting", Shows: "connect and listen"}, {Probe: "smtp-ehlo", Shows: "shows XCLIENT and AUTH"}}
	for name, c := range map[string]struct {
		s          *result.Service
		says, want string
	}{
		"nil":       {nil, "open, not identified", ""},
		"unknown":   {&result.Service{Method: "probed"}, "unknown service", ""},
		"by number": {&result.Service{Expected: &result.Expected{Name: "milter", Role: "milter"}, Method: "table", Confidence: 2, Alternatives: []string{"OpenDKIM", "OpenDMARC"}}, "unknown service on a port that OpenDKIM or OpenDMARC uses", ""},
		"several":   {&result.Service{Method: "table", Confidence: 2, Alternatives: []string{"DKIMproxy", "Postfix", "spampd"}}, "unknown service on a port that DKIMproxy, Postfix or spampd uses", ""},
		"file":      {&result.Service{Name: "smtp", Product: "Postfix", Method: "configured", Confidence: 7}, "Postfix, smtp", ""},
		"process":   {&result.Service{Name: "smtp", Product: "Postfix", Method: "listening", Confidence: 7}, "Postfix, smtp", ""},
		"product": {
			&result.Service{Name: "smtp", Product: "Postfix", Method: "probed", MatchedRule: "postfix-banner", Confidence: 9, Evidence: shows, Alternatives: []string{"Exim"}},
			"Postfix, smtp", "signature postfix-banner: HELP lists it; STARTTLS is offered (confidence 9 of 10); also fits Exim",
		},
		"probes": {
			&result.Service{Name: "smtp", Product: "Postfix", Method: "probed", MatchedRule: "postfix-ehlo", Confidence: 9, Evidence: asked},
			"Postfix, smtp", "signature postfix-ehlo, identified by greeting, smtp-ehlo (confidence 9 of 10)",
		},
		"protocol by a probe": {
			&result.Service{Name: "smtp", Method: "probed", Confidence: 5, Evidence: asked},
			"smtp (confidence 5 of 10)", "it speaks smtp, identified by greeting, smtp-ehlo; no signature identifies the product (confidence 5 of 10)",
		},
		"itself": {
			&result.Service{Name: "smtp", Product: "MasqMail", Version: "1.0.0", Method: "probed", SelfNamed: true, MatchedRule: "smtp", Confidence: 5, Evidence: asked[:1]},
			"MasqMail 1.0.0 (says of itself), smtp (confidence 5 of 10)", "it speaks smtp, identified by greeting; no signature identifies the product, the daemon says of itself: MasqMail 1.0.0 (confidence 5 of 10)",
		},
		"protocol": {
			&result.Service{Name: "pop3", Method: "probed", Confidence: 7},
			"pop3", "it speaks pop3; no signature identifies the product (confidence 7 of 10)",
		},
	} {
		if got := namingOf(c.s); got != c.want {
			t.Errorf("%s: named %q, want %q", name, got, c.want)
		}
		p := view.PortEntry{Num: 8891, Port: &result.Port{Service: c.s}}
		if got := p.Describe(); got != c.says {
			t.Errorf("%s: says %q, want %q", name, got, c.says)
		}
	}
}
