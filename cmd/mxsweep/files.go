package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/run/output"
)

// stdinUse is the file that standard input was redirected from.
func (s *session) stdinUse(role string) outfile.Use {
	f, _ := s.stdin.(*os.File)
	return outfile.Use{Role: role, Name: "standard input", Open: f}
}

// checkFiles refuses a run that would overwrite what it reads, or write a file
// for two purposes. Lists are the files of targets, scope and excludes.
func (s *session) checkFiles(f *scanFlags, specs []output.Spec, lists []string) error {
	written := output.Uses(specs)
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
	for _, dir := range f.signatures {
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
