package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"golang.org/x/text/encoding/unicode"

	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/run/saved"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/signatures"
)

// userFiles are the kinds of files that users write, with the code that reads
// them.
var userFiles = map[string]func(t *testing.T, file string, data []byte) error{
	"scope": func(t *testing.T, file string, _ []byte) error {
		_, _, err := new(scope.Parser).ScopeFile(t.Context(), file)
		return err
	},
	"policy": func(_ *testing.T, file string, data []byte) error {
		_, err := policy.Load(file, data, policy.Context{})
		return err
	},
	"signatures": func(_ *testing.T, file string, _ []byte) error {
		dir, _ := filepath.Split(file)
		_, err := signatures.Load(signatures.Builtin(), signatures.Source{Name: filepath.Clean(dir), FS: os.DirFS(dir)})
		return err
	},
	"baseline": func(_ *testing.T, file string, data []byte) error {
		_, err := drift.Read(file, data)
		return err
	},
	"run": func(_ *testing.T, file string, data []byte) error {
		_, err := saved.Read(file, strings.NewReader(string(data)))
		return err
	},
}

const (
	gzipped      = "\x1f\x8b\x08\x00\x00\x00\x00\x00"
	baselineHead = `{"schema":"mxsweep.baseline","schema_version":"1.1","created":"2026-11-20T06:00:31Z","vantage":"internet","ports":"25"}` + "\n"
	runHead      = `{"schema":"mxsweep.line","schema_version":"1.0","type":"run_start","run_id":"7f6f0d8e-3f0b-4c6a-9d9f-0a3f4f6f1c11","seq":0,` +
		`"tool":{"name":"mxsweep","version":"0.1.0"},"run":{"run_id":"7f6f0d8e-3f0b-4c6a-9d9f-0a3f4f6f1c11","start_time":"2026-11-20T06:00:31Z","vantage":"internet","scope":{"sha256":"` + sha + `","addresses":1}}}` + "\n"
	sha = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// runLine is a line of a saved run.
func runLine(seq int, rest string) string {
	return fmt.Sprintf(`{"schema":"mxsweep.line","schema_version":"1.0","type":"port","run_id":"7f6f0d8e-3f0b-4c6a-9d9f-0a3f4f6f1c11","seq":%d,"timestamp":"2026-11-20T06:00:31Z","protocol":"tcp","state":"closed",%s}`, seq, rest) + "\n"
}

// TestUserFileErrors checks for every kind of user file that all errors are
// reported at once, each with file, line and column, the source line, a mark
// under the error and a hint.
func TestUserFileErrors(t *testing.T) {
	type mistake struct{ at, mark string } // mark is the source line from the mark on
	for name, tt := range map[string]struct {
		kind, file, text string
		want             []mistake
	}{
		"scope": {"scope", "scope.txt", "192.0.2.0/24\n\t10.0.0/8 # typo\n! 漢字:25\n10.0.0.1:0\n\x1b[2J\n",
			[]mistake{{"2:2", "10.0.0/8"}, {"3:3", "漢字:25"}, {"4:10", "0"}, {"5:1", "\ufffd[2J"}}},
		"policy": {"policy", "p.yaml", "version: 1\nprots: [25]\nexpect:\n  - {product: 漢字, target: 192.0.2.0/33, ports: 25}\nmust_be_closed:\n  - target: \"*\"\n    ports: \"25,99999\"\n",
			[]mistake{{"2:1", "prots"}, {"4:31", "192.0.2.0/33"}, {"7:16", "99999"}}},
		"policy that is no YAML": {"policy", "p.yaml", "version: 1\nexpect: [\n", []mistake{{"2:9", "["}}},
		"policy with a tab":      {"policy", "p.yaml", "version: 1\ngate:\n\tfail_on: none\n", []mistake{{"3:1", " fail_on"}}},
		"policy without a quote": {"policy", "p.yaml", "version: 1\nports: \"25\nidentity: name\n", []mistake{{"2:8", `"25`}}},
		"signatures, no bracket": {"signatures", "my/a.yaml", "signatures:\n  - {id: a\n  - {id: b}\n", []mistake{{"2:5", "{id: a"}}},
		"signatures in Latin-1":  {"signatures", "my/a.yaml", "signatures:\n  - id: \xfc\n", []mistake{{"2:9", "\ufffd"}}},
		"policy in UTF-16":       {"policy", "p.yaml", "\xff\xfea\x00:\x00 \x001\x00\n\x00b\x00:\x00 \x00[\x00", []mistake{{"2:4", "["}}},
		"policy in gzip":         {"policy", "p.yaml", gzipped, []mistake{{"1:1", "\ufffd"}}},
		"scope in gzip":          {"scope", "scope.txt", gzipped, []mistake{{"1:1", "\ufffd"}}},
		"baseline in gzip":       {"baseline", "b.jsonl", gzipped, []mistake{{"1:1", "\ufffd"}}},
		"run in gzip":            {"run", "r.jsonl", gzipped, []mistake{{"1:1", "\ufffd"}}},
		"scope without a mark":   {"scope", "scope.txt", "1\x000\x00", []mistake{{"1:2", "\ufffd"}}},
		"baseline in YAML":       {"baseline", "b.jsonl", "version: 1\n", []mistake{{"1:1", "version"}}},
		"run in YAML":            {"run", "r.json", "\n version: 1\n", []mistake{{"2:2", "version"}}},
		"run that is a baseline": {"run", "r.json", baselineHead, []mistake{{"1:11", `"mxsweep.baseline"`}}},
		"run without a schema":   {"run", "r.json", "[\n1]\n", []mistake{{"1:1", "["}}},
		"directive":              {"scope", "scope.txt", "\n@inclde a.txt\n", []mistake{{"2:1", "@inclde"}}},
		"signatures": {"signatures", "my/a.yaml", "signatures:\n  - id: a\n    product: 漢\n    role: boss\n    prodct: b\n    confidence: 11\n",
			[]mistake{{"2:5", "id: a"}, {"4:11", "boss"}, {"5:5", "prodct"}, {"6:17", "11"}}},
		"baseline": {"baseline", "b.jsonl", baselineHead + `{"id":"1","rule":"MXS1001","ip":"192.0.2.x"}` + "\n" + `{"host":"漢字","port":"25"}` + "\n{\n",
			[]mistake{{"2:33", `"192.0.2.x"}`}, {"3:25", `"25"}`}, {"4:1", "{"}}},
		"saved run, lines": {"run", "r.jsonl", runHead + runLine(1, `"ip":"192.0.2.x","port":25`) + runLine(2, `"ip":"192.0.2.1","port":70000`) + "{]\n",
			[]mistake{{"2:193", `"192.0.2.x"`}, {"3:212", "70000}"}, {"4:2", "]"}}},
		"saved run, document": {"run", "r.json", "{\"schema\": \"mxsweep.report\",\n \"schema_version\": \"1.0\",\n \"tool\": {\"name\": \"nmap\"},\n \"run\": 5,\n\t\"ports\": [\n  {\"hostname\": \"漢字\", \"ip\": 7},\n  {\"timestamp\": \"2026-11-20T06:00:31Z\", \"ip\": \"192.0.2.x\"}\n ]\n}\n",
			[]mistake{{"3:19", `"nmap"}`}, {"4:9", "5,"}, {"6:32", "7}"}, {"7:47", `"192.0.2.x"}`}}},
	} {
		t.Run(name, func(t *testing.T) {
			list := readUserFile(t, tt.kind, tt.file, tt.text)
			if len(list) != len(tt.want) {
				t.Errorf("%d errors, want %d:\n%v", len(list), len(tt.want), list)
			}
			for i, e := range list[:min(len(list), len(tt.want))] {
				if !strings.HasPrefix(e.Error(), tt.file+":"+tt.want[i].at+": ") || e.ErrorHint() == "" {
					t.Errorf("got %q with hint %q, want it at %s", e.Error(), e.ErrorHint(), tt.want[i].at)
				}
				if got := marked(t, e); !strings.HasPrefix(got, tt.want[i].mark) {
					t.Errorf("%v marks %q, want %q:\n%s", e, got, tt.want[i].mark, e.Excerpt())
				}
			}
		})
	}
}

// TestUserFilesInUTF16 checks that a file in UTF-16, as Windows writes it, has the
// errors of the same file in UTF-8.
func TestUserFilesInUTF16(t *testing.T) {
	for kind, text := range map[string]string{
		"scope":      "192.0.2.0/24\r\n! \u6f22\u5b57:25\r\n10.0.0.1:0\r\n",
		"policy":     "version: 1\r\nports: [25]\r\nexpect:\r\n  - {product: \u6f22\u5b57, target: 192.0.2.0/33, ports: 25}\r\n",
		"signatures": "signatures:\n  - id: a\n    product: \u6f22\n    role: boss\n",
		"baseline":   baselineHead + "{\n",
		"run":        runHead + "{]\n",
	} {
		t.Run(kind, func(t *testing.T) {
			want := readUserFile(t, kind, "my/a.yaml", text)
			for _, order := range []unicode.Endianness{unicode.LittleEndian, unicode.BigEndian} {
				wide, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().String(text)
				if err != nil {
					t.Fatal(err)
				}
				if got := readUserFile(t, kind, "my/a.yaml", wide); !reflect.DeepEqual(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
		})
	}
}

// TestManyUserFileErrors checks that of very many errors the first are reported,
// with the number of the others.
func TestManyUserFileErrors(t *testing.T) {
	for kind, text := range map[string]string{
		"scope":      strings.Repeat("10.0.0/8\n", 100),
		"policy":     "version: 1\nexpect:\n" + strings.Repeat("  - {target: 10.0.0/8, ports: 25, product: x}\n", 100),
		"signatures": "signatures:\n" + strings.Repeat("  - {}\n", 100),
		"baseline":   baselineHead + strings.Repeat("{\n", 100),
		"run":        runHead + strings.Repeat("{\n", 100),
	} {
		list := readUserFile(t, kind, "my/a.yaml", text)
		if len(list) != userfile.MaxErrors+1 || list[userfile.MaxErrors].Error() != "my/a.yaml: and 80 more mistakes" && kind != "signatures" {
			t.Errorf("%s: %d errors, the last %v", kind, len(list), list[len(list)-1])
		}
	}
}

// readUserFile returns the errors in a file.
func readUserFile(t *testing.T, kind, file, text string) userfile.Errors {
	t.Helper()
	t.Chdir(t.TempDir())
	if dir := filepath.Dir(file); dir != "." {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	err := userFiles[kind](t, file, []byte(text))
	var list userfile.Errors
	if !errors.As(err, &list) {
		t.Fatalf("%s: %v (%T)", kind, err, err)
	}
	return list
}

// marked returns the excerpt of an error from the mark on.
func marked(t *testing.T, e *userfile.Error) string {
	t.Helper()
	line, mark, ok := strings.Cut(e.Excerpt(), "\n")
	if !ok || !strings.HasSuffix(mark, "^") || e.Line == 0 || e.Column == 0 {
		t.Errorf("%v has no mark: %q", e, e.Excerpt())
		return ""
	}
	state, columns := -1, len(mark)-1
	for line != "" && columns > 0 {
		var width int
		_, line, width, state = uniseg.FirstGraphemeClusterInString(line, state)
		columns -= width
	}
	return line
}
