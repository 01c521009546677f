package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/signatures"
)

// checkFiles refuses a run that would overwrite its input, or write a file for two
// purposes. lists are the files of targets, scope and excludes.
func (o *Options) checkFiles(lists []string) error {
	written := output.Uses(o.Outputs)
	for _, of := range []struct{ flag, file string }{{"pcap", o.Pcap}, {"audit-log", o.AuditLog}, {"resume", o.Resume}} {
		written = append(written, outfile.Use{Flag: fmt.Sprintf("flag %q", "--"+of.flag), Role: "--" + of.flag, Name: of.file})
	}
	var read []outfile.Use
	reads := func(role string, names ...string) {
		for _, name := range names {
			read = append(read, outfile.Use{Role: role, Name: name})
		}
	}
	if policy := o.policyFile(); policy != "" {
		reads("the policy", policy)
	}
	reads("the baseline", o.Baseline)
	reads("a list of targets, scope or excludes", lists...)
	for _, zone := range o.Zones {
		_, file, ok := strings.Cut(zone, "=")
		if !ok {
			file = zone
		}
		reads("a zone file", file)
	}
	for _, dir := range o.Signatures {
		reads("a signature file", filesBelow(dir)...)
	}
	if slices.Contains(o.TargetFiles, "-") {
		f, _ := o.Stdin.(*os.File)
		read = append(read, outfile.Use{Role: "a list of targets", Name: "standard input", Open: f})
	}
	return outfile.Check(written, read)
}

// filesBelow lists the regular files below a directory; the reader of those files
// reports what cannot be read.
func filesBelow(dir string) []string {
	var files []string
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return nil
	})
	return files
}

// SignatureSources returns the built-in files and those of the given directories.
func SignatureSources(dirs []string) ([]signatures.Source, error) {
	sources := []signatures.Source{signatures.Builtin()}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			err = errors.New("not a directory")
		}
		if err != nil {
			return nil, fault.Usagef("--signatures takes a directory of *.yaml files", "opening signatures %q: %w", dir, fault.WithoutPath(err))
		}
		sources = append(sources, signatures.Source{Name: dir, FS: os.DirFS(dir)})
	}
	return sources, nil
}

// LoadSignatures reads the built-in signatures and those of the given directories,
// whose examples must match like those of the built-in ones.
func LoadSignatures(dirs []string) (*signatures.Set, error) {
	if len(dirs) == 0 {
		return signatures.Default()
	}
	sources, err := SignatureSources(dirs)
	if err != nil {
		return nil, err
	}
	set, err := signatures.Load(sources...)
	if err != nil {
		return nil, fault.As(fault.Usage, err)
	}
	if problems := set.Check(); len(problems) > 0 {
		return nil, fault.As(fault.Usage, problems)
	}
	return set, nil
}
