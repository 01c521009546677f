// Package outfile writes files that are either complete or absent, and detects
// files that would serve two purposes.
package outfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// A File is an output file that is being written. It gets its name only when it
// is complete, so that a reader never sees half a report and an old one stays
// until then. A file written in place keeps its old content until the first byte
// is written, so that Discard before it changes nothing.
type File struct {
	f     *os.File
	w     io.Writer // to f
	temp  string    // where it is written until it is whole; "" if in place
	name  string
	mode  Mode
	made  bool // this run created the file, in place
	begun bool // the old content is gone, or was never there
}

// A Mode says how a file is written. The zero Mode is for a report that appears
// when it is complete.
type Mode struct {
	// InPlace is for formats that are valid wherever they are cut, and for
	// files that cannot be renamed in their directory.
	InPlace bool

	// Private makes the file accessible only to its owner (0600). Otherwise a new
	// file follows the umask, and a replaced one keeps its permissions. On
	// Windows a file has the permissions of its folder.
	Private bool

	// Done, when closed, ends the wait for the reader of a FIFO. If nil, only
	// FIFOWait does.
	Done <-chan struct{}
}

// Name returns the final name of the file, with links resolved.
func (o *File) Name() string { return o.name }

// perm returns the permissions of a new file, before the umask.
func (m Mode) perm() os.FileMode {
	if m.Private {
		return 0o600
	}
	return 0o666
}

// Create opens name for writing without changing its content. A file that is not
// regular is written in place.
func Create(name string, mode Mode) (*File, error) {
	info, err := os.Stat(name)
	exists := err == nil
	if mode.InPlace || exists && !info.Mode().IsRegular() {
		f, err := openInPlace(name, info, mode)
		if err != nil {
			return nil, err
		}
		out := &File{f: f, w: f, name: name, mode: mode, made: !exists}
		if exists && !info.Mode().IsRegular() {
			out.w = Stoppable(f, mode.Done)
		}
		return out, nil
	}
	if exists {
		// A file that must not be written must not be replaced either.
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
		// A symbolic link stays: its target is replaced.
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return nil, err
		}
	}
	f, err := createTemp(name, mode.perm())
	if err != nil {
		return nil, err
	}
	out := &File{f: f, w: f, temp: f.Name(), name: name, mode: mode}
	if exists && !mode.Private {
		if err := f.Chmod(info.Mode().Perm()); err != nil {
			out.Discard()
			return nil, err
		}
	}
	return out, nil
}

// openInPlace opens a file to be written in place. info describes an existing
// file; nil if there is none.
func openInPlace(name string, info os.FileInfo, mode Mode) (*os.File, error) {
	if info != nil && info.Mode()&os.ModeNamedPipe != 0 {
		return openFIFO(name, mode.Done)
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE, mode.perm())
}

// begin removes what an earlier run left: the old content of a file that is
// written in place, and the temporary files of runs that were killed.
func (o *File) begin() error {
	if o.begun {
		return nil
	}
	o.begun = true
	if o.temp != "" {
		removeLeftovers(o.name)
		return nil
	}
	info, err := o.f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	if o.mode.Private {
		// A file of another user keeps its permissions.
		if err := o.f.Chmod(0o600); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return o.f.Truncate(0)
}

// Write implements [io.Writer].
func (o *File) Write(p []byte) (int, error) {
	if err := o.begin(); err != nil {
		return 0, err
	}
	return o.w.Write(p)
}

// Commit completes the file and gives it its name.
func (o *File) Commit() error {
	if err := o.begin(); err != nil {
		o.Discard()
		return err
	}
	if o.temp == "" {
		return o.f.Close()
	}
	release, err := closeLocked(o.f)
	defer release()
	if err != nil {
		os.Remove(o.temp)
		return err
	}
	if err := os.Rename(o.temp, o.name); err != nil {
		// Windows cannot replace a file that another program has open.
		return fmt.Errorf("%w; until the next run the report is in %q", fault.WithoutPath(err), o.temp)
	}
	return nil
}

// Discard abandons the file; an existing file with its name stays. A file written
// in place keeps what was written, or is removed if it is new and empty.
func (o *File) Discard() {
	o.f.Close()
	if o.temp != "" {
		os.Remove(o.temp)
		return
	}
	if info, err := os.Stat(o.name); o.made && err == nil && info.Size() == 0 {
		os.Remove(o.name)
	}
}

// Exists reports whether a file with that name exists.
func Exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
