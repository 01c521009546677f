package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the golden files anew")

// convert converts testdata/name to the named format.
func convert(t testing.TB, name, form string, o format.Options) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	w, err := New(form, &out, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Reader{}).Replay(f, w); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// golden compares got with testdata/golden/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s:%d:\n got %s\nwant %s", path, i+1, g[i], w[i])
		}
	}
	t.Fatalf("%s: got %d lines, want %d", path, len(g), len(w))
}

// compile compiles a JSON schema, with formats asserted.
func compile(t testing.TB, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// obey checks a JSON text against a schema.
func obey(t testing.TB, s *jsonschema.Schema, text []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%.200s\n%v", text, err)
	}
}

// shared reads a file of the folder that is shared with other projects; the test
// is skipped if it is absent.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "shared", name))
	if err != nil {
		t.Skipf("../shared/%s is not here: %v", name, err)
	}
	return b
}

// TestFormats compares the output of each format without a test of its own with
// its golden file.
func TestFormats(t *testing.T) {
	goldens := map[string]string{
		"nmap-xml": "run.nmap.xml", "junit": "run.junit.xml", "csv": "run.csv", "markdown": "run.md", "html": "run.html",
		"gitlab": "run.gitlab.json", "defectdojo": "run.defectdojo.json", "prometheus": "run.prom", "github": "run.github.txt",
	}
	tested := []string{"text", "json", "jsonl", "sarif"} // by TestText, TestJSON, TestLines and TestSARIF
	for _, form := range Formats() {
		if goldens[form] == "" && !slices.Contains(tested, form) {
			t.Errorf("%s has no golden file: add it to goldens", form)
		}
	}
	for form, name := range goldens {
		t.Run(form, func(t *testing.T) { golden(t, name, convert(t, "run.json", form, format.Options{})) })
	}
}

// TestSchemaSuperset checks that the embedded schema only adds optional
// properties and enum values to the one that other projects use.
func TestSchemaSuperset(t *testing.T) {
	var want, got any
	if err := json.Unmarshal(shared(t, "contract/mxsweep-1.schema.json"), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(Schema(), &got); err != nil {
		t.Fatal(err)
	}
	for _, problem := range schemaDiff("", "", want, got) {
		t.Error(problem)
	}
}

// schemaDiff returns incompatible changes between schemas. key is the last name
// of the path.
func schemaDiff(path, key string, want, got any) (problems []string) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return []string{path + ": no object"}
		}
		for name, member := range w {
			problems = append(problems, schemaDiff(path+"/"+name, name, member, g[name])...)
		}
		if key == "properties" {
			return problems
		}
		for name := range g {
			if _, ok := w[name]; !ok {
				problems = append(problems, path+"/"+name+": added to what is no list of properties")
			}
		}
		return problems
	case []any:
		if g, ok := got.([]any); ok && key == "enum" {
			for _, value := range w {
				if !slices.Contains(g, value) {
					problems = append(problems, fmt.Sprintf("%s: lacks %v", path, value))
				}
			}
			return problems
		}
	}
	if !reflect.DeepEqual(want, got) {
		return []string{fmt.Sprintf("%s: is %v, want %v", path, got, want)}
	}
	return nil
}

// TestSchemaDiff checks that each kind of incompatible change is found.
func TestSchemaDiff(t *testing.T) {
	base := func() map[string]any {
		var v map[string]any
		if err := json.Unmarshal([]byte(`{"required": ["a"], "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "string"}}}`), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	properties := func(v map[string]any) map[string]any { return v["properties"].(map[string]any) }
	tests := []struct {
		name   string
		change func(map[string]any)
		breaks bool
	}{
		{"same", func(map[string]any) {}, false},
		{"property added", func(v map[string]any) { properties(v)["c"] = map[string]any{"type": "integer"} }, false},
		{"enum value added", func(v map[string]any) { properties(v)["a"] = map[string]any{"enum": []any{"y", "z", "x"}} }, false},
		{"property removed", func(v map[string]any) { delete(properties(v), "b") }, true},
		{"type changed", func(v map[string]any) { properties(v)["b"] = map[string]any{"type": "integer"} }, true},
		{"enum value removed", func(v map[string]any) { properties(v)["a"] = map[string]any{"enum": []any{"x"}} }, true},
		{"more required", func(v map[string]any) { v["required"] = []any{"a", "b"} }, true},
		{"closed", func(v map[string]any) { v["additionalProperties"] = false }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := base()
			tt.change(changed)
			if problems := schemaDiff("", "", base(), changed); (len(problems) > 0) != tt.breaks {
				t.Errorf("problems are %q", problems)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	got := convert(t, "run.json", "json", format.Options{})
	golden(t, "run.json", got)
	obey(t, compile(t, Schema()), got)
}

func TestLines(t *testing.T) {
	got := convert(t, "run.json", "jsonl", format.Options{})
	golden(t, "run.jsonl", got)
	s := compile(t, Schema())
	for _, line := range bytes.SplitAfter(got, []byte("\n")) {
		if len(line) > 0 {
			obey(t, s, line)
		}
	}
}

// TestThroughLines checks that nothing is lost between the two forms.
func TestThroughLines(t *testing.T) {
	var lines, doc bytes.Buffer
	w, _ := New("jsonl", &lines, format.Options{})
	run := convert(t, "run.json", "json", format.Options{})
	if _, err := (Reader{}).Replay(bytes.NewReader(run), w); err != nil {
		t.Fatal(err)
	}
	w, _ = New("json", &doc, format.Options{})
	if _, err := (Reader{}).Replay(&lines, w); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc.Bytes(), run) {
		t.Error("the document differs after a way through jsonl")
	}
}

func TestContractExamples(t *testing.T) {
	s := compile(t, Schema())
	for _, name := range []string{"contract/mxsweep.report.json", "contract/mxsweep.jsonl"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			var out bytes.Buffer
			w, _ := New("json", &out, format.Options{})
			if _, err := (Reader{}).Replay(bytes.NewReader(shared(t, name)), w); err != nil {
				t.Fatal(err)
			}
			obey(t, s, out.Bytes())
			var got, want map[string]any
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(shared(t, "contract/mxsweep.report.json"), &want); err != nil {
				t.Fatal(err)
			}
			for _, part := range []string{"tool", "ports", "findings", "notices", "summary"} {
				g, _ := json.Marshal(got[part])
				w, _ := json.Marshal(want[part])
				if !bytes.Equal(g, w) {
					t.Errorf("%s:\n got %s\nwant %s", part, g, w)
				}
			}
		})
	}
}

// TestFormatsAreExplained checks that the manual has a section on each format.
func TestFormatsAreExplained(t *testing.T) {
	manual, err := os.ReadFile(filepath.Join("..", "docs", "reports.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Formats() {
		if !regexp.MustCompile(`(?m)^### (.*, )?` + name + `(,.*)?$`).Match(manual) {
			t.Errorf("docs/reports.md has no section on %s", name)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	_, err := New("jsno", nil, format.Options{})
	if err == nil || err.Error() != `unknown output format "jsno"` {
		t.Errorf("error is %v", err)
	}
	if h, ok := err.(interface{ ErrorHint() string }); !ok || !strings.Contains(h.ErrorHint(), "jsonl") {
		t.Error("the hint does not list the formats")
	}
	for _, name := range Formats() {
		if Describe(name) == "" {
			t.Errorf("%s is not described", name)
		}
	}
}
