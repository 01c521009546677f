package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// A Use is one file of a run and what it is for.
type Use struct {
	Flag string // how the user named it, for messages: flag "--pcap", output "json=run.json"
	Role string // how a message about another file calls it: "the policy"; "" for an output
	Name string // "" if there is none; a name or, for an open stream, its own
	Open *os.File
}

// title is how messages call the file.
func (u Use) title() string {
	if u.Open != nil {
		return u.Name
	}
	return fmt.Sprintf("%q", u.Name)
}

// A conflict is a file that would be written for two purposes, or read and
// written.
type conflict struct {
	use, other Use
	read       bool // the other purpose is reading
}

func (e *conflict) Error() string {
	same := ""
	if filepath.Clean(e.use.Name) != filepath.Clean(e.other.Name) {
		same = fmt.Sprintf(" (as %s)", e.other.title())
	}
	verb, role := "used by", e.other.Role
	switch {
	case e.read:
		verb = "read as"
	case role == "" && e.use.Role == "":
		role = "another output"
	case role == "":
		role = "an output"
	}
	return fmt.Sprintf("reading %s: %s is %s %s%s", e.use.Flag, e.use.title(), verb, role, same)
}

// Check refuses files that would be written for two purposes at once, and
// those that are written and read, whatever links lead to them.
func Check(written, read []Use) error {
	var errs []error
	ids := make([]fileID, len(written))
	for i, w := range written {
		ids[i] = identify(w)
		if at := slices.IndexFunc(ids[:i], ids[i].same); at >= 0 {
			errs = append(errs, fault.Usagef("use a separate file for each", "%w", &conflict{use: w, other: written[at]}))
		}
	}
	for _, r := range read {
		id := identify(r)
		if at := slices.IndexFunc(ids, id.same); at >= 0 {
			errs = append(errs, fault.Usagef("write to another file: the run would overwrite its own input", "%w", &conflict{use: written[at], other: r, read: true}))
		}
	}
	return errors.Join(errs...)
}

// IsConflict reports whether err tells of a file with two purposes.
func IsConflict(err error) bool { return errors.As(err, new(*conflict)) }

// A fileID is what tells one file from another.
type fileID struct {
	info os.FileInfo // nil if there is nothing yet
	path string      // where it will be, links followed; "" if info is set
}

// identify finds out which file a use is of. A use without a file gives the
// zero fileID.
func identify(u Use) fileID {
	if u.Open != nil {
		info, err := u.Open.Stat()
		if err != nil {
			return fileID{}
		}
		return fileID{info: info}
	}
	if u.Name == "" {
		return fileID{}
	}
	if info, err := os.Stat(u.Name); err == nil {
		return fileID{info: info}
	}
	return fileID{path: target(u.Name)}
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
