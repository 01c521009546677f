package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners/config"
)

// applyFixes makes the edits of a SARIF file: "applyfixes FILE". It knows of them only what
// SARIF says, as any consumer does.
func applyFixes(ts *testscript.TestScript, _ bool, args []string) {
	type region struct{ StartLine, StartColumn, EndLine, EndColumn int }
	var log struct {
		Runs []struct {
			ColumnKind string
			Results    []struct {
				Fixes []struct {
					ArtifactChanges []struct {
						ArtifactLocation struct{ URI string }
						Replacements     []struct {
							DeletedRegion   region
							InsertedContent struct{ Text string }
						}
					}
				}
			}
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &log))
	edits := 0
	for _, r := range log.Runs[0].Results {
		for _, f := range r.Fixes {
			for _, c := range f.ArtifactChanges {
				file := ts.MkAbs(c.ArtifactLocation.URI)
				data, err := os.ReadFile(file)
				ts.Check(err)
				lines := strings.SplitAfter(string(data), "\n")
				for _, e := range c.Replacements {
					d := e.DeletedRegion
					if d.StartLine != d.EndLine {
						ts.Fatalf("%s: the edit is of several lines", file)
					}
					line := []rune(lines[d.StartLine-1]) // which has no character beyond the basic plane
					lines[d.StartLine-1] = string(slices.Concat(line[:d.StartColumn-1], []rune(e.InsertedContent.Text), line[d.EndColumn-1:]))
					edits++
				}
				ts.Check(os.WriteFile(file, []byte(strings.Join(lines, "")), 0o644))
			}
		}
	}
	if edits == 0 {
		ts.Fatalf("%s has no edits", args[0])
	}
}

// TestConfigHelpListsTheKinds checks that the help names each kind of file that is read.
func TestConfigHelpListsTheKinds(t *testing.T) {
	help := strings.Join(strings.Fields(newConfig(&session{}).Long), " ")
	for _, kind := range config.Kinds(false) {
		if !strings.Contains(help, kind) {
			t.Errorf("%q is missing", kind)
		}
	}
}

// TestPreCommitHook checks the definition of the hook: it runs the command on all files,
// whatever changed. Files that others include, and files of variables, may have any name.
func TestPreCommitHook(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", ".pre-commit-hooks.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct {
		ID, Entry, Language, Files string
		Args                       []string
		PassFilenames              bool `yaml:"pass_filenames"`
		AlwaysRun                  bool `yaml:"always_run"`
	}
	if err := yaml.Unmarshal(data, &hooks); err != nil || len(hooks) != 1 {
		t.Fatalf("hooks %+v, %v", hooks, err)
	}
	h := hooks[0]
	if h.Entry != "mxsweep config" || !slices.Equal(h.Args, []string{"."}) || h.PassFilenames || !h.AlwaysRun || h.Files != "" {
		t.Errorf("hook %+v", h)
	}
}
