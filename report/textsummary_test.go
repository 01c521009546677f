package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// TestTextSummary checks that a report with many findings begins with a table of
// the rules, and a short one has none.
func TestTextSummary(t *testing.T) {
	text := string(write(t, "text", format.Options{}, realRun(t, 33, 31)))
	head, _, _ := strings.Cut(text, "192.0.2.1")
	if !regexp.MustCompile(`(?m)^Severity +Rule +Findings +Hosts +Problem$`).MatchString(head) {
		t.Errorf("the report begins without a table:\n%.1500s", text)
	}
	if n := len(regexp.MustCompile(`(?m)^[A-Z]+ +MXS\d+ +33 +33 +\S`).FindAllString(head, -1)); n != 31 {
		t.Errorf("the table has %d rules with 33 findings on 33 hosts, want 31", n)
	}
	if few := string(write(t, "text", format.Options{}, realRun(t, 1, 31))); strings.Contains(few, "Problem") {
		t.Error("a report of 31 findings has a table")
	}
}

// TestLoopback checks that the head of a report says from which vantage point
// loopback was judged.
func TestLoopback(t *testing.T) {
	for _, tt := range []struct{ IP, run, finding, want string }{
		{"127.0.0.1", "internet", "host", "vantage internet (loopback addresses as host)"},
		{"127.0.0.1", "internet", "internet", "vantage internet (127.0.0.1 stands for a public address)"},
		{"127.0.0.1", "host", "host", "vantage host, "},
		{"127.0.0.1", "lan+host", "host", "vantage lan+host, "},
		{"192.0.2.1", "internet", "host", "vantage internet, "},
	} {
		run := realRun(t, 1, 1)
		run.Run.Vantage = tt.run
		run.Ports[0].IP = netip.MustParseAddr(tt.IP)
		run.Findings[0].IP, run.Findings[0].Vantage = run.Ports[0].IP, tt.finding
		for _, form := range []string{"text", "markdown"} {
			if text := strings.Join(strings.Fields(string(write(t, form, format.Options{}, run))), " "); !strings.Contains(text, tt.want) {
				t.Errorf("%s of %s from %s, finding from %s: no %q in\n%.900s", form, tt.IP, tt.run, tt.finding, tt.want, text)
			}
		}
	}
}

// TestLoopbackOfKnown checks the same if no finding is shown, because all are
// known, accepted or omitted.
func TestLoopbackOfKnown(t *testing.T) {
	for name, change := range map[string]func(*result.Finding){
		"unchanged": func(f *result.Finding) { f.Drift = result.DriftUnchanged },
		"accepted":  func(f *result.Finding) { f.Status = result.StatusAccepted },
	} {
		run := realRun(t, 1, 1)
		run.Ports[0].IP = netip.MustParseAddr("127.0.0.1")
		run.Findings[0].IP, run.Findings[0].Vantage = run.Ports[0].IP, "internet"
		change(&run.Findings[0])
		text := strings.Join(strings.Fields(string(write(t, "text", format.Options{Only: format.OnlyNew}, run))), " ")
		if !strings.Contains(text, "(127.0.0.1 stands for a public address)") {
			t.Errorf("%s: not said in\n%.900s", name, text)
		}
	}
}

// TestCommandsOfSaved checks that a report names the saved run, or how to save
// one if there is none.
func TestCommandsOfSaved(t *testing.T) {
	for saved, want := range map[string]string{
		"":             "save the run (`-o text -o json=run.json`), then `mxsweep fix --plan run.json`",
		"out/run.json": "for the commands: `mxsweep fix --plan out/run.json`",
		"my run.json":  "for the commands: `mxsweep fix --plan 'my run.json'`",
		"-":            "for the commands: `mxsweep fix --plan -`",
	} {
		run := realRun(t, 1, 1)
		run.Findings[0].Fixes = []string{"amavis-bind"}
		if text := strings.Join(strings.Fields(string(write(t, "text", format.Options{Saved: saved}, run))), " "); !strings.Contains(text, want) {
			t.Errorf("%q: no %q in\n%.1200s", saved, want, text)
		}
	}
}

// TestEvidenceIsChosen checks that evidence is omitted, brief or complete as
// selected.
func TestEvidenceIsChosen(t *testing.T) {
	run := realRun(t, 1, 2)
	for evidence, want := range map[string]struct{ saw, details int }{
		format.EvidenceNone: {0, 0}, format.EvidenceSummary: {2, 2}, format.EvidenceFull: {4, 2},
	} {
		o := format.Options{Evidence: evidence}
		if n := strings.Count(string(write(t, "text", o, run)), "      saw  "); n != want.saw {
			t.Errorf("%s: text tells %d things seen, want %d", evidence, n, want.saw)
		}
		page := string(write(t, "html", o, run))
		if n := strings.Count(page, "<summary>Evidence</summary>"); n != want.details || !strings.Contains(page, `<body class="evidence-`+evidence+`"`) {
			t.Errorf("%s: html has %d pieces of evidence, want %d", evidence, n, want.details)
		}
	}
}

