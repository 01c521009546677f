package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// These tests check each format with a tool or the documentation of its
// consumers.

// runs returns the documents that a consumer must accept.
func runs(t *testing.T, form string) map[string][]byte {
	hostile := hugeRun(2, 2)
	const nasty = "=1+1\"'<&]]>|`%$\\x1b{{a}}\u00e9"
	hostile.Ports[0].Banner.Text = nasty
	hostile.Ports[0].Service.Product = nasty
	hostile.Findings[0].Title = nasty
	hostile.Findings[0].Host = nasty
	hostile.Findings[0].Evidence = []string{nasty}
	hostile.Findings[0].Remediation = nasty + "\n```\n" + nasty
	hostile.Run.Scope.Name = nasty
	hostile.Notices = []result.Notice{{Code: "MXS9001", Level: "warning", Message: nasty, Target: nasty}}
	return map[string][]byte{
		"run":     convert(t, "run.json", form, format.Options{}),
		"empty":   write(t, form, format.Options{}, &view.Collector{}),
		"hostile": write(t, form, format.Options{}, hostile),
		"large":   write(t, form, format.Options{}, hugeRun(300, 5)),
	}
}

// xmllint validates a document with libxml2, or skips where it is absent.
func xmllint(t *testing.T, doc []byte, args ...string) {
	t.Helper()
	path, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed (Debian: libxml2-utils)")
	}
	file := filepath.Join(t.TempDir(), "doc.xml")
	if err := os.WriteFile(file, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, append(args, "--noout", "--nonet", file)...).CombinedOutput()
	if err != nil {
		t.Errorf("xmllint %s: %v\n%.2000s", strings.Join(args, " "), err, out)
	}
}

// fixture returns the path of a file that is shared with other projects.
func fixture(t *testing.T, name string) string {
	t.Helper()
	shared(t, "fixtures/"+name)
	return filepath.Join("..", "..", "shared", "fixtures", name)
}

func TestJUnitSchemas(t *testing.T) {
	for _, xsd := range []string{"junit.xsd", "junit-jenkins-10.xsd"} {
		for name, doc := range runs(t, "junit") {
			t.Run(xsd+"/"+name, func(t *testing.T) { xmllint(t, doc, "--schema", fixture(t, xsd)) })
		}
	}
}

func TestNmapDTD(t *testing.T) {
	for name, doc := range runs(t, "nmap-xml") {
		t.Run(name, func(t *testing.T) { xmllint(t, doc, "--dtdvalid", fixture(t, "nmap.dtd")) })
	}
}

// TestNdiff has nmap's own tool read two files.
func TestNdiff(t *testing.T) {
	path, err := exec.LookPath("ndiff")
	if err != nil {
		t.Skip("ndiff is not installed")
	}
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.xml"), filepath.Join(dir, "b.xml")
	all := runs(t, "nmap-xml")
	if err := os.WriteFile(a, all["run"], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b, all["large"], 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, a, b).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 { // 1: the scans differ
		t.Fatalf("ndiff: %v\n%.1000s", err, out)
	}
	if !bytes.Contains(out, []byte("10027/tcp")) || !bytes.Contains(out, []byte("DKIMproxy")) {
		t.Errorf("ndiff did not see the ports:\n%.2000s", out)
	}
}

// readPorts prints each open port of an nmap file as parsed.
const readPorts = `
my $np = Nmap::Parser->new; $np->parsefile($ARGV[0]);
for my $h ($np->all_hosts) {
	print $h->addr, ":$_ ", $h->tcp_service($_)->product // "", "\n" for $h->tcp_open_ports;
}`

// TestNmapParser has a widely used parser read nmap's format.
func TestNmapParser(t *testing.T) {
	if err := exec.Command("perl", "-MNmap::Parser", "-e", "1").Run(); err != nil {
		t.Skip("perl's Nmap::Parser is not installed")
	}
	file := filepath.Join(t.TempDir(), "run.xml")
	if err := os.WriteFile(file, runs(t, "nmap-xml")["run"], 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("perl", "-MNmap::Parser", "-e", readPorts, file).CombinedOutput()
	if err != nil {
		t.Fatalf("Nmap::Parser: %v\n%.1000s", err, out)
	}
	if !regexp.MustCompile(`(?m)^[0-9a-f.:]+:10027 DKIMproxy$`).Match(out) {
		t.Errorf("Nmap::Parser did not see DKIMproxy on port 10027:\n%.2000s", out)
	}
}

// TestCSVFormulas checks that a spreadsheet evaluates no cell.
func TestCSVFormulas(t *testing.T) {
	for name, doc := range runs(t, "csv") {
		rows, err := csv.NewReader(bytes.NewReader(doc)).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, row := range rows {
			for i, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
					t.Errorf("%s: column %s is %q", name, rows[0][i], cell)
				}
			}
		}
	}
}

