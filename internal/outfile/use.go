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

// A Use is one file of a run and its purpose.
type Use struct {
	Flag string // for messages, as the user wrote it: flag "--pcap", output "json=run.json"
	Role string // its name in messages about another file: "the policy"; "" for an output
	Name string // "" if there is none; a file name or, for an open stream, the name of the stream
	Open *os.File
}

// title returns the name of the file for messages.
func (u Use) title() string {
	if u.Open != nil {
		return u.Name
	}
	return fmt.Sprintf("%q", u.Name)
}

// A conflict reports a file that would be written for two purposes, or read and
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

// Check returns an error if a file would be written for two purposes, or read and
// written, through whatever links.
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

// IsConflict reports whether err is about a file with two purposes.
func IsConflict(err error) bool { return errors.As(err, new(*conflict)) }

// A fileID identifies a file.
type fileID struct {
	info os.FileInfo // nil if the file does not exist yet
	path string      // its future path, with links resolved; "" if info is set
}

// identify returns the file of a use. For a use without a file it returns the
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

// same reports whether both are the same file. Devices and sockets, like
// /dev/null or a terminal, can be written for several purposes, and are never the
// same.
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

// target returns the path of the file that would be created for a name: the name
// itself, or the target of a dangling link.
func target(name string) string {
	const maxLinks = 40 // as on Linux (path_resolution(7))
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
