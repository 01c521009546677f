package report

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// TestFormatsOfFiles writes a run of configuration files, as "mxsweep config" saved it, in
// each format. None of them says that anybody can reach a port: files do not show that.
func TestFormatsOfFiles(t *testing.T) {
	for form, name := range map[string]string{
		"text": "files.txt", "json": "files.json", "jsonl": "files.jsonl", "sarif": "files.sarif", "junit": "files.junit.xml", "csv": "files.csv",
		"markdown": "files.md", "html": "files.html", "gitlab": "files.gitlab.json", "defectdojo": "files.defectdojo.json",
		"prometheus": "files.prom", "github": "files.github.txt",
	} {
		t.Run(form, func(t *testing.T) {
			got := convert(t, "files.json", form, format.Options{})
			golden(t, name, got)
			switch form {
			case "json":
				obey(t, compile(t, Schema()), got)
			case "sarif":
				obey(t, compile(t, shared(t, "fixtures/sarif-schema-2.1.0.json")), got)
			}
			for _, wrong := range []string{"Strangers can reach", "Others can reach", "answers as", "0 addresses", "TCP connection"} {
				if bytes.Contains(got, []byte(wrong)) {
					t.Errorf("%q is not known of files", wrong)
				}
			}
		})
	}
	var out strings.Builder
	w, err := New("nmap-xml", &out, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Reader{}).Replay(bytes.NewReader(convert(t, "files.json", "json", format.Options{})), w); err == nil {
		t.Error("nmap's XML has no place for files, and no error")
	}
}

// An edit whose texts are not safe to show is left out: cut or escaped it would be wrong.
func TestUnsafeEditIsLeftOut(t *testing.T) {
	run := convert(t, "files.json", "json", format.Options{})
	bad := bytes.ReplaceAll(run, []byte(`"text": "127.0.0.1:10025"`), []byte(`"text": "127.0.0.1:10025\u001b[2J"`))
	if bytes.Equal(run, bad) {
		t.Fatal("the run has no such edit")
	}
	var out bytes.Buffer
	w, err := New("sarif", &out, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Reader{}).Replay(bytes.NewReader(bad), w); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(out.Bytes(), []byte(`"insertedContent":{"text":"127.0.0.1:10025`)) || !bytes.Contains(out.Bytes(), []byte(`"insertedContent":{"text":"127.0.0.1:10031"`)) {
		t.Errorf("edits in %s", out.Bytes())
	}
}

// An edit that closes several findings, such as the address of two ports, is one suggestion.
func TestSameEditIsSuggestedOnce(t *testing.T) {
	edit := result.Replacement{Fix: "amavis-bind", StartLine: 3, StartColumn: 22, EndLine: 3, EndColumn: 29, Old: "0.0.0.0", Text: "127.0.0.1", Lines: "$inet_socket_bind = '127.0.0.1';"}
	other := edit
	other.StartLine, other.EndLine = 4, 4
	run := result.Run{Vantage: "config", Scope: result.Scope{Name: "mail"}}
	var out bytes.Buffer
	w, err := New("markdown", &out, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(result.Tool{Name: "mxsweep"}, run); err != nil {
		t.Fatal(err)
	}
	for i, e := range []result.Replacement{edit, edit, other} {
		f := result.Finding{
			ID: strings.Repeat(string(rune('a'+i)), 64), Rule: "MXS1001", Title: "Content-filter port bound to all addresses", Severity: result.SeverityHigh, Verdict: "fail",
			IP: netip.IPv4Unspecified(), Port: uint16(10024 + i), Protocol: "tcp", Host: "50-user", Vantage: "config", Status: result.StatusOpen, Drift: result.DriftNone,
			Anchor: &result.Anchor{File: "50-user", Line: 2}, Listener: &result.Configured{Name: "a listener", Edit: &e},
		}
		if err := w.Finding(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(run, result.Summary{Complete: true, Gate: result.GateFail, ExitCode: 1, FailOn: "any:high"}); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"`50-user` line 3 closes MXS1001:\n": 1, "`50-user` line 4 closes MXS1001:\n": 1, "```suggestion\n$inet_socket_bind": 2} {
		if got := strings.Count(out.String(), text); got != want {
			t.Errorf("%q is there %d times, want %d:\n%s", text, got, want, &out)
		}
	}
}