func TestNoFormula(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Postfix": "Postfix", "=1": "'=1", " =1": "' =1", "\"=1": "'\"=1", "-x": "'-x", "@a": "'@a", "＝1": "'＝1", "1-2": "1-2",
	} {
		if got := noFormula(in); got != want {
			t.Errorf("noFormula(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMarkdownBudget(t *testing.T) {
	for limit, most := range map[int]int{0: 65_536, MinMarkdown: MinMarkdown, 100_000: 100_000, 1 << 20: 1 << 20, 1 << 30: 1 << 20} {
		c := hugeRun(1000, 5)
		for i := range 200 {
			c.Notices = append(c.Notices, result.Notice{Code: "MXS9001", Level: "warning", Message: fmt.Sprint(i, strings.Repeat(" silent", 200))})
		}
		for i := range 1000 {
			c.Findings[i].Status = result.StatusAccepted
		}
		doc := write(t, "markdown", format.Options{MaxBytes: limit}, c)
		if len(doc) > most || len(doc) < most*3/4 {
			t.Errorf("limit %d: %d bytes", limit, len(doc))
		}
		if !regexp.MustCompile(`\n\d+ more items omitted: this report has at most \d+ characters\.`).Match(doc) {
			t.Errorf("limit %d: nothing says that entries are left out", limit)
		}
		if n := bytes.Count(doc, []byte("\n| 🟥 critical | ")); n < 10 {
			t.Errorf("limit %d: the notices leave room for %d findings", limit, n)
		}
		if n, m := bytes.Count(doc, []byte("<details>")), bytes.Count(doc, []byte("</details>")); n != m {
			t.Errorf("limit %d: %d <details>, %d </details>", limit, n, m)
		}
	}
}

// TestMarkdownHostile checks that text from a server is shown literally.
func TestMarkdownHostile(t *testing.T) {
	doc := string(runs(t, "markdown")["run"])
	if strings.Contains(doc, "<script>") && !strings.Contains(doc, `\<script\>`) {
		t.Error("a tag of the network is a tag of the page")
	}
}

// codeSpan matches a code span with one or two backticks.
var codeSpan = regexp.MustCompile("``.*?``|`[^`]*`")

// TestNoLinks checks that nothing from a server becomes a link, a mention or a
// reference to an issue.
func TestNoLinks(t *testing.T) {
	const said = `220 see http://evil.example/x, HTTPS://Evil.Example WWW.evil.example mailto:a@evil.example @user #12 GH-7 [a](//evil.example)`
	run := func() *view.Collector {
		c := hugeRun(1, 1)
		c.Ports[0].Service.Product, c.Ports[0].Service.Version = said, ""
		c.Ports[0].Host, c.Findings[0].Host = "www.evil.example", "www.evil.example"
		c.Findings[0].Evidence = []string{said}
		c.Notices = []result.Notice{{Code: "MXS9001", Level: "warning", Message: said}}
		c.Run.Authorization = said
		return c
	}
	link := regexp.MustCompile(`(?i)://|www\.|[a-z]@|@user|#12|gh-7|[^\\]\]\(`)
	check := func(where, text string) {
		if m := link.FindString(text); m != "" {
			t.Errorf("%s has a link at %q: %s", where, m, text)
		}
	}
	doc := string(write(t, "markdown", format.Options{}, run()))
	check("markdown", codeSpan.ReplaceAllString(doc, ""))
	if !strings.Contains(doc, "`http://evil.example/x,`") {
		t.Errorf("the text does not stay readable: %s", doc)
	}
	var dojo struct {
		Findings []struct{ Description string }
	}
	if err := json.Unmarshal(write(t, "defectdojo", format.Options{}, run()), &dojo); err != nil {
		t.Fatal(err)
	}
	check("defectdojo", codeSpan.ReplaceAllString(dojo.Findings[0].Description, ""))
	var log struct {
		Runs []struct {
			Results []struct {
				Message struct{ Text, Markdown string }
			}
			Invocations []struct {
				ToolExecutionNotifications []struct{ Message struct{ Text string } }
			}
		}
	}
	if err := json.Unmarshal(write(t, "sarif", format.Options{}, run()), &log); err != nil {
		t.Fatal(err)
	}
	message := log.Runs[0].Results[0].Message
	check("sarif markdown", codeSpan.ReplaceAllString(message.Markdown, ""))
	plain := regexp.MustCompile(`(?i)://|www\.|[^\\]\]\(`)
	for _, text := range []string{message.Text, log.Runs[0].Invocations[0].ToolExecutionNotifications[0].Message.Text} {
		if plain.MatchString(text) || !strings.Contains(text, `http:\\x2f/evil.example/x`) {
			t.Errorf("sarif text has a link: %s", text)
		}
	}
}

// TestGitLab checks the members and values that GitLab documents.
func TestGitLab(t *testing.T) {
	for name, doc := range runs(t, "gitlab") {
		var issues []gitlabIssue
		dec := json.NewDecoder(bytes.NewReader(doc))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&issues); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, doc)
		}
		seen := make(map[string]bool)
		for _, i := range issues {
			if seen[i.Fingerprint] || i.Fingerprint == "" || i.Description == "" || i.Location.Lines.Begin < 1 ||
				!filepath.IsLocal(i.Location.Path) ||
				!slices.Contains([]string{"info", "minor", "major", "critical", "blocker"}, i.Severity) {
				t.Errorf("%s: %+v", name, i)
			}
			seen[i.Fingerprint] = true
		}
	}
}

