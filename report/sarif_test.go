package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/redact"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/sarif"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

func TestSARIF(t *testing.T) {
	for _, profile := range []string{format.ProfileCI, format.ProfileFull} {
		t.Run(profile, func(t *testing.T) {
			got := convert(t, "run.json", "sarif", format.Options{SARIF: format.SARIFOptions{Profile: profile}})
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, got, "", "  "); err != nil {
				t.Fatal(err)
			}
			golden(t, "run-"+profile+".sarif", pretty.Bytes())
			for _, problem := range lintSARIF(got) {
				t.Error(problem)
			}
		})
	}
}

// TestSARIFSchema checks both profiles, an empty run and a huge one against
// the schema of OASIS.
func TestSARIFSchema(t *testing.T) {
	s := compile(t, shared(t, "fixtures/sarif-schema-2.1.0.json"))
	obey(t, s, convert(t, "run.json", "sarif", format.Options{SARIF: format.SARIFOptions{Profile: format.ProfileCI}}))
	obey(t, s, convert(t, "run.json", "sarif", format.Options{SARIF: format.SARIFOptions{Profile: format.ProfileFull}}))
	obey(t, s, write(t, "sarif", format.Options{}, &view.Collector{}))
	of := format.SARIFOptions{Revision: format.Revision{URI: "https://git.example.org/mail/gate.git", Commit: strings.Repeat("a", 40), Branch: "main"}}
	obey(t, s, convert(t, "run.json", "sarif", format.Options{SARIF: of}))
	obey(t, s, write(t, "sarif", format.Options{}, hugeRun(1200, 5)))
}

// TestSARIFRedaction checks that the redaction token of a redacted command line
// is declared.
func TestSARIFRedaction(t *testing.T) {
	for arg, want := range map[string]string{"--authorization=CHG-1": "null", "--token=" + redact.Mark: `["` + redact.Mark + `"]`} {
		c := hugeRun(0, 0)
		c.Run.Args = []string{"mxsweep", "scan", arg}
		var log struct {
			Runs []struct {
				RedactionTokens json.RawMessage `json:"redactionTokens"`
			} `json:"runs"`
		}
		if err := json.Unmarshal(write(t, "sarif", format.Options{}, c), &log); err != nil {
			t.Fatal(err)
		}
		if got := string(log.Runs[0].RedactionTokens); got != want && !(want == "null" && got == "") {
			t.Errorf("%s: tokens %s, want %s", arg, got, want)
		}
	}
}

