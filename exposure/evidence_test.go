package exposure

import (
	"slices"
	"strings"
	"testing"

	"mxsweep/fingerprint"
)

func TestEvidence(t *testing.T) {
	s := svc("smtp", "signing-proxy", "DKIMproxy", "xclient-offered")
	s.Behind = &fingerprint.Behind{Product: "Postfix smtpd"}
	s.Evidence = []fingerprint.Evidence{
		{Probe: "greeting", Observed: "220 mx ESMTP\r\n", Shows: "connect and listen"},
		{Probe: "smtp-empty-line", Sent: "\r\n", Observed: "(closed without a word)"},
		{Probe: "smtp-quitx", Sent: "QUITX\r\n", Observed: "500 no\r\n(then closed)"},
		{Probe: "smtp-ehlo", Sent: "EHLO x\r\n", Observed: "250 XCLIENT \x1b[31m\xff" + strings.Repeat("x", 200), Shows: "XCLIENT is offered", Observation: "xclient-offered"},
	}
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	got := j.Findings(openPort(10027, s))
	const (
		talk    = `greeting "220 mx ESMTP"; sent "\r\n", got (closed without a word); sent "QUITX", got "500 no" (then closed)`
		who     = "answers as DKIMproxy speaking smtp, role signing-proxy, in front of Postfix smtpd (confidence 9 of 10)"
		reached = "port 10027/tcp accepts connections (syn-ack), seen from the vantage point internet"
	)
	if ids(got) != "MXS1004 MXS1401" || !slices.Equal(got[0].Evidence, []string{talk, who, reached}) {
		t.Fatalf("%s: %q", ids(got), got[0].Evidence)
	}
	first := got[1].Evidence[0]
	if !strings.HasPrefix(first, `XCLIENT is offered: sent "EHLO x", got "250 XCLIENT \x1b[31m\xff`) || len(first) > 200 {
		t.Errorf("got %q", first)
	}
	if e := j.Findings(openPort(10031, nil))[0].Evidence; !strings.HasPrefix(e[0], "only the port number is known") {
		t.Errorf("got %q", e)
	}
}
