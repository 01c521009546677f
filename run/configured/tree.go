package configured

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// systemFolder is where a machine has its own configuration: files there include others by
// their full path, through symbolic links that os.Root does not follow.
const systemFolder = "/etc"

// open returns the tree that has the paths, and their names in it. It is the whole file
// system for paths below /etc, else the checkout that contains them all, else the deepest
// folder that contains them all, of a file two levels above its own: files outside of it
// are not read, whatever the files say.
// The tree is closed with the returned function.
func open(paths []string) (t *source.Tree, names []string, done func(), err error) {
	real := make([]string, len(paths))
	for i, p := range paths {
		if real[i], err = realPath(p); err != nil {
			return nil, nil, nil, fault.Usagef("give files and folders that exist", "reading %q: %w", p, fault.WithoutPath(err))
		}
	}
	dir, checkout := baseOf(real, systemFolder)
	t = &source.Tree{Dir: dir}
	if !checkout && dir != "/" {
		t.Shown = func(name string) string { return fullName(t.Local(name)) }
	}
	done = func() {}
	if dir == "/" {
		t.FS = os.DirFS(dir)
	} else {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, nil, nil, fault.Usagef("give folders that can be read", "reading %q: %w", dir, fault.WithoutPath(err))
		}
		t.FS, done = root.FS(), func() { root.Close() }
	}
	for _, p := range real {
		rel, err := filepath.Rel(dir, p)
		if err != nil || !fs.ValidPath(filepath.ToSlash(rel)) {
			done()
			return nil, nil, nil, fault.Usagef("give paths on one drive", "reading %q: it is not below %q", p, dir)
		}
		names = append(names, filepath.ToSlash(rel))
	}
	return t, names, done, nil
}

// fullName returns the name of a file of which no checkout is known: its path without the slash in
// front. It does not depend on which other paths are given, and neither do the ids of findings.
func fullName(path string) string { return strings.TrimPrefix(filepath.ToSlash(path), "/") }

// Root returns what makes a path on this machine of the name of a file that reports show: "/" of
// a full path without its first slash, "" in a checkout.
func (a *Audit) Root() string {
	if runtime.GOOS != "windows" && (a.tree.Shown != nil || a.tree.Dir == "/") {
		return "/"
	}
	return ""
}

// realPath returns the absolute path of a file that exists, without symbolic links.
func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// baseOf returns the folder of the tree for paths as realPath returns them, on a machine whose own
// configuration is in the folder system. It depends on nothing but these: a command finds the same
// wherever it is started. checkout says that the folder is one.
func baseOf(paths []string, system string) (dir string, checkout bool) {
	if runtime.GOOS != "windows" && all(paths, func(p string) bool { return within(system, p) }) {
		return "/", false // before the checkout, which etckeeper makes of /etc
	}
	if tree, ok := checkoutOf(common(paths[0], paths)); ok {
		return tree, true
	}
	return common(folderOf(paths[0]), paths), false
}

// common returns the deepest folder, from dir upwards, that contains all paths.
func common(dir string, paths []string) string {
	for _, p := range paths {
		for !within(dir, p) && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir)
		}
	}
	return dir
}

// checkoutOf returns the checkout in which a file or folder is.
func checkoutOf(path string) (dir string, ok bool) {
	for dir = path; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir, true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}

// folderOf returns the path if it is a folder; else, for a file, the folder two levels above
// its own: the folders of etc/default/postgrey or haproxy/conf.d/imap.cfg say what the file
// is. It is never that of the whole file system.
func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	dir := filepath.Dir(path)
	for range 2 {
		if above := filepath.Dir(dir); above != filepath.Dir(above) {
			dir = above
		}
	}
	return dir
}

// within reports whether a path is a folder or below it.
func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// all reports whether each path has a property.
func all(paths []string, has func(string) bool) bool {
	for _, p := range paths {
		if !has(p) {
			return false
		}
	}
	return true
}
