package container

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/compose-spec/compose-go/v2/dotenv"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// outer are the variables that files of variables do not decide.
func outer(name string) (string, bool) {
	v, ok := map[string]string{"OUT": "o$u", "EMPTY": ""}[name]
	return v, ok
}

// plainVariables are files that are in the bounds.
var plainVariables = []string{
	"", "# x\n\n#\nA=1 # y\nexport B = $A\nC:2\n", "A=\"1\n$OUT\" # x\nB='$A' C=${A:-3}\n", "A\nOUT\nEMPTY", "A=\"\\\"x\\\\\" B=2",
	"\ufeffA=1\nA=${A}2\nB=$$A\\$\n", "A=$OUT\nOUT=5\nB=$OUT", "A=\n=1\n", "A B=1\n", "A=\"x", "A={x}\nB=${A:?no}\nC=${D:?no}\n", "A= \u00a0'x'\u0085B=1", "1=2\n[a]=b\n", "A=\r\nB=2\r\n",
}

func TestVariablesAsTheLibrary(t *testing.T) {
	for _, text := range plainVariables {
		sameVariables(t, text)
	}
}

// sameVariables holds that a file in the bounds has the values that the library gives it.
func sameVariables(t *testing.T, text string) {
	t.Helper()
	got, err := parseVariables(text, outer)
	if errors.Is(err, errLargeVariables) {
		return
	}
	want, fault := dotenv.ParseWithLookup(strings.NewReader(text), outer)
	if (err == nil) != (fault == nil) || err == nil && !maps.Equal(got, want) {
		t.Errorf("%q: got %q, %v; the library has %q, %v", text, got, err, want, fault)
	}
}

// chain returns a file in which each variable has the one before several times.
func chain(lines, times int) string {
	var b strings.Builder
	b.WriteString("A0=0123456789012345678901234567890123456789\n")
	for i := range lines {
		fmt.Fprintf(&b, "A%d=%s\n", i+1, strings.Repeat(fmt.Sprintf("$A%d", i), times))
	}
	return b.String()
}

func TestVariablesAreBounded(t *testing.T) {
	for name, text := range map[string]string{
		"a chain":                   chain(24, 2),
		"a steep chain":             chain(6, 90),
		"many references":           "A=" + strings.Repeat("$B", maxStatementReferences+1),
		"references in each other":  "A=" + strings.Repeat("${B:-", 3*maxStatementReferences) + strings.Repeat("}", 3*maxStatementReferences),
		"a large statement":         "A=$B" + strings.Repeat("x", maxStatement),
		"a large value, many times": "A=" + strings.Repeat("x", maxExpanded/8) + "\n" + strings.Repeat("B=$A\n", 9),
	} {
		if values, err := parseVariables(text, outer); !errors.Is(err, errLargeVariables) {
			t.Errorf("%s: %d values, %v", name, len(values), err)
		}
	}
	if values, err := parseVariables(chain(10, 2), outer); err != nil || len(values["A10"]) != 40<<10 {
		t.Errorf("a chain in the bounds: %d bytes, %v", len(values["A10"]), err)
	}
	if _, err := parseVariables(strings.Repeat("#\n", 2<<20), outer); err != nil {
		t.Errorf("comments: %v", err)
	}
}

// TestErrorsHaveNoSecrets: a line that is no statement, such as one of a private key, is not in the
// error.
func TestErrorsHaveNoSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\nMIIEvQ/s3cret\n": `statement 2: unexpected character "/" in variable name`,
		"A=1\nB='s3cret\n":     "statement 2: unterminated quoted value",
	} {
		if _, err := parseVariables(text, outer); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestProjectOfLargeVariables: a project whose file .env stands for too much does not load, and
// says so; so does one whose texts have its values too often.
func TestProjectOfLargeVariables(t *testing.T) {
	large := "A=" + strings.Repeat("x", maxHandedOut/20) + "\n"
	for name, tt := range map[string]struct{ env, compose string }{
		"a chain":   {chain(24, 2), "services:\n  a:\n    image: x\n    ports: ['25:25']\n"},
		"in a text": {large, "services:\n  a:\n    image: x\n    labels:\n" + strings.Repeat("      - $A\n", 21)},
	} {
		c := readFiles(t, map[string]string{"compose.yml": tt.compose, ".env": tt.env})
		if len(c.Listeners) > 0 || len(c.Doubts) != 1 || !strings.Contains(c.Doubts[0].Problem, "than is read") {
			t.Errorf("%s: %+v, %+v", name, c.Listeners, c.Doubts)
		}
	}
	c := readFiles(t, map[string]string{"compose.yml": "services:\n  a:\n    image: x\n    env_file: a.env\n    command: postgrey --inet=$$A\n    ports: ['25:25']\n", "a.env": chain(24, 2)})
	if len(c.Doubts) == 0 {
		t.Errorf("a file of env_file that is too large: no doubt, %+v", c.Listeners)
	}
}

// readFiles reads a compose.yml and the files beside it.
func readFiles(t *testing.T, files map[string]string) listeners.Config {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tree := &source.Tree{FS: fsys}
	f, err := tree.Read("compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	return Compose(tree, f)
}

func FuzzVariables(f *testing.F) {
	for _, text := range plainVariables {
		f.Add(text)
	}
	f.Add(chain(3, 3))
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "$") > maxStatementReferences || len(text) > maxStatement {
			return
		}
		sameVariables(t, text)
	})
}
