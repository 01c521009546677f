//go:build linux

package nameservers

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report/mailhosts"
)

// manyDomains is how many domains many.test has.
const manyDomains = 1000

// manyRecords are domains of the usual kind: of their own MX, or of one of a few providers.
func manyRecords() string {
	var b strings.Builder
	for i := range 5 {
		fmt.Fprintf(&b, "mx1.p%d A 198.51.100.%d\nmx2.p%d A 198.51.100.%d\n", i, 2*i, i, 2*i+1)
		fmt.Fprintf(&b, "_spf.p%d TXT \"v=spf1 include:_a.p%d.many.test include:_b.p%d.many.test -all\"\n", i, i, i)
		fmt.Fprintf(&b, "_a.p%d TXT \"v=spf1 ip4:198.51.100.0/26 -all\"\n_b.p%d TXT \"v=spf1 ip4:198.51.100.64/26 -all\"\n", i, i)
	}
	for i := range manyDomains {
		p := i % 5
		fmt.Fprintf(&b, "$ORIGIN d%d.many.test.\n@ A 203.0.113.9\n_dmarc TXT \"v=DMARC1; p=none\"\n", i)
		fmt.Fprintf(&b, "_imaps._tcp SRV 0 1 993 imap\nimap A 203.0.113.%d\n", i%250)
		if i%2 == 0 {
			fmt.Fprintf(&b, "@ MX 10 mx1.p%d.many.test.\n@ MX 20 mx2.p%d.many.test.\n@ TXT \"v=spf1 include:_spf.p%d.many.test -all\"\n", p, p, p)
		} else {
			fmt.Fprintf(&b, "@ MX 10 mx\nmx A 203.0.113.%d\n@ TXT \"v=spf1 mx a include:_spf.p%d.many.test -all\"\n", i%250, p)
		}
	}
	return b.String()
}

// BenchmarkDomains looks up 1,000 domains with the command, of which a fresh Unbound knows none at
// first.
func BenchmarkDomains(b *testing.B) {
	r := servers(b)
	list := filepath.Join(r.dir, "many.txt")
	var names strings.Builder
	for i := range manyDomains {
		fmt.Fprintf(&names, "d%d.many.test\n", i)
	}
	if err := os.WriteFile(list, []byte(names.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		before := r.statistics(b)
		out, err := exec.Command(r.command, "domain", "--resolver", resolver, "-i", list, "-o", "json", "-q").Output()
		if err != nil {
			b.Fatal(err)
		}
		after := r.statistics(b)
		var report mailhosts.Report
		if err := json.Unmarshal(out, &report); err != nil || !report.Complete || len(report.Domains) != manyDomains {
			b.Fatalf("%v, %d domains, complete %t", err, len(report.Domains), report.Complete)
		}
		asked := 0
		for _, d := range report.Domains {
			asked += d.Questions
		}
		sent := after["total.num.queries"] - before["total.num.queries"]
		b.ReportMetric(float64(asked)/manyDomains, "questions/domain")
		b.ReportMetric(sent/manyDomains, "queries/domain")
		b.ReportMetric(100*(1-sent/float64(asked)), "%cached")
		b.ReportMetric(100*(after["total.num.cachehits"]-before["total.num.cachehits"])/sent, "%resolver-cached")
	}
}

// statistics are the counters of Unbound.
func (r *running) statistics(t testing.TB) map[string]float64 {
	t.Helper()
	out, err := r.output("unbound", "unbound-control", "-c", "conf", "stats_noreset")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			all[name] = n
		}
	}
	return all
}