// TestTitlePage checks that the texts of the title page are on the first page,
// literally.
func TestTitlePage(t *testing.T) {
	o := format.Options{Title: format.TitlePage{Title: "Audit <1>", Client: "Example & Co", Engagement: "E-7", Author: "A. Auditor", Classification: "confidential"}}
	page := string(write(t, "html", o, realRun(t, 1, 1)))
	header, _, _ := strings.Cut(page, "</header>")
	for _, want := range []string{
		"<h1>Audit &lt;1&gt;</h1>", "<dt>Client</dt><dd>Example &amp; Co</dd>", "<dt>Engagement</dt><dd>E-7</dd>",
		"<dt>Author</dt><dd>A. Auditor</dd>", `<p class="classification">confidential</p>`,
	} {
		if !strings.Contains(header, want) {
			t.Errorf("the first page lacks %s", want)
		}
	}
	for _, want := range []string{"<h4>Impact</h4>", "<h5>How to fix</h5>", "Scores and terms", "9.0 to 10.0"} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %s", want)
		}
	}
}

// TestChangesAndSilentHosts checks that a page lists changes since the baseline,
// and clean and silent hosts.
func TestChangesAndSilentHosts(t *testing.T) {
	run := realRun(t, 1, 2)
	run.Run.Baseline = &result.BaselineInfo{Comparable: true}
	run.Findings[1].Drift = result.DriftFixed
	run.Ports = append(run.Ports,
		result.Port{IP: netip.MustParseAddr("192.0.2.200"), Port: 25, Protocol: "tcp", State: result.StateClosed},
		result.Port{IP: netip.MustParseAddr("192.0.2.201"), Port: 25, Protocol: "tcp", State: result.StateFiltered})
	page := string(write(t, "html", format.Options{}, run))
	_, changes, _ := strings.Cut(page, `<h2 id="changes">`)
	for _, want := range []string{"<dt>1 new</dt>", "<dt>1 fixed</dt>"} {
		if !strings.Contains(changes, want) {
			t.Errorf("the changes lack %s", want)
		}
	}
	_, quiet, _ := strings.Cut(page, `<h2 id="quiet">`)
	clean, silent := strings.Index(quiet, "192.0.2.200"), strings.Index(quiet, "192.0.2.201")
	if clean < 0 || silent < clean || !strings.Contains(quiet, "Silent") {
		t.Errorf("the hosts without a finding are not listed: %.600s", quiet)
	}
}

// TestScannedHostsAreListed checks that hosts without reported ports are listed,
// if the run has the probed addresses and those that were up.
func TestScannedHostsAreListed(t *testing.T) {
	quiet := func(scope []string, c result.Coverage) string {
		run := realRun(t, 1, 1) // a finding on 192.0.2.1
		run.Run.Scope.Asked = scope
		var out bytes.Buffer
		w, err := New("html", &out, format.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Start(run.Tool, run.Run), w.Port(run.Ports[0]), w.Finding(run.Findings[0]),
			w.End(run.Run, result.Summary{Complete: true, Gate: result.GateFail, Coverage: c})); err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(out.String(), `<h2 id="quiet">`)
		text, _, _ = strings.Cut(text, "</section>")
		return text
	}
	scope := []string{"192.0.2.1-192.0.2.9", "mx.example.org"}
	for _, c := range []struct {
		name  string
		scope []string
		seen  result.Coverage
		want  []string
	}{
		{"whole run", scope, result.Coverage{HostsUp: 3, HostsSilent: 6, Up: []string{"192.0.2.1", "192.0.2.3-192.0.2.4"}}, []string{
			`No findings: answered on at least one port (2)</dt><dd class="mono">192.0.2.3-192.0.2.4<`,
			`Silent: nothing answered (6)</dt><dd class="mono">192.0.2.2, 192.0.2.5-192.0.2.9<`,
		}},
		{"vacant ones", scope, result.Coverage{HostsUp: 3, Up: []string{"192.0.2.1", "192.0.2.3-192.0.2.4"}, CoverageCounts: &result.CoverageCounts{Vacant: 6}}, []string{
			`Vacant: nothing answered, while others did (6)</dt>`,
		}},
		{"silent and vacant ones", scope, result.Coverage{HostsUp: 3, HostsSilent: 2, Up: []string{"192.0.2.1", "192.0.2.3-192.0.2.4"}, CoverageCounts: &result.CoverageCounts{Vacant: 4}}, []string{
			`Silent or vacant: nothing answered (6)</dt>`,
		}},
		{"part of it", scope, result.Coverage{HostsUp: 1, HostsSilent: 2, Up: []string{"192.0.2.1"}}, []string{
			`Silent, or not probed in this run (8)</dt>`,
		}},
		{"nothing told", scope, result.Coverage{HostsUp: 3, HostsSilent: 6}, nil},
		{"nothing asked", nil, result.Coverage{HostsUp: 1, Up: []string{"192.0.2.1"}}, nil},
	} {
		text := quiet(c.scope, c.seen)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the hosts without a finding lack %s: %s", c.name, want, text)
			}
		}
		if c.want == nil && text != "" {
			t.Errorf("%s: hosts are listed of which the run tells nothing: %s", c.name, text)
		}
	}
}

