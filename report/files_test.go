package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report/format"
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
