package exposure

import (
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
)

func TestEvidence(t *testing.T) {
	s := svc("smtp", "signing-proxy", "DKIMproxy", "xclient-offered")
	s.Behind = &result.Behind{Product: "Postfix smtpd"}
	s.Evidence = []result.Evidence{
		{Probe: "greeting", Observed: "220 mx ESMTP\r\n", Shows: "connect and listen"},
		{Probe: "smtp-empty-line", Sent: "\r\n", Observed: "(closed without a reply)"},
		{Probe: "smtp-quitx", Sent: "QUITX\r\n", Observed: "500 no\r\n(then closed)"},
		{Probe: "smtp-ehlo", Sent: "EHLO x\r\n", Observed: "250 XCLIENT \x1b[31m\xff" + strings.Repeat("x", 200), Shows: "XCLIENT is offered", Observation: "xclient-offered"},
	}
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	got := j.Findings(openPort(10027, s))
	const (
		talk    = `greeting "220 mx ESMTP"; sent "\r\n", got (closed without a reply); sent "QUITX", got "500 no" (then closed)`
		who     = "recognized as DKIMproxy (spoke smtp), in the role signing-proxy, in front of Postfix smtpd (confidence 9 of 10)"
		reached = "port 10027/tcp accepts connections (syn-ack), seen from the vantage point internet"
	)
	if ids(got) != "MXS1004 MXS1401" || !slices.Equal(got[0].Evidence, []string{who, talk, reached}) {
		t.Fatalf("%s: %q", ids(got), got[0].Evidence)
	}
	if words := got[1].Evidence[:2]; !slices.Equal(words, []string{"XCLIENT is offered", who}) {
		t.Errorf("what was seen begins with %q", words)
	}
	first := got[1].Evidence[2]
	if !strings.HasPrefix(first, `XCLIENT is offered: sent "EHLO x", got "250 XCLIENT \x1b[31m\xff`) || len(first) > 200 {
		t.Errorf("got %q", first)
	}
	if e := j.Findings(openPort(10031, nil))[0].Evidence; !strings.HasPrefix(e[0], "only the port number is known") {
		t.Errorf("got %q", e)
	}
}

// TestGuessedRole checks that the finding says so if only the port number
// suggests that an MTA's listener is for re-injection.
func TestGuessedRole(t *testing.T) {
	told := svc("smtp", "reinjection", "Postfix")
	guessed := svc("smtp", "reinjection", "Postfix")
	guessed.RoleByPort = true
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	for want, s := range map[string]*fingerprint.Identification{
		"of 10)":                                 told,
		"; role guessed from the port number":    guessed,
		"; purpose guessed from the port number": svc("smtp", "unknown", ""),
	} {
		list := j.Findings(openPort(10025, s))
		if i := slices.IndexFunc(list, func(f Violation) bool { return f.Rule.ID == "MXS1002" }); i < 0 {
			t.Errorf("no MXS1002 in %s", ids(list))
		} else if got := list[i].Evidence[0]; !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want the end %q", got, want)
		}
	}
}

func TestAnswerInWords(t *testing.T) {
	for want, s := range map[string]*fingerprint.Identification{
		"recognized as OpenDKIM (negotiated the milter protocol), in the role milter (confidence 9 of 10)": {Service: result.Service{Name: "milter", Product: "OpenDKIM", Role: "milter", Confidence: 9}},
		"recognized as Cluebringer (named itself in the reply to an HTTP request) (confidence 10 of 10)": {
			Service: result.Service{Name: "postfix-policy", Product: "Cluebringer", Confidence: 10, Evidence: []result.Evidence{{Sent: "GET / HTTP/1.0\r\n\r\n", Observed: "HTTP/1.0 503 Unknown error\n"}}}},
		"recognized as postfwd (answered a request of the Postfix policy protocol) (confidence 9 of 10)": {
			Service: result.Service{Name: "postfix-policy", Product: "postfwd", Confidence: 9, Evidence: []result.Evidence{{Sent: "GET / HTTP/1.0\r\n\r\n", Observed: "action=dunno\n\n"}}}},
		"spoke lmtp (confidence 7 of 10)":            {Service: result.Service{Name: "lmtp", Role: "unknown", Confidence: 7}},
		"recognized as Dovecot (confidence 4 of 10)": {Service: result.Service{Product: "Dovecot", Role: "unknown", Confidence: 4}},
		"": {},
	} {
		if got := answer(s); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
