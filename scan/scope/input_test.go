package scope

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHints: habits from other tools are answered with what to write here.
func TestHints(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.*":               "ranges within an address are not supported",
		"192.0.*.1-9":             "ranges within an address are not supported",
		"192.0.2-3.1":             "ranges within an address are not supported",
		"192.0.2.1/255.255.255.0": "192.0.2.1/24",
		"192.0.2.1/0.0.0.0":       "192.0.2.1/0",
		"192.0.2.1/255.0.255.0":   "write all of the address and its length",
		"192.0.2.010":             "omit leading zeros: write 192.0.2.10",
		"192.0.2.000":             "omit leading zeros: write 192.0.2.0",
		"192.0.2.0256":            "four numbers from 0 to 255",
		"192..2.1":                "four numbers from 0 to 255",
		"192.0.2.1-009":           "",
		"192.0.2.1:":              "omit the colon",
		"192.0.2.1:smtp":          "smtp is port 25",
		"192.0.2.1:IMAPS":         "IMAPS is port 993",
		"-":                       "-i - reads targets from standard input",
		"a,b":                     "write one per argument",
	} {
		_, err := (&Parser{Resolver: testZone}).Targets(t.Context(), []string{text})
		if got := hintOf(err); !strings.Contains(got, want) || (want == "") != (err == nil) {
			t.Errorf("%q: %v, hint %q, want %q", text, err, got, want)
		}
	}
	for spec, want := range map[string]string{
		"T:25,U:53":  "only TCP ports are scanned: write 25",
		"25,U:53":    "only TCP ports are scanned: omit U:53",
		"submission": "submission is port 587",
		"internl":    `did you mean "internal"?`,
	} {
		_, err := ParsePorts(spec, map[string][]uint16{"internal": {783}})
		if got := hintOf(err); !strings.Contains(got, want) {
			t.Errorf("%q: %v, hint %q, want %q", spec, err, got, want)
		}
	}
}

// TestLineHints: the same in a file, with the place of what is wrong.
func TestLineHints(t *testing.T) {
	for line, want := range map[string]struct {
		hint   string
		column int
	}{
		"; edge":                 {"# starts a comment", 1},
		"// x":                   {"# starts a comment", 1},
		"192.0.2.1 edge":         {"# starts a comment", 1},
		"192.0.2.1, 192.0.2.2":   {"one entry per line", 1},
		"exclude 192.0.2.1":      {`! excludes, as in "!192.0.2.1"`, 1},
		" 192.O.2.1":             {"four numbers", 6},
		"l92.0.2.1":              {"four numbers", 1},
		"192.0.2.1-192.o.2.9":    {"four numbers", 15},
		"!192.0.2.0/255.255.0.0": {"192.0.2.0/16", 2},
	} {
		file := filepath.Join(t.TempDir(), "scope.txt")
		if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := (&Parser{Resolver: testZone}).ScopeFile(t.Context(), file)
		var input *InputError
		if !errors.As(err, &input) || !strings.Contains(input.Hint, want.hint) || input.Column != want.column {
			t.Errorf("%q: %v, hint %q, want %q in column %d", line, err, hintOf(err), want.hint, want.column)
		}
	}
}

func hintOf(err error) string {
	var input *InputError
	if errors.As(err, &input) {
		return input.Hint
	}
	return ""
}
