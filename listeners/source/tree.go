package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/textfile"
)

// The bounds of a Tree, unless it sets its own.
const (
	MaxSize  = 10 << 20 // bytes of a file
	MaxFiles = 10_000
)

// ErrTooMany is the error of a read beyond the number of files of a Tree.
var ErrTooMany = errors.New("too many files")

// A Tree reads files of a file system, each once, and no more than its bounds allow. It
// must not be used by several goroutines at once.
type Tree struct {
	// FS has the files. Names in it are slash-separated, without a leading slash. For
	// files of others it should be the FS of an os.Root: that of os.DirFS follows links
	// out of the folder.
	FS fs.FS

	// Shown returns the name of a file in messages and anchors; nil means the name in
	// FS.
	Shown func(name string) string

	// Dir is the folder of this machine that FS has, for libraries that take paths; ""
	// if FS is none of this machine.
	Dir string

	MaxSize  int64 // bytes of one file; 0 is MaxSize
	MaxFiles int   // files in all; 0 is MaxFiles

	files map[string]*File
}

// Read returns the file with a name of FS. The errors are those of FS, ErrTooMany, and
// what says that the file is too large, no regular file, or no text.
func (t *Tree) Read(name string) (*File, error) {
	if f := t.files[name]; f != nil {
		return f, nil
	}
	if len(t.files) >= orDefault(t.MaxFiles, MaxFiles) {
		return nil, fmt.Errorf("reading %q: %w", t.ShownName(name), ErrTooMany)
	}
	text, err := t.text(name)
	if err != nil {
		return nil, err
	}
	if t.files == nil {
		t.files = map[string]*File{}
	}
	f := NewFile(name, t.ShownName(name), text)
	t.files[name] = f
	return f, nil
}

// text reads a file.
func (t *Tree) text(name string) (string, error) {
	info, err := fs.Stat(t.FS, name) // before it is opened: a FIFO would block
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("reading %q: not a regular file", t.ShownName(name))
	}
	r, err := t.FS.Open(name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	limit := orDefault(t.MaxSize, MaxSize)
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return "", fmt.Errorf("reading %q: %w", t.ShownName(name), err)
	}
	if int64(len(data)) > limit {
		return "", fmt.Errorf("reading %q: larger than %d MiB", t.ShownName(name), limit>>20)
	}
	data = textfile.UTF8(data)
	if fault := textfile.Check(data); fault != nil && fault.Whole {
		return "", fmt.Errorf("reading %q: %s", t.ShownName(name), fault.Text)
	}
	return string(data), nil
}

// headSize is how many bytes Head returns at most.
const headSize = 4 << 10

// Head returns the beginning of a file, at most 4 KiB, to see what it is; "" if it cannot
// be read. It does not count as a read.
func (t *Tree) Head(name string) string {
	if f := t.files[name]; f != nil {
		return f.Text[:min(len(f.Text), headSize)]
	}
	if info, err := fs.Stat(t.FS, name); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	r, err := t.FS.Open(name)
	if err != nil {
		return ""
	}
	defer r.Close()
	head, err := io.ReadAll(io.LimitReader(r, headSize))
	if err != nil {
		return ""
	}
	return string(head)
}

// Files returns the names of the files that were read, sorted.
func (t *Tree) Files() []string {
	var names []string
	for name := range t.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Find returns the names in FS that a path in the file from can mean, which may be a
// pattern of path.Match; nil if no file is there. A relative path is relative to the
// folder of from. An absolute path is looked for in FS, and then in each folder above
// from that takes the place of the root: in "image/etc/dovecot/dovecot.conf" the path
// "/etc/dovecot/local.conf" is "image/etc/dovecot/local.conf".
func (t *Tree) Find(from, pattern string) []string {
	if !path.IsAbs(pattern) {
		return t.glob(path.Join(path.Dir(from), pattern))
	}
	pattern = strings.TrimPrefix(path.Clean(pattern), "/")
	if names := t.glob(pattern); names != nil {
		return names
	}
	for dir := path.Dir(from); dir != "."; dir = path.Dir(dir) {
		if names := t.glob(path.Join(dir, pattern)); names != nil {
			return names
		}
	}
	return nil
}

// Local returns the path on this machine of a name in FS; the name itself if Dir is not
// set.
func (t *Tree) Local(name string) string {
	return filepath.Join(t.Dir, filepath.FromSlash(name))
}

// FindLocal returns the name in FS that a path in the file from means, where the path may
// also be one that Local returned; "" if no file is there.
func (t *Tree) FindLocal(from, name string) string {
	if rel, err := filepath.Rel(t.Dir, name); t.Dir != "" && filepath.IsAbs(name) && err == nil && filepath.IsLocal(rel) {
		name = filepath.ToSlash(rel)
		if _, err := fs.Stat(t.FS, name); err == nil {
			return name
		}
		return ""
	}
	name = path.Join(path.Dir(from), filepath.ToSlash(name))
	if _, err := fs.Stat(t.FS, name); err != nil {
		return ""
	}
	return name
}

// glob returns the files of a pattern, sorted; nil if it has none or is no pattern.
func (t *Tree) glob(pattern string) []string {
	if strings.HasPrefix(pattern, "../") || pattern == ".." {
		return nil
	}
	names, err := fs.Glob(t.FS, pattern)
	if err != nil {
		return nil
	}
	return names
}

// ShownName returns the name of a file in messages and anchors.
func (t *Tree) ShownName(name string) string {
	if t.Shown == nil {
		return name
	}
	return t.Shown(name)
}

// orDefault returns n, or otherwise if n is 0.
func orDefault[N int | int64](n, otherwise N) N {
	if n == 0 {
		return otherwise
	}
	return n
}
