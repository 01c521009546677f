// Package outfile writes files that are whole or not there at all, and tells when
// one file would serve two purposes.
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

// A File is a file on its way. It gets its name only when it is whole, so that a
// reader never sees half a report and an old one stays until then. A file that is
// written in place keeps its old content until the first byte is written: what is
// opened and discarded leaves everything as it was.
type File struct {
	f     *os.File
	w     io.Writer // to f
	temp  string    // where it is written until it is whole; "" if in place
	name  string
	mode  Mode
	made  bool // this run created the file, in place
	begun bool // the old content is gone, or was never there
}

// A Mode says how a file is written. The zero Mode is that of a report which
// appears when it is whole.
type Mode struct {
	// InPlace is for formats that are valid wherever they are cut, and for
	// files that cannot be renamed in their directory.
	InPlace bool

	// Private leaves the file to its owner alone (0600). Otherwise a new file
	// follows the umask, and one that is replaced keeps its permissions. On
	// Windows a file has the rights that its folder gives.
	Private bool

	// Done ends the wait for somebody who reads a FIFO, and soon that for one who has
	// opened it and does not read. Nil never does.
	Done <-chan struct{}
}

// Name is the name of the file as it will be, links followed.
func (o *File) Name() string { return o.name }

// perm is the mode of a new file, before the umask.
func (m Mode) perm() os.FileMode {
	if m.Private {
		return 0o600
	}
	return 0o666
}

// Create opens name for writing and changes nothing of what is there.
// What is no regular file is written in place.
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
		// A file that must not be changed must not be replaced either.
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
		// A link keeps pointing at what it pointed at.
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

// openInPlace opens a file that keeps its name. Info is what stands there, nil
// if nothing does.
func openInPlace(name string, info os.FileInfo, mode Mode) (*os.File, error) {
	if info != nil && info.Mode()&os.ModeNamedPipe != 0 {
		return openFIFO(name, mode.Done)
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE, mode.perm())
}

// begin takes away what an earlier run left: the old content of a file that is
// written in place, and the files on their way of runs that were killed.
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
		// Somebody else's file stays as open as its owner has it.
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

// Commit ends the file and gives it its name.
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
		// Windows replaces no file that another program holds open.
		return fmt.Errorf("%w; until the next run the report is in %q", fault.WithoutPath(err), o.temp)
	}
	return nil
}

// Discard ends the file and leaves what had the name before. A file written in
// place stays as far as it came, unless it is still empty.
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

// Exists reports whether there is something of that name.
func Exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
