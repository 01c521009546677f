package fingerprint

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// importedSignatures identify daemons that do not exist, and Exim by another
// name.
const importedSignatures = `
imported: nmap
signatures:
  - {id: wren, product: Wrend, protocol: smtp, role: proxy, confidence: 3, source: made up, when: [{greeting: 'ready'}]}
  - id: sparrow
    product: Sparrowd
    protocol: smtp
    role: proxy
    confidence: 4
    source: made up
    when: [{greeting: '^220 (?P<hostname>\S+) ready (?P<version>\d)'}]
    cpe: 'cpe:2.3:a:aviary:sparrowd:{version}:*:*:*:*:*:*:*'
    constants: {os_type: Plan 9}
  - {id: robin, product: Robind, protocol: imap, role: imap-proxy, confidence: 4, source: made up, when: [{probe: imap-id, reply: ' BAD no'}]}
  - {id: my-mail, product: Not Exim, protocol: smtp, role: proxy, confidence: 4, source: made up, when: [{greeting: '^220 .*Exim'}]}
  - {id: my-ssh, product: Not SSH, protocol: ssh, role: mta, confidence: 4, source: made up, when: [{greeting: '^SSH'}]}
`

// TestImported checks that imported signatures are used only if no other
// identifies a product.
func TestImported(t *testing.T) {
	set, err := signatures.Load(signatures.Builtin(), signatures.Source{Name: "my", FS: fstest.MapFS{"a.yaml": {Data: []byte(importedSignatures)}}})
	if err != nil {
		t.Fatal(err)
	}
	script := func(text string) mailtest.Handler {
		s, err := mailtest.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct {
		handler mailtest.Handler
		want    Identification
	}{
		"the surest": {script("S: 220 mx ready 1\nC: *\nS: 500 no\n"),
			Identification{Service: result.Service{Name: "smtp", Role: "proxy", Product: "Sparrowd", Version: "1", Hostname: "mx", OSType: "Plan 9", Confidence: 4, MatchedRule: "sparrow"}}},
		"another protocol": {script("S: * OK ready\nC: *\nS: {tag} NO no\n"),
			Identification{Service: result.Service{Name: "imap", Role: "imap", Confidence: 5, MatchedRule: "imap"}}},
		"a reply": {script("S: * OK ready\nC: *\nS: {tag} BAD no\n"),
			Identification{Service: result.Service{Name: "imap", Role: "imap", Product: "Robind", Confidence: 4, MatchedRule: "robin"}}},
		"another signature is better": {daemon(t, "exim"),
			Identification{Service: result.Service{Name: "smtp", Role: "mta", Product: "Exim", Confidence: 9, MatchedRule: "exim"}}},
		"no mail": {mailtest.Banner{Text: "SSH-2.0-x\r\n"},
			Identification{Service: result.Service{Name: "ssh", Role: "not-mail", Confidence: 9, MatchedRule: "ssh"}}},
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, c.handler)
			svc, err := (&Identifier{Signatures: set, Dial: n.Dial}).Identify(t.Context(), scan.Result{Target: server.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			w := c.want
			if svc.Name != w.Name || svc.Role != w.Role || svc.Product != w.Product || svc.Confidence != w.Confidence || svc.MatchedRule != w.MatchedRule ||
				svc.OSType != w.OSType || w.Version != "" && (svc.Version != w.Version || svc.Hostname != w.Hostname) {
				t.Errorf("service is %+v, want %+v", svc, w)
			}
			if w.Product == "Sparrowd" && (svc.Method != "probed" || len(svc.CPEs) != 1 || svc.CPEs[0] != "cpe:2.3:a:aviary:sparrowd:1:*:*:*:*:*:*:*") {
				t.Errorf("method %q, CPEs %v", svc.Method, svc.CPEs)
			}
		})
	}
}

// TestImportedSendsNothing checks that a probe that only imported signatures need
// is not sent.
func TestImportedSendsNothing(t *testing.T) {
	const probe = "probes: [{id: my-probe, why: test, after: [{greeting: '^220 '}], send: \"NOOP\\r\\n\", read: {until: reply, wait: 1s}, safety: safe}]"
	const signature = "signatures: [{id: x, product: X, protocol: smtp, role: mta, confidence: 4, source: x, when: [{probe: my-probe, reply: x}]%s}]"
	asked := func(name, text string) (asked bool) {
		files := fstest.MapFS{"probes.yaml": {Data: []byte(probe)}, "a.yaml": {Data: []byte(text)}}
		set, err := signatures.Load(signatures.Builtin(), signatures.Source{Name: "my", FS: files})
		if err != nil {
			t.Fatal(err)
		}
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			server := n.Serve(t, mailtest.Banner{Text: "220 mx\r\n"})
			svc, err := (&Identifier{Signatures: set, Dial: n.Dial}).Identify(t.Context(), scan.Result{Target: server.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			asked = svc.Transcript.Find("my-probe") != nil
		})
		return asked
	}
	if asked("imported", "imported: nmap\n"+fmt.Sprintf(signature, "")) {
		t.Error("a probe was sent for an imported signature")
	}
	if !asked("own", fmt.Sprintf(signature, ", examples: [{seen: {my-probe: x}}]")) {
		t.Error("the probe is not asked for another signature: the test shows nothing")
	}
}
