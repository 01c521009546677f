package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// skipped are folders that contain no configuration of their own.
var skipped = []string{".git", ".hg", ".svn", "node_modules", "__pycache__"}

// vendored are files and folders that Go, Composer and Bundler make in a folder vendor: with
// one of them it is a copy of what others wrote.
var vendored = []string{"modules.txt", "autoload.php", "bundle"}

// skips reports whether a folder is not searched.
func (f *files) skips(name string) bool {
	base := path.Base(name)
	return slices.Contains(skipped, base) || base == "vendor" && slices.ContainsFunc(vendored, func(mark string) bool {
		_, err := fs.Stat(f.tree.FS, path.Join(name, mark))
		return err == nil
	})
}

// files are those that paths name and contain, in the order of the paths and then of
// their names, each name once.
type files struct {
	list []file

	tree    *source.Tree
	at      map[string]int      // where a name is in list
	folders []string            // of the paths
	links   map[string][]string // by folder: links that were not followed
	doubts  []listeners.Doubt   // about what was not looked at
	walked  int
}

// A file is one of them.
type file struct {
	name, real string // real is without symbolic links
	named      bool   // a path names it
	kinds      []*kind
}

// maxWalked is how many files are looked at.
const maxWalked = 1_000_000

var errLarge = errors.New("the folder has too many files")

// find returns the files of the paths.
func find(t *source.Tree, paths []string) (*files, error) {
	f := &files{tree: t, at: map[string]int{}, links: map[string][]string{}}
	for _, p := range paths {
		p = path.Clean(p)
		real, err := t.Real(p)
		info, statErr := fs.Stat(t.FS, real)
		if err == nil && real != source.Null {
			err = statErr
		}
		switch {
		case err != nil:
			return nil, fault.Usagef("give files and folders that exist", "reading %q: %w", t.ShownName(p), fault.WithoutPath(err))
		case real == source.Null, !info.IsDir():
			f.add(file{name: p, real: real, named: true})
		default:
			f.folders = append(f.folders, real)
			if err := f.walk(real); err != nil {
				return nil, fault.Usagef("give smaller folders", "reading %q: %w", t.ShownName(p), err)
			}
		}
	}
	f.doubtLinks()
	return f, nil
}

// add adds a file, once.
func (f *files) add(one file) {
	if i, ok := f.at[one.name]; ok {
		f.list[i].named = f.list[i].named || one.named
		return
	}
	f.at[one.name] = len(f.list)
	f.list = append(f.list, one)
}

// walk adds each file below a folder. A folder that cannot be read is a doubt.
func (f *files) walk(dir string) error {
	return fs.WalkDir(f.tree.FS, dir, func(name string, e fs.DirEntry, err error) error {
		if f.walked++; f.walked > maxWalked {
			return fmt.Errorf("%w (%d)", errLarge, maxWalked)
		}
		switch {
		case err != nil:
			f.doubt(name, "what is in it is not known: "+fault.WithoutPath(err).Error())
			if e != nil && e.IsDir() {
				return fs.SkipDir
			}
		case e.IsDir() && name != dir && f.skips(name):
			return fs.SkipDir
		case e.Type()&fs.ModeSymlink != 0:
			f.link(name)
		case e.Type().IsRegular():
			f.add(file{name: name, real: name})
		}
		return nil
	})
}

// doubt adds a doubt about a file or folder.
func (f *files) doubt(name, problem string) {
	f.doubts = append(f.doubts, listeners.Doubt{Problem: problem, At: place(f.tree, name)})
}

// link adds the file to which a symbolic link leads, or remembers the link.
func (f *files) link(name string) {
	real, err := f.tree.Real(name)
	if real == source.Null {
		return // what is switched off, configures nothing
	}
	if err == nil {
		switch info, err := fs.Stat(f.tree.FS, real); {
		case err != nil, !info.IsDir() && !info.Mode().IsRegular():
			return // what leads to nothing, configures nothing
		case info.Mode().IsRegular():
			f.add(file{name: name, real: real})
			return
		}
	}
	f.links[path.Dir(name)] = append(f.links[path.Dir(name)], name)
}

// doubtLinks adds a doubt for each folder with links that lead to where no path is.
func (f *files) doubtLinks() {
	for _, dir := range slices.Sorted(maps.Keys(f.links)) {
		links := slices.DeleteFunc(f.links[dir], func(name string) bool {
			real, err := f.tree.Real(name)
			return err == nil && f.contains(real)
		})
		switch len(links) {
		case 0:
		case 1:
			f.doubt(links[0], "a symbolic link that leads out of what is read")
		default:
			f.doubt(links[0], fmt.Sprintf("this symbolic link and %d more of its folder lead out of what is read", len(links)-1))
		}
	}
}

// contains reports whether a folder is one of the paths or below one.
func (f *files) contains(folder string) bool {
	return slices.ContainsFunc(f.folders, func(p string) bool {
		return p == "." || folder == p || strings.HasPrefix(folder, p+"/")
	})
}
