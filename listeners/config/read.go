package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// skipped are folders that contain no configuration of their own.
var skipped = []string{".git", ".hg", ".svn", "node_modules", "vendor", "__pycache__"}

// A Found is a file of a known kind.
type Found struct {
	Name string // in the tree
	Kind string // "Postfix master.cf"
}

// Read reads the configuration files among the paths: each file that a path names, and
// those of a known kind below each folder that one names. Symbolic links below a
// folder are not followed. It also returns the files that were of a known kind.
//
// A file that cannot be read, or that is named and of no known kind, gives a Doubt. The
// error is a usage error for a path that does not exist.
func Read(t *source.Tree, paths ...string) (listeners.Config, []Found, error) {
	var c listeners.Config
	files, named, err := find(t, paths)
	if err != nil {
		return c, nil, err
	}
	var found []Found
	done := map[string]bool{} // files that a reader has read, by itself or as a part of another
	for pass := range 2 {
		for _, name := range files {
			if done[name] {
				continue
			}
			k := kindOf(t, name)
			switch {
			case k == nil && named[name] && pass == 1:
				c.Doubts = append(c.Doubts, doubt(t, name, "of no known kind of configuration file"))
			case k == nil, k.part && pass == 0:
			default:
				found = append(found, Found{name, k.name})
				c.Add(k.readFile(t, name))
				for _, part := range t.Files() {
					done[part] = true
				}
				done[name] = true
			}
		}
	}
	slices.SortFunc(found, func(a, b Found) int { return strings.Compare(a.Name, b.Name) })
	return c, found, nil
}

// readFile reads one file with the reader of its kind.
func (k *kind) readFile(t *source.Tree, name string) listeners.Config {
	f, err := t.Read(name)
	if err != nil {
		return listeners.Config{Doubts: []listeners.Doubt{doubt(t, name, fault.WithoutPath(err).Error())}}
	}
	return k.read(t, f)
}

// doubt is a doubt about a whole file.
func doubt(t *source.Tree, name, problem string) listeners.Doubt {
	return listeners.Doubt{Problem: problem, At: result.Anchor{File: t.ShownName(name), Line: 1}}
}

// find returns the files that the paths name and contain, in the order of the paths
// and then of their names, each once; named has those that a path names itself.
func find(t *source.Tree, paths []string) (files []string, named map[string]bool, err error) {
	named = map[string]bool{}
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			files = append(files, name)
		}
	}
	for _, p := range paths {
		p = path.Clean(p)
		info, err := fs.Stat(t.FS, p)
		if err != nil {
			return nil, nil, fault.Usagef("give files and folders that exist", "reading %q: %w", t.ShownName(p), fault.WithoutPath(err))
		}
		if !info.IsDir() {
			named[p] = true
			add(p)
			continue
		}
		if err := walk(t.FS, p, add); err != nil {
			return nil, nil, fault.Usagef("give smaller folders", "reading %q: %w", t.ShownName(p), err)
		}
	}
	return files, named, nil
}

// maxWalked is how many files one walk looks at.
const maxWalked = 1_000_000

var errLarge = errors.New("the folder has too many files")

// walk calls add with each regular file below a folder. What cannot be read is left
// out: its owner did not mean it to be read.
func walk(fsys fs.FS, dir string, add func(string)) error {
	n := 0
	return fs.WalkDir(fsys, dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil && e != nil && e.IsDir():
			return fs.SkipDir
		case err != nil:
			return nil
		case e.IsDir() && name != dir && slices.Contains(skipped, e.Name()):
			return fs.SkipDir
		case e.Type().IsRegular():
			if n++; n > maxWalked {
				return fmt.Errorf("%w (%d)", errLarge, maxWalked)
			}
			add(name)
		}
		return nil
	})
}
