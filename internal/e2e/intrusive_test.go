//go:build linux

package e2e

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/run"
)

// relays is the rule that a proven relay breaks.
const relays = "MXS1003"

// injects is the rule that a server breaks which executes inside TLS what came before it.
const injects = "MXS1414"

// TestIntrusive shows what --intrusive adds and what it leaves: it proves
// that DKIMproxy makes a relay of a Postfix that refuses strangers, names
// SQLgrey, and sends no mail.
func TestIntrusive(t *testing.T) {
	n := hosts(t)
	exposed, signer := n.hosts["exposed"], n.hosts["signer"]
	since := map[*host]int64{exposed: size(exposed, mailLog), signer: size(signer, mailLog)}

	doc, code := sweep(t, run.Options{Intrusive: true, Ports: []string{"25,587,2501,10025,10027,10028"},
		Targets: []string{address4(11), address4(15), address4(18)}})
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if !broken(doc, relays, address4(18), 10027) {
		t.Errorf("DKIMproxy before a Postfix that trusts its host is not found to relay: %+v", doc.findings(address4(18), 10027))
	}
	if p := doc.port(address4(11), 25); p == nil || p.TLS == nil {
		t.Errorf("port 25: %+v, want TLS: nothing was injected", p)
	}
	for _, port := range []int{25, 587, 10028} {
		if broken(doc, relays, address4(11), port) {
			t.Errorf("port %d is said to relay, and refuses strangers", port)
		}
		if broken(doc, injects, address4(11), port) {
			t.Errorf("port %d is said to execute inside TLS what came before it", port)
		}
	}
	if p := doc.port(address4(15), 2501); p == nil || p.Service.Product != "SQLgrey" {
		t.Errorf("port 2501: %+v, want SQLgrey", p)
	}

	for h, offset := range since {
		if left := mail(t, h); len(left) > 0 {
			t.Errorf("%s: mail in the queue: %q", h.name, left)
		}
		for line := range strings.Lines(tail(t, h, mailLog, offset)) {
			if strings.Contains(line, "status=") || strings.Contains(line, "message-id=") {
				t.Errorf("%s: a mail came in: %q", h.name, line)
			}
		}
	}
}

// broken reports whether a port breaks a rule.
func broken(doc *document, rule, ip string, port int) bool {
	return slices.ContainsFunc(doc.findings(ip, port), func(f findingRecord) bool { return f.Rule == rule })
}

// mail lists the files in the folders of Postfix's queue.
func mail(t *testing.T, h *host) []string {
	t.Helper()
	var list []string
	for _, folder := range queue {
		err := filepath.WalkDir(h.path(folder), func(name string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				list = append(list, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}
