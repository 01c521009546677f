package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// A fileUse is one file of a run and what it is for.
type fileUse struct {
	flag string // how the user named it, for messages: flag "--pcap", output "json=run.json"
	role string // how a message about another file calls it: "the policy"; "" for an output
	name string // "" if there is none; a name or, for an open stream, its own
	open *os.File
}

// title is how messages call the file.
func (u fileUse) title() string {
	if u.open != nil {
		return u.name
	}
	return fmt.Sprintf("%q", u.name)
}

// A fileConflict is a file that would be written for two purposes, or read and
// written.
type fileConflict struct {
	use, other fileUse
	read       bool // the other purpose is reading
}

func (e *fileConflict) Error() string {
	same := ""
	if filepath.Clean(e.use.name) != filepath.Clean(e.other.name) {
		same = fmt.Sprintf(" (as %s)", e.other.title())
	}
	verb, role := "taken by", e.other.role
	switch {
	case e.read:
		verb = "read as"
	case role == "" && e.use.role == "":
		role = "another output"
	case role == "":
		role = "an output"
	}
	return fmt.Sprintf("reading %s: %s is %s %s%s", e.use.flag, e.use.title(), verb, role, same)
}

// Hint says what to do about it.
func (e *fileConflict) Hint() string {
	if e.read {
		return "write to another file: the run would overwrite what it reads"
	}
	return "give each a file of its own"
}

// checkUses refuses files that would be written for two purposes at once, and
// those that are written and read, whatever links lead to them.
func checkUses(written, read []fileUse) error {
	var errs []error
	ids := make([]fileID, len(written))
	for i, w := range written {
		ids[i] = identify(w)
		if at := slices.IndexFunc(ids[:i], ids[i].same); at >= 0 {
			errs = append(errs, coded(exitUsage, &fileConflict{use: w, other: written[at]}))
		}
	}
	for _, r := range read {
		id := identify(r)
		if at := slices.IndexFunc(ids, id.same); at >= 0 {
			errs = append(errs, coded(exitUsage, &fileConflict{use: written[at], other: r, read: true}))
		}
	}
	return errors.Join(errs...)
}

// conflicts reports whether err tells of a file with two purposes.
func conflicts(err error) bool { return errors.As(err, new(*fileConflict)) }

// A fileID is what tells one file from another.
type fileID struct {
	info os.FileInfo // nil if there is nothing yet
	path string      // where it will be, links followed; "" if info is set
}

// identify finds out which file a use is of. A use without a file gives the
// zero fileID.
func identify(u fileUse) fileID {
	if u.open != nil {
		info, err := u.open.Stat()
		if err != nil {
			return fileID{}
		}
		return fileID{info: info}
	}
	if u.name == "" {
		return fileID{}
	}
	if info, err := os.Stat(u.name); err == nil {
		return fileID{info: info}
	}
	return fileID{path: target(u.name)}
}

// same reports whether both are one file. Devices and sockets, like /dev/null or a
// terminal, take what several write, and are never the same.
func (a fileID) same(b fileID) bool {
	switch {
	case a.info != nil && b.info != nil:
		return a.info.Mode()&(fs.ModeDevice|fs.ModeSocket|fs.ModeDir) == 0 && os.SameFile(a.info, b.info)
	case a.path == "" || b.path == "":
		return false
	case runtime.GOOS == "windows" || runtime.GOOS == "darwin":
		return strings.EqualFold(a.path, b.path)
	}
	return a.path == b.path
}

// target is the file that would be created under a name that leads to none:
// the name itself, or where a link points.
func target(name string) string {
	const maxLinks = 40 // as Linux has it (path_resolution(7))
	for range maxLinks {
		to, err := os.Readlink(name)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(name), to)
		}
		name = to
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return filepath.Clean(name)
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(dir, filepath.Base(abs))
	}
	return abs
}

// outputUses are the files of --output. An output to standard output is of the
// file that it was redirected to, if any.
func (s *session) outputUses(specs []outputSpec, local bool) []fileUse {
	var uses []fileUse
	for _, spec := range specs {
		u := fileUse{flag: fmt.Sprintf("output %q", spec.format+"="+spec.file), name: spec.file}
		if spec.file == "-" {
			u.name = standardOutput
			if u.open, _ = s.stdout.(*os.File); u.open == nil {
				continue
			}
		}
		uses = append(uses, u)
	}
	if s.env("GITHUB_ACTIONS") == "true" && !local {
		for _, v := range []string{"GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"} {
			uses = append(uses, fileUse{flag: "variable " + v, role: v + " of the workflow", name: s.env(v)})
		}
	}
	return uses
}

// stdinUse is the file that standard input was redirected from.
func (s *session) stdinUse(role string) fileUse {
	f, _ := s.stdin.(*os.File)
	return fileUse{role: role, name: "standard input", open: f}
}

// checkFiles refuses a run that would overwrite what it reads, or write a file
// for two purposes. Lists are the files of targets, scope and excludes.
func (s *session) checkFiles(f *scanFlags, specs []outputSpec, lists []string) error {
	written := s.outputUses(specs, f.output.local)
	for _, of := range []struct{ flag, file string }{{"pcap", f.pcap}, {"audit-log", f.auditLog}, {"resume", f.resume}} {
		written = append(written, fileUse{flag: fmt.Sprintf("flag %q", "--"+of.flag), role: "--" + of.flag, name: of.file})
	}
	var read []fileUse
	reads := func(role string, names ...string) {
		for _, name := range names {
			read = append(read, fileUse{role: role, name: name})
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
	return checkUses(written, read)
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