// dojoFields are the members that DefectDojo's generic import accepts.
var dojoFields = strings.Fields(`title severity description date cwe cve cvssv3 cvssv3_score mitigation impact
	steps_to_reproduce severity_justification references active verified false_p out_of_scope risk_accepted
	under_review is_mitigated thread_id mitigated numerical_severity param payload line file_path component_name
	component_version static_finding dynamic_finding scanner_confidence unique_id_from_tool vuln_id_from_tool
	nb_occurences publish_date service tags endpoints vulnerability_ids files`)

func TestDefectDojo(t *testing.T) {
	for name, doc := range runs(t, "defectdojo") {
		var file struct {
			Name, Type string
			Findings   []map[string]any
		}
		if err := json.Unmarshal(doc, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, f := range file.Findings {
			for key := range f {
				if !slices.Contains(dojoFields, key) {
					t.Errorf("%s: member %q is refused", name, key)
				}
			}
			if s := f["severity"]; !slices.Contains([]any{"Critical", "High", "Medium", "Low", "Info"}, s) || f["title"] == "" || f["description"] == "" {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

var promLine = regexp.MustCompile(`^(?:# HELP [a-z_]+ [^\n]+|# TYPE [a-z_]+ gauge|[a-z_]+\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\} -?[0-9.e+-]+)$`)

func TestPrometheus(t *testing.T) {
	for name, doc := range runs(t, "prometheus") {
		seen := make(map[string]bool)
		for line := range strings.Lines(string(doc)) {
			line = strings.TrimSuffix(line, "\n")
			if !promLine.MatchString(line) {
				t.Errorf("%s: %s", name, line)
			}
			series, _, _ := strings.Cut(line, "} ")
			if seen[series] {
				t.Errorf("%s: twice: %s", name, line)
			}
			seen[series] = true
		}
		if path, err := exec.LookPath("promtool"); err == nil {
			cmd := exec.Command(path, "check", "metrics")
			cmd.Stdin = bytes.NewReader(doc)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: promtool: %v\n%s", name, err, out)
			}
		}
	}
}

func TestPrometheusSeries(t *testing.T) {
	doc := write(t, "prometheus", format.Options{}, hugeRun(5000, 5))
	if n := bytes.Count(doc, []byte("\nmxsweep_finding{")); n != maxSeries {
		t.Errorf("%d series, want %d", n, maxSeries)
	}
}

var githubLine = regexp.MustCompile(`^::(error|warning|notice) (?:file=[^,:]+,line=[0-9]+,)?title=[^,:]+::[^\n]+$`)

func TestGitHub(t *testing.T) {
	for name, doc := range runs(t, "github") {
		count := make(map[string]int)
		for line := range strings.Lines(string(doc)) {
			m := githubLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			if m == nil {
				t.Errorf("%s: %s", name, line)
				continue
			}
			if count[m[1]]++; count[m[1]] > maxAnnotations {
				t.Errorf("%s: more than %d of %s", name, maxAnnotations, m[1])
			}
		}
	}
}

func TestGitHubOutputs(t *testing.T) {
	var s result.Summary
	s.Gate, s.ExitCode, s.Complete, s.BySeverity.High, s.ByDrift.New = result.GateFail, 1, true, 2, 1
	s.Coverage.Ratio = 0.94444
	golden(t, "outputs.txt", []byte(GitHubOutputs(s)))
}

// TestSameBytes checks that the same run gives the same bytes, whatever the order
// of its records.
func TestSameBytes(t *testing.T) {
	for _, form := range Formats() {
		if form == "jsonl" {
			continue // writes records in the order of the input
		}
		c := hugeRun(20, 3)
		want := write(t, form, format.Options{}, c)
		c = hugeRun(20, 3)
		slices.Reverse(c.Ports)
		slices.Reverse(c.Findings)
		if got := write(t, form, format.Options{}, c); !bytes.Equal(got, want) {
			t.Errorf("%s: the bytes depend on the order", form)
		}
	}
}

// FuzzFormats checks that whatever a server sends, each format stays valid.
func FuzzFormats(f *testing.F) {
	f.Add("220 mx ESMTP\r\n::error::x ##[e] \u202e\xff\x1b")
	f.Add("=cmd|' /C calc'!A0\t]]></system-out><!--")
	f.Add("</td><script>alert(1)</script>\"' onload=x {{.}} `|`")
	f.Fuzz(func(t *testing.T, raw string) {
		c := hugeRun(1, 2)
		s := sanitize.Text(raw, sanitize.MaxSentence)
		c.Ports[0].Host, c.Ports[0].Banner = s, Clean(&result.Banner{Text: raw}, "")
		c.Ports[0].Service.Product, c.Ports[0].Service.Evidence[0].Observed = s, s
		c.Findings[0].Title, c.Findings[0].Evidence, c.Findings[0].Remediation = s, []string{s}, sanitize.Block(raw, sanitize.MaxBlock)
		c.Findings[1].Host = s
		c.Run.Scope.Name = s
		c.Notices = []result.Notice{{Code: "MXS9001", Level: "error", Message: s, Target: s}}
		for _, form := range Formats() {
			checkFormat(t, form, write(t, form, format.Options{Color: form == "text"}, c))
		}
	})
}

// checkFormat checks the syntax of a document.
func checkFormat(t *testing.T, form string, doc []byte) {
	t.Helper()
	if !utf8.Valid(doc) {
		t.Fatalf("%s: not UTF-8", form)
	}
	switch form {
	case "json", "sarif", "gitlab", "defectdojo":
		if !json.Valid(doc) {
			t.Fatalf("%s: not JSON: %s", form, doc)
		}
	case "jsonl":
		for line := range bytes.Lines(doc) {
			if !json.Valid(line) {
				t.Fatalf("jsonl: not JSON: %s", line)
			}
		}
	case "junit", "nmap-xml":
		dec := xml.NewDecoder(bytes.NewReader(doc))
		for {
			if _, err := dec.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", form, err)
			}
		}
	case "csv":
		if rows, err := csv.NewReader(bytes.NewReader(doc)).ReadAll(); err != nil || len(rows) != 3 {
			t.Fatalf("csv: %d rows, %v", len(rows), err)
		}
	case "html":
		if bytes.Count(doc, []byte("<script")) != 1 || bytes.Count(doc, []byte("<details")) != bytes.Count(doc, []byte("</details")) {
			t.Fatal("html: markup from the network")
		}
	case "github":
		if bytes.Count(doc, []byte("\n")) != 3 {
			t.Fatalf("github: more lines than commands: %s", doc)
		}
	case "text", "markdown":
		for line := range bytes.Lines(doc) {
			if l := bytes.TrimSpace(line); bytes.HasPrefix(l, []byte("::")) || bytes.Contains(l, []byte("##[")) {
				t.Fatalf("%s: a command: %s", form, line)
			}
		}
	case "prometheus": // see TestPrometheus
	default:
		t.Fatalf("%s: its syntax is not checked: add a case to checkFormat", form)
	}
}