// TestSARIFMultitool validates both profiles with Microsoft's validator, with the
// rules of the format and of GitHub.
func TestSARIFMultitool(t *testing.T) {
	path, err := exec.LookPath("sarif-multitool")
	if err != nil {
		t.Skip("sarif-multitool is not installed (npm: @microsoft/sarif-multitool)")
	}
	dir := t.TempDir()
	var files []string
	for _, profile := range []string{format.ProfileCI, format.ProfileFull} {
		file := filepath.Join(dir, profile+".sarif")
		of := format.Revision{URI: "https://git.example.org/mail/gate.git", Commit: strings.Repeat("a", 40), Branch: "main"}
		if err := os.WriteFile(file, convert(t, "run.json", "sarif", format.Options{SARIF: format.SARIFOptions{Profile: profile, Revision: of}}), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	for _, kind := range []string{"Sarif", "Ghas"} {
		cmd := exec.Command(path, slices.Concat([]string{"validate"}, files, []string{"--rule-kind", kind, "--level", "Error"})...)
		cmd.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("files scanned")) || bytes.Contains(out, []byte(": error ")) {
			t.Errorf("%s: %v\n%s", kind, err, out)
		}
	}
}

// TestSecuritySeverity checks that the score of a rule is not changed.
func TestSecuritySeverity(t *testing.T) {
	for _, s := range result.Severities()[:4] {
		lowest, highest := s.Scores()
		for _, score := range []float64{lowest, highest} {
			want := strconv.FormatFloat(score, 'f', 1, 64)
			if got := sarif.SecuritySeverity(&result.RuleInfo{Severity: s, Score: score}); got != want {
				t.Errorf("%v, score %v: got %q", s, score, got)
			}
		}
		if got := sarif.SecuritySeverity(&result.RuleInfo{Severity: s, Score: 0}); got == "" {
			t.Errorf("%v without a score has none", s)
		}
	}
	if got := sarif.SecuritySeverity(&result.RuleInfo{Severity: result.SeverityInfo}); got != "" {
		t.Errorf("info: got %q", got)
	}
}

// TestSARIFEmpty checks that a file is written without findings too, so that
// alerts close.
func TestSARIFEmpty(t *testing.T) {
	got := write(t, "sarif", format.Options{}, &view.Collector{})
	for _, problem := range lintSARIF(got) {
		t.Error(problem)
	}
	if !bytes.Contains(got, []byte(`"results":[]`)) || !bytes.Contains(got, []byte(`"rules":[]`)) {
		t.Errorf("no empty lists in %s", got)
	}
}

// TestSARIFProfiles checks that ci omits suppressed findings, and full marks
// them.
func TestSARIFProfiles(t *testing.T) {
	count := func(profile string) (results, suppressed, absent int) {
		var log lintLog
		if err := json.Unmarshal(convert(t, "run.json", "sarif", format.Options{SARIF: format.SARIFOptions{Profile: profile}}), &log); err != nil {
			t.Fatal(err)
		}
		for _, r := range log.Runs[0].Results {
			results++
			suppressed += len(r.Suppressions)
			if r.BaselineState == "absent" {
				absent++
			}
		}
		return
	}
	if r, s, a := count(format.ProfileCI); r != 6 || s != 0 || a != 0 {
		t.Errorf("ci: %d results, %d suppressed, %d absent; want 6, 0, 0", r, s, a)
	}
	if r, s, a := count(format.ProfileFull); r != 8 || s != 1 || a != 1 {
		t.Errorf("full: %d results, %d suppressed, %d absent; want 8, 1, 1", r, s, a)
	}
}

// TestSARIFAnchor checks that targets on the command line point at the fallback
// file.
func TestSARIFAnchor(t *testing.T) {
	c := hugeRun(1, 1)
	c.Findings[0].Anchor = nil
	for anchor, want := range map[string]string{"": "mxsweep.yaml", "ops/scope list.txt": "ops/scope%20list.txt"} {
		var log lintLog
		got := write(t, "sarif", format.Options{SARIF: format.SARIFOptions{Anchor: anchor}}, c)
		if err := json.Unmarshal(got, &log); err != nil {
			t.Fatal(err)
		}
		if uri := log.Runs[0].Results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI; uri != want {
			t.Errorf("anchor %q: uri is %q, want %q", anchor, uri, want)
		}
	}
}

// TestSARIFRolledUp checks that more findings than GitHub accepts become fewer
// results, and that the file says so.
func TestSARIFRolledUp(t *testing.T) {
	got := write(t, "sarif", format.Options{}, hugeRun(5000, 5))
	for _, problem := range lintSARIF(got) {
		t.Error(problem)
	}
	var log lintLog
	if err := json.Unmarshal(got, &log); err != nil {
		t.Fatal(err)
	}
	if n := len(log.Runs[0].Results); n == 0 || n > sarif.MaxResults {
		t.Errorf("%d results", n)
	}
	if len(got) > sarif.MaxBytes {
		t.Errorf("%d bytes", len(got))
	}
	if !bytes.Contains(got, []byte("25000 findings are rolled up into")) {
		t.Error("no notification says that results are rolled up")
	}
	sum := 0
	for _, r := range log.Runs[0].Results {
		sum += max(r.OccurrenceCount, 1)
	}
	if sum != 25000 {
		t.Errorf("the results stand for %d findings, want 25000", sum)
	}
}

// lintLog is the part of a SARIF file that the lint reads.
type lintLog struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Rules         []lintRule
				Notifications []struct{ ID string }
			}
		}
		Taxonomies []struct {
			Taxa []struct{ ID string }
		}
		Artifacts []struct {
			Location struct{ URI string }
		}
		AutomationDetails struct{ ID string }
		Invocations       []struct {
			ToolExecutionNotifications     []lintNotification
			ToolConfigurationNotifications []lintNotification
		}
		Results []lintResult
	}
}

type lintNotification struct {
	Descriptor struct {
		ID    string
		Index int
	}
}

type lintRule struct {
	ID                   string
	ShortDescription     struct{ Text string }
	FullDescription      struct{ Text string }
	Help                 struct{ Text, Markdown string }
	DefaultConfiguration struct{ Level string }
	Properties           struct {
		Tags             []string
		SecuritySeverity *string `json:"security-severity"`
	}
}

type lintLocation struct {
	ID               int
	PhysicalLocation struct {
		ArtifactLocation struct {
			URI       string
			URIBaseID string
			Index     int
		}
		Region struct{ StartLine, StartColumn, EndLine, EndColumn int }
	}
}

type lintResult struct {
	RuleID              string
	RuleIndex           int
	Kind, Level         string
	Message             struct{ Text string }
	Locations           []lintLocation
	RelatedLocations    []lintLocation
	PartialFingerprints map[string]string
	BaselineState       string
	OccurrenceCount     int
	Suppressions        []any
	Taxa                []struct {
		ID    string
		Index int
	}
	Properties struct{ Tags []string }
}

var (
	lintLevel = regexp.MustCompile(`^(none|note|warning|error)$`)
	lintHash  = regexp.MustCompile(`^[0-9a-f]+:[0-9]+$`)
	lintLink  = regexp.MustCompile(`(?:^|[^\\])\[[^\]]*\]\((\d+)\)`)
)

