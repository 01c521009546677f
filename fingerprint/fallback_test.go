package fingerprint

import (
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// fixed is a fallback that always guesses the same.
type fixed signatures.Guess

func (f *fixed) Guess(seen *signatures.Transcript) *signatures.Guess {
	if f.Product == "" && f.Protocol == "" || seen.Find(signatures.Greeting) == nil {
		return nil
	}
	g := signatures.Guess(*f)
	g.Rule, g.Probe, g.Confidence = "test:"+f.Product, signatures.Greeting, 6
	return &g
}

// TestFallbacks sees to it that a fallback fills gaps and nothing else.
func TestFallbacks(t *testing.T) {
	set := load(t)
	script := func(text string) mailtest.Handler {
		s, err := mailtest.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	sparrow := &fixed{Protocol: "smtp", Role: "proxy", Product: "Sparrowd", Version: "1", Hostname: "guessed", CPEs: []string{"cpe"}}
	for name, c := range map[string]struct {
		handler   mailtest.Handler
		fallbacks []signatures.Fallback
		want      Service
	}{
		"the first that knows": {script("S: 220 ready\nC: *\nS: 500 no\n"), []signatures.Fallback{&fixed{}, sparrow, &fixed{Protocol: "smtp", Product: "Wrend"}},
			Service{Protocol: "smtp", Role: "proxy", Product: "Sparrowd", Version: "1", Hostname: "guessed", Confidence: 6, Signature: "test:Sparrowd"}},
		"a signature is better": {daemon(t, "exim"), []signatures.Fallback{sparrow},
			Service{Protocol: "smtp", Role: "mta", Product: "Exim", Confidence: 9}},
		"another protocol": {script("S: * OK ready\nC: *\nS: {tag} BAD no\n"), []signatures.Fallback{sparrow},
			Service{Protocol: "imap", Role: "imap", Confidence: 5, Signature: "imap"}},
		"the same protocol": {script("S: * OK ready\nC: *\nS: {tag} BAD no\n"), []signatures.Fallback{&fixed{Protocol: "imap", Role: "imap-proxy", Product: "Wrend"}},
			Service{Protocol: "imap", Role: "imap", Product: "Wrend", Confidence: 6, Signature: "test:Wrend"}},
		"no mail": {mailtest.Banner{Text: "SSH-2.0-x\r\n"}, []signatures.Fallback{sparrow},
			Service{Protocol: "ssh", Role: "not-mail"}},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, c.handler)
			id := &Identifier{Signatures: set, Fallbacks: c.fallbacks, Dial: n.Dial}
			svc, err := id.Identify(t.Context(), scan.Result{Target: server.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			w := c.want
			if svc.Protocol != w.Protocol || svc.Role != w.Role || svc.Product != w.Product ||
				w.Signature != "" && (svc.Signature != w.Signature || svc.Confidence != w.Confidence || svc.Version != w.Version || svc.Hostname != w.Hostname) {
				t.Errorf("service is %+v, want %+v", svc, w)
			}
			if w.Product == "Sparrowd" && (svc.Method != "probed" || len(svc.CPEs) != 1 || svc.Evidence[len(svc.Evidence)-1].Shows != "matches test:Sparrowd") {
				t.Errorf("method %q, CPEs %v, evidence %+v", svc.Method, svc.CPEs, svc.Evidence)
			}
		})
	}
}
