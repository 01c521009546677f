package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// partialRun writes a run with too little coverage and no findings, or with
// findings that fail it as well.
func partialRun(t *testing.T, form string, findings int) []byte {
	t.Helper()
	c := hugeRun(findings, 1)
	var out bytes.Buffer
	w, err := New(form, &out, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := result.Summary{Complete: true, Incomplete: true, Gate: result.GateIncomplete, ExitCode: 4, FailOn: "any:high"}
	if findings > 0 {
		s.Gate, s.ExitCode = result.GateFail, 1
	}
	s.Coverage = result.Coverage{Planned: 100, Answered: 40, Ratio: 0.4, HostsUp: 1, HostsSilent: 1}
	if err := w.Start(c.Tool, c.Run); err != nil {
		t.Fatal(err)
	}
	for i := range c.Findings {
		s.Count(c.Findings[i])
		if err := w.Finding(c.Findings[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(c.Run, s); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestIncompleteIsNotClean checks that no format presents a run with too little
// coverage as one without findings.
func TestIncompleteIsNotClean(t *testing.T) {
	says := map[string]string{
		"text":       "INCOMPLETE  the coverage is too low",
		"json":       `"gate": "incomplete"`,
		"jsonl":      `"gate":"incomplete"`,
		"sarif":      `"executionSuccessful":false`,
		"nmap-xml":   `exit="error" errormsg="incomplete: `,
		"junit":      `<error type="incomplete"`,
		"csv":        "The coverage is too low to rule out an exposure.",
		"markdown":   "## ⚠️ Incomplete",
		"html":       "No unwanted exposure was found, but this result is not reliable.",
		"gitlab":     `"check_name": "mxsweep-incomplete"`,
		"defectdojo": "the coverage is too low",
		"prometheus": "\nmxsweep_run_incomplete{scope=\"huge\",vantage=\"internet\"} 1\n",
		"github":     "::error title=mxsweep incomplete::",
	}
	for _, form := range Formats() {
		t.Run(form, func(t *testing.T) {
			doc := partialRun(t, form, 0)
			if says[form] == "" {
				t.Fatalf("%s: add to says the words by which it marks an incomplete run", form)
			}
			if !strings.Contains(strings.ToLower(string(doc)), strings.ToLower(says[form])) {
				t.Errorf("%q is not said:\n%s", says[form], doc)
			}
			if bytes.Contains(doc, []byte("invalid IP")) {
				t.Error("what is said of the run as a whole has an address")
			}
			if bytes.Contains(doc, []byte("there are no notices about the run")) {
				t.Error("the report has no notices")
			}
			checkFormat(t, form, pad(form, doc))
		})
	}
}

// pad extends a document for [checkFormat], which counts lines and rows of a run
// with two findings.
func pad(form string, doc []byte) []byte {
	switch form {
	case "csv":
		return append(doc[:len(doc):len(doc)], doc[bytes.LastIndexByte(doc[:len(doc)-1], '\n')+1:]...)
	case "github":
		return bytes.Repeat(doc, 3)
	case "html":
		return append(doc[:len(doc):len(doc)], "<script></script>"...)
	}
	return doc
}

// TestFailingMayBeIncomplete checks that too little coverage is reported even if
// findings fail the run.
func TestFailingMayBeIncomplete(t *testing.T) {
	for form, want := range map[string]string{
		"sarif":    `"executionSuccessful":false`,
		"junit":    `<error type="fail"`,
		"nmap-xml": `exit="error"`,
		"gitlab":   `"check_name": "mxsweep-incomplete"`,
		"text":     "the coverage is too low to rule out more",
		"markdown": "the coverage is too low to rule out more",
		"json":     `"incomplete": true`,
	} {
		doc := strings.Join(strings.Fields(string(partialRun(t, form, 1))), " ")
		if !strings.Contains(doc, want) {
			t.Errorf("%s: %q is not said:\n%s", form, want, doc)
		}
	}
	xmlDoc := partialRun(t, "nmap-xml", 1)
	if err := xml.Unmarshal(xmlDoc, new(struct{})); err != nil {
		t.Error(err)
	}
	xmllint(t, xmlDoc, "--dtdvalid", fixture(t, "nmap.dtd"))
}

// TestUnverifiedIsKept checks that unverified findings are open in the formats
// that programs import.
func TestUnverifiedIsKept(t *testing.T) {
	run := func() *view.Collector {
		c := hugeRun(1, 1)
		c.Ports = nil
		c.Findings[0].Drift, c.Findings[0].Verdict = result.DriftUnverified, result.VerdictWarn
		return c
	}
	var log lintLog
	if err := json.Unmarshal(write(t, "sarif", format.Options{}, run()), &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs[0].Results) != 1 || log.Runs[0].Results[0].BaselineState != "unchanged" {
		t.Errorf("sarif: results are %+v", log.Runs[0].Results)
	}
	var issues []gitlabIssue
	if err := json.Unmarshal(write(t, "gitlab", format.Options{}, run()), &issues); err != nil {
		t.Fatal(err)
	}
	if len(issues) != 1 {
		t.Errorf("gitlab: issues are %+v", issues)
	}
	var dojo struct{ Findings []dojoFinding }
	if err := json.Unmarshal(write(t, "defectdojo", format.Options{}, run()), &dojo); err != nil {
		t.Fatal(err)
	}
	if f := dojo.Findings; len(f) != 1 || !f[0].Active || f[0].IsMitigated || f[0].Verified {
		t.Errorf("defectdojo: findings are %+v", f)
	}
}

// TestCategory checks that runs whose alerts must not close each other's have
// different categories, independent of the time.
func TestCategory(t *testing.T) {
	run := func(name, targets, vantage, shard string) result.Run {
		r := hugeRun(0, 0).Run
		r.Scope.Name, r.Scope.TargetsSHA256, r.Vantage, r.Shard = name, targets, vantage, shard
		return r
	}
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	tests := []struct {
		run  result.Run
		want string
	}{
		{run("scope.txt", "", "internet", ""), "mxsweep/scope.txt/internet"},
		{run("scope.txt", "", "lan", ""), "mxsweep/scope.txt/lan"},
		{run("scope.txt", "", "dmz/a", "2/3"), "mxsweep/scope.txt/dmz-a/shard-2-of-3"},
		{run("command-line", a, "internet", ""), "mxsweep/command-line-aaaaaaaa/internet"},
		{run("command-line", b, "internet", ""), "mxsweep/command-line-bbbbbbbb/internet"},
		{run("", "", "", ""), "mxsweep/run"},
	}
	for _, tt := range tests {
		var log lintLog
		c := hugeRun(0, 0)
		c.Run = tt.run
		if err := json.Unmarshal(write(t, "sarif", format.Options{}, c), &log); err != nil {
			t.Fatal(err)
		}
		id := log.Runs[0].AutomationDetails.ID
		if got := id[:strings.LastIndexByte(id, '/')]; got != tt.want {
			t.Errorf("category is %q, want %q", got, tt.want)
		}
	}
}
