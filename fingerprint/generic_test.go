package fingerprint

import (
	"bufio"
	"fmt"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
)

// A policyDaemon is one of the policy daemons that sites write for themselves: it reads
// names and values up to an empty line, and has one answer.
type policyDaemon struct {
	action string
	crlf   bool   // it removes a CR at the end of a line
	once   bool   // it hangs up after an answer
	empty  bool   // it answers an empty line that follows nothing
	strict string // "lines": it hangs up on a line without "="; "requests": it does not answer other requests
}

func (d policyDaemon) Serve(c *mailtest.Conn) {
	in, request, lines := bufio.NewReader(c), "", 0
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if line = strings.TrimSuffix(line, "\n"); d.crlf {
			line = strings.TrimSuffix(line, "\r")
		}
		key, value, pair := strings.Cut(line, "=")
		switch {
		case pair:
			if lines++; key == "request" {
				request = value
			}
		case line != "" && d.strict == "lines":
			return
		case line == "" && (lines > 0 || d.empty):
			if d.strict != "requests" || request == "smtpd_access_policy" {
				if !c.Say("action="+d.action+"\n\n") || d.once {
					return
				}
			}
			request, lines = "", 0
		}
	}
}

// TestUnknownPolicyDaemons checks that a policy daemon that no signature knows is not
// surely called another one, and that what it speaks stays certain.
func TestUnknownPolicyDaemons(t *testing.T) {
	set := load(t)
	named := 0
	for _, action := range []string{"DUNNO", "dunno", "OK", "DEFER", "PREPEND X-Seen: yes"} {
		for _, strict := range []string{"", "lines", "requests"} {
			for n := range 8 {
				d := policyDaemon{action: action, strict: strict, crlf: n&1 != 0, once: n&2 != 0, empty: n&4 != 0}
				inMemory(t, fmt.Sprintf("%+v", d), func(t *testing.T, n *mailtest.Network) {
					server := n.Serve(t, d)
					svc := identifyWhole(t, &Identifier{Signatures: set, Dial: n.Dial}, scan.Result{Target: server.Addr()})
					if svc.Product != "" {
						named++
						if svc.Confidence > 5 {
							t.Errorf("called %q with confidence %d by %s\n%s", svc.Product, svc.Confidence, svc.MatchedRule, asJSON(svc.Transcript))
						}
					}
					if svc.Name != "" && (svc.Name != "postfix-policy" || svc.ProtocolConfidence() < 6) {
						t.Errorf("called %q with confidence %d", svc.Name, svc.ProtocolConfidence())
					}
				})
			}
		}
	}
	if named == 0 {
		t.Error("no daemon is called a product: the test checks nothing")
	}
}