// lintSARIF checks GitHub's requirements beyond the schema.
func lintSARIF(text []byte) (problems []string) {
	bad := func(form string, args ...any) { problems = append(problems, fmt.Sprintf(form, args...)) }
	var log lintLog
	if err := json.Unmarshal(text, &log); err != nil {
		return []string{err.Error()}
	}
	if len(text) > sarif.MaxBytes {
		bad("%d bytes", len(text))
	}
	if len(log.Runs) != 1 {
		return append(problems, "not one run")
	}
	run := log.Runs[0]
	if !strings.Contains(strings.TrimSuffix(run.AutomationDetails.ID, "/"), "/") {
		bad("automationDetails.id %q has no category", run.AutomationDetails.ID)
	}
	seen := make(map[string]bool)
	for _, r := range run.Tool.Driver.Rules {
		if seen[r.ID] {
			bad("duplicate rule %s", r.ID)
		}
		seen[r.ID] = true
		lintSARIFRule(r, bad)
	}
	if len(run.Results) > 25000 {
		bad("%d results", len(run.Results))
	}
	prints := make(map[string]bool)
	for i, r := range run.Results {
		at := fmt.Sprintf("results[%d]", i)
		if r.RuleIndex < 0 || r.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			bad("%s: ruleIndex %d is not rule %s", at, r.RuleIndex, r.RuleID)
		}
		lintSARIFResult(at, r, bad)
		hash := r.PartialFingerprints["primaryLocationLineHash"]
		if !lintHash.MatchString(hash) || prints[hash] {
			bad("%s: primaryLocationLineHash %q is missing or not its own", at, hash)
		}
		prints[hash] = true
		for _, x := range r.Taxa {
			if x.Index >= len(run.Taxonomies[0].Taxa) || run.Taxonomies[0].Taxa[x.Index].ID != x.ID {
				bad("%s: taxon %s is not at index %d", at, x.ID, x.Index)
			}
		}
		for _, l := range append(r.Locations, r.RelatedLocations...) {
			a := l.PhysicalLocation.ArtifactLocation
			if a.Index >= len(run.Artifacts) || run.Artifacts[a.Index].Location.URI != a.URI {
				bad("%s: artifact %s is not at index %d", at, a.URI, a.Index)
			}
		}
	}
	for _, inv := range run.Invocations {
		for _, n := range append(inv.ToolExecutionNotifications, inv.ToolConfigurationNotifications...) {
			if d := n.Descriptor; d.Index >= len(run.Tool.Driver.Notifications) || run.Tool.Driver.Notifications[d.Index].ID != d.ID {
				bad("notification %s is not at index %d", d.ID, d.Index)
			}
		}
	}
	return problems
}

func lintSARIFRule(r lintRule, bad func(string, ...any)) {
	if r.ShortDescription.Text == "" || r.FullDescription.Text == "" || r.Help.Text == "" || r.Help.Markdown == "" {
		bad("rule %s: a description or the help is empty", r.ID)
	}
	if len(r.ShortDescription.Text) > 1024 || len(r.FullDescription.Text) > 1024 {
		bad("rule %s: a description is longer than 1024", r.ID)
	}
	if !lintLevel.MatchString(r.DefaultConfiguration.Level) {
		bad("rule %s: level %q", r.ID, r.DefaultConfiguration.Level)
	}
	if len(r.Properties.Tags) > 20 {
		bad("rule %s: %d tags", r.ID, len(r.Properties.Tags))
	}
	if s := r.Properties.SecuritySeverity; s != nil {
		if n, err := strconv.ParseFloat(*s, 64); err != nil || n <= 0 || n > 10 {
			bad("rule %s: security-severity %q", r.ID, *s)
		}
	}
}

func lintSARIFResult(at string, r lintResult, bad func(string, ...any)) {
	if !lintLevel.MatchString(r.Level) || r.Kind != "fail" {
		bad("%s: level %q, kind %q", at, r.Level, r.Kind)
	}
	if r.Message.Text == "" {
		bad("%s: no message", at)
	}
	if len(r.Locations) < 1 || len(r.Locations) > 10 {
		bad("%s: %d locations", at, len(r.Locations))
	}
	if len(r.Properties.Tags) > 20 {
		bad("%s: %d tags", at, len(r.Properties.Tags))
	}
	ids := make(map[string]bool)
	for _, l := range append(r.Locations, r.RelatedLocations...) {
		a := l.PhysicalLocation.ArtifactLocation
		u, err := url.Parse(a.URI)
		if err != nil || u.IsAbs() || u.Path == "" || !filepath.IsLocal(u.Path) || a.URIBaseID != "SRCROOT" {
			bad("%s: uri %q is not relative to SRCROOT", at, a.URI)
		}
		if g := l.PhysicalLocation.Region; g.StartLine < 1 || g.EndColumn != 0 && (g.EndColumn <= g.StartColumn || g.EndLine < g.StartLine) {
			bad("%s: region %+v", at, g)
		}
		ids[strconv.Itoa(l.ID)] = true
	}
	for _, m := range lintLink.FindAllStringSubmatch(r.Message.Text, -1) {
		if !ids[m[1]] {
			bad("%s: the message links to location %s, which is not there", at, m[1])
		}
	}
}
