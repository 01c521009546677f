package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/mxsweep/mxsweep/internal/outfile"
)

// outputUses are the files of --output. An output to standard output is of the
// file that it was redirected to, if any.
func (s *session) outputUses(specs []outputSpec, local bool) []outfile.Use {
	var uses []outfile.Use
	for _, spec := range specs {
		u := outfile.Use{Flag: fmt.Sprintf("output %q", spec.format+"="+spec.file), Name: spec.file}
		if spec.file == "-" {
			u.Name = standardOutput
			if u.Open, _ = s.stdout.(*os.File); u.Open == nil {
				continue
			}
		}
		uses = append(uses, u)
	}
	if s.env("GITHUB_ACTIONS") == "true" && !local {
		for _, v := range []string{"GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"} {
			uses = append(uses, outfile.Use{Flag: "variable " + v, Role: v + " of the workflow", Name: s.env(v)})
		}
	}
	return uses
}

// stdinUse is the file that standard input was redirected from.
func (s *session) stdinUse(role string) outfile.Use {
	f, _ := s.stdin.(*os.File)
	return outfile.Use{Role: role, Name: "standard input", Open: f}
}

// checkFiles refuses a run that would overwrite what it reads, or write a file
// for two purposes. Lists are the files of targets, scope and excludes.
func (s *session) checkFiles(f *scanFlags, specs []outputSpec, lists []string) error {
	written := s.outputUses(specs, f.output.local)
	for _, of := range []struct{ flag, file string }{{"pcap", f.pcap}, {"audit-log", f.auditLog}, {"resume", f.resume}} {
		written = append(written, outfile.Use{Flag: fmt.Sprintf("flag %q", "--"+of.flag), Role: "--" + of.flag, Name: of.file})
	}
	var read []outfile.Use
	reads := func(role string, names ...string) {
		for _, name := range names {
			read = append(read, outfile.Use{Role: role, Name: name})
		}
	}
	if policy := f.policyFile(); policy != "" {
		reads("the policy", policy)
	}
	reads("the baseline", f.baseline)
	reads("a list of targets, scope or excludes", lists...)
	reads("--nmap-probes", f.fallbacks.nmapProbes)
	for _, dir := range append(slices.Clone(f.signatures), f.fallbacks.recog) {
		reads("a signature file", filesBelow(dir)...)
	}
	if slices.Contains(f.inputs, "-") {
		read = append(read, s.stdinUse("a list of targets"))
	}
	return outfile.Check(written, read)
}

// filesBelow lists the regular files of a directory and those below; what
// cannot be read is told by who reads it.
func filesBelow(dir string) []string {
	if dir == "" {
		return nil
	}
	var files []string
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return nil
	})
	return files
}
