package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/mxsweep/mxsweep/internal/textfile"
)

// The bounds of a Tree, unless it sets its own.
const (
	MaxSize  = 10 << 20 // bytes of a file
	MaxFiles = 10_000
)

// maxTotal is how many bytes all files may have.
const maxTotal = 256 << 20

// ErrTooMany is the error of a read beyond the number of files of a Tree, or beyond what all
// of them may have.
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
	texts map[string]*File // by their names without links
	total int

	lookedAt int // bytes
	again    int // see Again

	uses    map[string]bool // see Uses
	unread  []Unread
	refused map[string]bool // the names in unread
	search
}

// Read returns the file with a name of FS. The errors are those of FS, ErrTooMany, and
// what says that the file is too large, no regular file, or no text. All but that of a file
// that does not exist are also in Unread.
func (t *Tree) Read(name string) (*File, error) {
	f, err := t.read(name)
	if err != nil {
		t.refuse(name, err)
		return nil, err
	}
	if real, err := t.Real(name); err == nil && t.uses != nil && !t.uses[real] {
		t.uses[real] = false
	}
	return f, nil
}

// Include is Read for a file that is a part of the configuration that is being read, and
// needs not be read by itself: Uses says so.
func (t *Tree) Include(name string) (*File, error) {
	f, err := t.Read(name)
	if err != nil {
		return nil, err
	}
	if real, err := t.Real(name); err == nil && t.uses != nil {
		t.uses[real] = true
	}
	return f, nil
}

// Uses calls do, and returns the files that it read, by what Real returns for them: true
// for those that it included.
func (t *Tree) Uses(do func()) map[string]bool {
	t.uses = map[string]bool{}
	do()
	uses := t.uses
	t.uses = nil
	return uses
}

// maxAgain is how many bytes of files are gone through again in all.
const maxAgain = 32 << 20

// errAgain is the error of files that are gone through too often.
var errAgain = errors.New("there are more files that count for each other than are looked at")

// Again reports whether a file may be gone through once more because another one depends on it.
// If too much was, it may not, which Unread says.
func (t *Tree) Again(f *File) bool {
	if t.again += len(f.Text); t.again <= maxAgain {
		return true
	}
	t.refuse("", errAgain)
	return false
}

// An Unread is a file or a folder that was looked for, is there, and could not be read.
type Unread struct {
	Name string
	Err  error // begins with its shown name, or is one of FS
}

// Unread returns what could not be read, in the order in which it was looked for, each
// once: the files of Read, and the folders of Find.
func (t *Tree) Unread() []Unread { return t.unread }

// refuse notes what could not be read.
func (t *Tree) refuse(name string, err error) {
	if errors.Is(err, ErrTooMany) {
		name = "" // once is enough
	}
	if errors.Is(err, fs.ErrNotExist) || t.refused[name] {
		return
	}
	if t.refused == nil {
		t.refused = map[string]bool{}
	}
	t.refused[name] = true
	t.unread = append(t.unread, Unread{name, err})
}

func (t *Tree) read(name string) (*File, error) {
	if f := t.files[name]; f != nil {
		return f, nil
	}
	real, err := t.Real(name)
	if err != nil {
		return nil, err
	}
	if len(t.files) >= orDefault(t.MaxFiles, MaxFiles) || t.total > maxTotal {
		return nil, fmt.Errorf("reading %q: %w", t.ShownName(name), ErrTooMany)
	}
	if t.files == nil {
		t.files, t.texts = map[string]*File{}, map[string]*File{}
	}
	if f := t.texts[real]; f != nil { // by another name
		again := *f
		again.Name, again.shown = name, t.ShownName(name)
		t.files[name] = &again
		return &again, nil
	}
	text, err := t.text(real)
	if err != nil {
		return nil, err
	}
	f := NewFile(name, t.ShownName(name), text)
	t.total += len(text)
	t.files[name], t.texts[real] = f, f
	return f, nil
}

// text reads a file.
func (t *Tree) text(name string) (string, error) {
	if name == Null {
		return "", nil
	}
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
// be read, which Unread then says. It does not count as a read.
func (t *Tree) Head(name string) string {
	if f := t.files[name]; f != nil {
		return f.Text[:min(len(f.Text), headSize)]
	}
	head, err := t.head(name)
	if err != nil {
		t.refuse(name, err)
	}
	return head
}

// head is Head for a file that was not read.
func (t *Tree) head(name string) (string, error) {
	name, err := t.Real(name)
	if err != nil || name == Null {
		return "", err
	}
	if info, err := fs.Stat(t.FS, name); err != nil || !info.Mode().IsRegular() {
		return "", err
	}
	r, err := t.FS.Open(name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	head, err := io.ReadAll(io.LimitReader(r, headSize))
	return string(head), err
}

// maxLookedAt is how many bytes Look returns in all.
const maxLookedAt = 1 << 30

// Look returns the text of a file, to see what it is: of one that is too large, or no text, its
// beginning, as Head does. It returns "" if it cannot be read, which Unread then says. It does
// not count as a read; of all files together it returns at most 1 GiB and then their beginnings,
// which Unread says, too.
func (t *Tree) Look(name string) string {
	if f := t.files[name]; f != nil {
		return f.Text
	}
	real, err := t.Real(name)
	if err != nil {
		return t.Head(name)
	}
	if t.lookedAt >= maxLookedAt {
		t.refuse(name, fmt.Errorf("what kind of file it is: %w", ErrTooMany))
		return t.Head(name)
	}
	text, err := t.text(real)
	if err != nil {
		return t.Head(name)
	}
	t.lookedAt += len(text)
	return text
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

// Local returns the path on this machine of a name in FS; the name itself if Dir is not
// set.
func (t *Tree) Local(name string) string {
	return filepath.Join(t.Dir, filepath.FromSlash(name))
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
