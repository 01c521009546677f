package exposure

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// TestSelfNamedChangesNoFinding judges ports with and without a name that the
// daemon states about itself, of a product for which there are rules and fixes.
func TestSelfNamedChangesNoFinding(t *testing.T) {
	judged := func(port uint16, role result.Role, greeting string, observations ...string) string {
		s := &fingerprint.Identification{
			Service: result.Service{Name: "smtp", Role: role, Method: result.MethodProbed, Confidence: 4, Observations: observations},
			Transcript: &signatures.Transcript{Exchanges: []signatures.Exchange{
				{Probe: signatures.Greeting, Reply: []byte("220 mx.example.org ESMTP" + greeting + "\r\n"), End: signatures.EndReply},
			}},
		}
		fingerprint.Link(new(signatures.Set), nil, map[uint16]*fingerprint.Identification{port: s})
		if (greeting != "") != (s.SelfNamed && s.Product != "") {
			t.Fatalf("%q says of itself %q", greeting, s.Product)
		}
		j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
		var all []string
		for _, f := range j.Findings(openPort(port, s)) {
			if said := strings.Contains(strings.Join(f.Evidence, "\n"), "says of itself:"); said != s.SelfNamed && f.Certainty > 0 {
				t.Errorf("%s: the evidence %q tells what it says of itself: %t", f.Rule.ID, f.Evidence, said)
			}
			f.Evidence = nil
			all = append(all, fmt.Sprintf("%s %s %v %v %q %d %d %q %v", f.Rule.ID, f.ID, f.Severity, f.Score, f.Product, f.Confidence, f.Certainty, f.Remediation, f.Fixes))
		}
		return strings.Join(all, "\n")
	}
	for _, product := range []string{" Postfix", " Exim 4.96", " DKIMproxy 1.4", " amavisd-new 2.13.0", " Dovecot"} {
		for _, port := range []uint16{25, 587, 10025, 10027, 10031} {
			for _, role := range []result.Role{result.RoleMTA, result.RoleReinjection, result.RoleSubmission} {
				if with, without := judged(port, role, product, "auth-offered-cleartext", "xclient-offered"), judged(port, role, "", "auth-offered-cleartext", "xclient-offered"); with != without {
					t.Errorf("port %d as%s in the role %s:\n%s\nwant\n%s", port, product, role, with, without)
				}
			}
		}
	}
}