// TestCleanHosts checks that a host is called clean only if all its probed ports
// are known and none of its findings is accepted.
func TestCleanHosts(t *testing.T) {
	run := realRun(t, 1, 2)
	for i := range run.Findings {
		run.Findings[i].Status = result.StatusAccepted
	}
	at := func(last string, state result.State, s *result.Service) result.Port {
		return result.Port{IP: netip.MustParseAddr("198.51.100." + last), Port: 10025, Protocol: "tcp", State: state, Service: s}
	}
	run.Ports = append(run.Ports, at("1", result.StateClosed, nil), at("2", result.StateOpen, &result.Service{Name: "smtp"}),
		at("3", result.StateOpen, &result.Service{Inconclusive: "no-reply"}), at("4", result.StateUnknown, nil), at("5", result.StateUnknown, nil))
	last := &run.Ports[len(run.Ports)-1]
	last.Port, last.State = 25, result.StateClosed
	last.IP = netip.MustParseAddr("198.51.100.4")
	page := string(write(t, "html", format.Options{}, run))
	_, quiet, _ := strings.Cut(page, `<h2 id="quiet">`)
	quiet, _, _ = strings.Cut(quiet, "</section>")
	for _, want := range []string{
		`No findings: answered on at least one port (2)</dt><dd class="mono">198.51.100.1-198.51.100.2<`,
		`Answered; no finding, but some ports are unknown (2)</dt><dd class="mono">198.51.100.3-198.51.100.4<`,
	} {
		if !strings.Contains(quiet, want) {
			t.Errorf("the hosts without a finding lack %s: %s", want, quiet)
		}
	}
	if strings.Contains(quiet, run.Findings[0].IP.String()) {
		t.Errorf("%s has a finding that is accepted: %s", run.Findings[0].IP, quiet)
	}
}

// TestCSVExplains checks that a row says why the finding matters and what to
// read.
func TestCSVExplains(t *testing.T) {
	run := realRun(t, 1, 1)
	run.Findings[0].References = []string{"https://example.org/a", "https://example.org/b"}
	run.Findings[0].CWE = []int{1327, 668}
	rows, err := csv.NewReader(strings.NewReader(string(write(t, "csv", format.Options{}, run)))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	row := map[string]string{}
	for i, name := range rows[0] {
		row[name] = rows[1][i]
	}
	if row["why"] == "" || row["cwe"] != "CWE-1327 CWE-668" || row["references"] != "https://example.org/a https://example.org/b" {
		t.Errorf("why %q, cwe %q, references %q", row["why"], row["cwe"], row["references"])
	}
}

// TestNoPlaceholderIsLeft checks that no report shows the placeholder of the
// port.
func TestNoPlaceholderIsLeft(t *testing.T) {
	run := realRun(t, 1, 31)
	for _, form := range Formats() {
		if text := string(write(t, form, format.Options{}, run)); strings.Contains(text, "{port}") {
			t.Errorf("%s shows {port}", form)
		}
	}
	if text := string(write(t, "markdown", format.Options{}, run)); strings.Contains(text, fix.AnyPort) {
		t.Errorf("markdown shows %s where each rule was found on one port", fix.AnyPort)
	}
	two := realRun(t, 2, 1)
	two.Ports[1].Port, two.Findings[1].Port = 10999, 10999
	want := fmt.Sprintf("%s is %d or 10999.", fix.AnyPort, two.Findings[0].Port)
	if text := string(write(t, "markdown", format.Options{}, two)); !strings.Contains(text, want) {
		t.Errorf("markdown lacks %q", want)
	}
}
