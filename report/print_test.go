package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// realRun returns a run of hosts that each break the first built-in rules, with
// all texts and fixes.
func realRun(t *testing.T, hosts, each int) *view.Collector {
	t.Helper()
	set, err := exposure.Builtin()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	rules := set.All()
	if len(rules) < each {
		t.Fatalf("only %d rules", len(rules))
	}
	rules = rules[:each]
	start := result.NewTime(time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC))
	c := &view.Collector{Tool: result.Tool{Name: "mxsweep", Version: "0.1.0"}, Run: sampleRun(start)}
	for _, r := range rules {
		c.Run.Rules = append(c.Run.Rules, r.Info())
	}
	for h := range hosts {
		addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(h + 1)})
		for i, r := range rules {
			port := hugePort(addr, uint16(10001+i), h)
			at := netip.AddrPortFrom(addr, port.Port)
			product := ""
			if fixes := r.Fixes.Known(); len(fixes) > 0 {
				product = fixes[0].Products[0]
			}
			port.Service.Product = product
			for n := range 3 {
				port.Service.Evidence = append(port.Service.Evidence, result.Evidence{Probe: fmt.Sprint("probe-", n), Sent: `EHLO scanner\r\n`, Observed: strings.Repeat(`250-mx.example.org\r\n`, 9), Shows: "what it offers"})
			}
			f := hugeFinding(addr, port.Port, h, c.Run.Rules[i])
			advice := r.Fixes.For(product, "", nil, at, "internet")
			f.Remediation, f.Fixes = advice.Text, advice.Fixes
			f.Evidence = []string{"spoke SMTP as Postfix does", `sent "EHLO scanner", got "` + strings.Repeat("250-mx ", 15) + `"`}
			c.Ports, c.Findings = append(c.Ports, port), append(c.Findings, f)
		}
	}
	return c
}

// TestPrintInBrowser prints a report with few and with many findings: the PDF
// must be short enough to read.
func TestPrintInBrowser(t *testing.T) {
	b := openBrowser(t)
	for _, c := range []struct{ hosts, findings, most int }{{1, 31, 12}, {33, 1023, 120}} {
		run := realRun(t, c.hosts, 31)
		if len(run.Findings) != c.findings {
			t.Fatalf("%d findings, want %d", len(run.Findings), c.findings)
		}
		file := filepath.Join(t.TempDir(), "report.html")
		if err := os.WriteFile(file, write(t, "html", format.Options{}, run), 0o600); err != nil {
			t.Fatal(err)
		}
		b.show(1000, "light", "print")
		b.load(file)
		name := fmt.Sprintf("print-%d.pdf", c.findings)
		pages := bytes.Count(b.pdf(name), []byte("/Type /Page\n"))
		t.Logf("%s: %d pages", name, pages)
		if pages < 2 || pages > c.most {
			t.Errorf("%d findings take %d pages, want at most %d", c.findings, pages, c.most)
		}
	}
}

// pdf prints the page as a PDF without compressed objects.
func (b *browser) pdf(name string) []byte {
	b.t.Helper()
	var r struct{ Data string }
	if err := json.Unmarshal(b.call("Page.printToPDF", args{"printBackground": false, "preferCSSPageSize": true}), &r); err != nil {
		b.t.Fatal(err)
	}
	pdf, err := base64.StdEncoding.DecodeString(r.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	b.keep(name, pdf)
	return pdf
}
