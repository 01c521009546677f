package source

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// A search is what a Tree remembers of where files are.
type search struct {
	found   map[string][]string // by pattern
	folders map[string][]fs.DirEntry
	real    map[string]string // folders, by their names without links
	looked  int               // how many names were compared
}

// The bounds of a search: how many names of files all patterns are compared with, and how
// long a pattern may be.
const (
	maxLooked  = 2_000_000
	maxPattern = 4096 // PATH_MAX of Linux
)

// errSearch is the error of a search that is too long.
var errSearch = errors.New("there are more files to look through for those that are included than are looked at")

// Find returns the names in FS that a path in the file from can mean, which may be a
// pattern of path.Match; nil if no file is there. A relative path is relative to the
// folder of from. An absolute path is looked for in FS, and then in each folder above
// from that takes the place of the root: in "image/etc/dovecot/dovecot.conf" the path
// "/etc/dovecot/local.conf" is "image/etc/dovecot/local.conf". The caller must not change
// the list.
func (t *Tree) Find(from, pattern string) []string {
	if !path.IsAbs(pattern) {
		return t.glob(path.Join(path.Dir(from), pattern))
	}
	pattern = strings.TrimPrefix(path.Clean(pattern), "/")
	for dir := range roots(from) {
		if names := t.glob(path.Join(dir, pattern)); names != nil {
			return names
		}
	}
	return nil
}

// roots yields the folders that can be the root of the machine to which a file belongs: FS
// itself, and each folder above the file.
func roots(from string) func(func(string) bool) {
	return func(yield func(string) bool) {
		if !yield(".") {
			return
		}
		for dir := path.Dir(from); dir != "." && dir != "/"; dir = path.Dir(dir) {
			if !yield(dir) {
				return
			}
		}
	}
}

// FindLocal returns the name in FS that a path in the file from means, where the path may
// also be one that Local returned; "" if no file is there.
func (t *Tree) FindLocal(from, name string) string {
	if rel, err := filepath.Rel(t.Dir, name); t.Dir != "" && filepath.IsAbs(name) && err == nil && filepath.IsLocal(rel) {
		name = filepath.ToSlash(rel)
	} else {
		name = path.Join(path.Dir(from), filepath.ToSlash(name))
	}
	if !t.exists(name) {
		return ""
	}
	return name
}

// exists reports whether there is a file or a folder.
func (t *Tree) exists(name string) bool {
	real, err := t.Real(name)
	if err == nil && real != Null {
		_, err = fs.Stat(t.FS, real)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errLoop) || errors.Is(err, errLeads) {
		t.refuse(name, err)
	}
	return err == nil
}

// glob returns the files of a pattern, sorted; nil if it has none or is no pattern.
func (t *Tree) glob(pattern string) []string {
	if strings.HasPrefix(pattern, "../") || pattern == ".." || len(pattern) > maxPattern {
		return nil
	}
	if names, ok := t.found[pattern]; ok {
		return names
	}
	names := t.expand(pattern)
	if t.found == nil {
		t.found = map[string][]string{}
	}
	t.found[pattern] = names
	return names
}

// expand is glob without a memory.
func (t *Tree) expand(pattern string) []string {
	switch _, err := path.Match(pattern, ""); {
	case err != nil:
		return nil
	case strings.ContainsAny(pattern, `*?[\`):
	case t.exists(pattern):
		return []string{pattern}
	default:
		return nil
	}
	dir, file := path.Split(pattern)
	dirs := []string{"."}
	if dir = path.Clean(dir); dir != "." {
		dirs = t.glob(dir)
	}
	var names []string
	for _, dir := range dirs {
		for _, e := range t.folder(dir) {
			if t.looked += 1 + len(file)/64; t.looked > maxLooked {
				t.refuse("", errSearch)
				return names
			}
			if ok, _ := path.Match(file, e.Name()); ok {
				names = append(names, path.Join(dir, e.Name()))
			}
		}
	}
	return names
}

// folder returns what is in a folder; nothing if it is none.
func (t *Tree) folder(name string) []fs.DirEntry {
	real, err := t.Real(name)
	if err != nil {
		t.refuse(name, err)
		return nil
	}
	if list, ok := t.folders[real]; ok {
		return list
	}
	list, err := fs.ReadDir(t.FS, real)
	if info, statErr := fs.Stat(t.FS, real); err != nil && statErr == nil && info.IsDir() {
		t.refuse(name, err)
	}
	if t.folders == nil {
		t.folders = map[string][]fs.DirEntry{}
	}
	t.folders[real] = list
	return list
}

// The errors of symbolic links.
var (
	errLoop  = errors.New("too many symbolic links follow on each other")
	errLeads = errors.New("a symbolic link leads out of the files that are read")
)

// Null is what Real returns for a link to /dev/null. It reads as an empty file, as it does for
// a daemon: systemctl mask and others switch a file off in that way.
const Null = "dev/null"

// maxLinks is how many symbolic links may follow on each other, as on Linux
// (path_resolution(7)).
const maxLinks = 40

// Real returns the name of a file without symbolic links. An absolute link is one of the
// machine to which the file belongs, as the absolute path of Find is. The last part of the
// name need not exist. It returns Null for a link to /dev/null.
func (t *Tree) Real(name string) (string, error) {
	links, ok := t.FS.(fs.ReadLinkFS)
	if !ok {
		return name, nil
	}
	hops := 0
	return t.follow(links, name, &hops)
}

// follow is Real, for a name that hops links led to.
func (t *Tree) follow(links fs.ReadLinkFS, name string, hops *int) (string, error) {
	name = path.Clean(name)
	if name == "." {
		return name, nil
	}
	if real, ok := t.real[name]; ok {
		return real, nil
	}
	if !fs.ValidPath(name) {
		return "", errLeads
	}
	dir, err := t.follow(links, path.Dir(name), hops)
	if err != nil {
		return "", err
	}
	real := path.Join(dir, path.Base(name))
	info, err := links.Lstat(real)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return real, nil // which is not remembered: there are many such names
	case err != nil:
		return "", err
	case info.Mode()&fs.ModeSymlink != 0:
		if *hops++; *hops > maxLinks {
			return "", errLoop
		}
		target, err := links.ReadLink(real)
		if err != nil {
			return "", err
		}
		if real, err = t.target(links, real, target, hops); err != nil {
			return "", err
		}
	}
	if t.real == nil {
		t.real = map[string]string{}
	}
	t.real[name] = real
	return real, nil
}

// target returns what a link leads to.
func (t *Tree) target(links fs.ReadLinkFS, link, target string, hops *int) (string, error) {
	target = filepath.ToSlash(target)
	if !path.IsAbs(target) {
		return t.follow(links, path.Join(path.Dir(link), target), hops)
	}
	if rel, err := filepath.Rel(t.Dir, target); t.Dir != "" && err == nil && filepath.IsLocal(rel) {
		return t.follow(links, filepath.ToSlash(rel), hops)
	}
	target = strings.TrimPrefix(path.Clean(target), "/")
	if target == Null {
		return Null, nil
	}
	for dir := range roots(link) {
		real, err := t.follow(links, path.Join(dir, target), hops)
		if errors.Is(err, errLoop) {
			return "", err
		}
		if err == nil {
			if _, err := links.Lstat(real); err == nil {
				return real, nil
			}
		}
	}
	return "", errLeads
}
