package proxy

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// The bounds of the files beside a file that are read with it: how many there are, and how many
// bytes they have.
const (
	maxBeside     = 64
	maxBesideText = 1 << 20
)

// together returns the files that HAProxy reads as one configuration with a file, in their order:
// "-f haproxy.cfg -f conf.d", or the folder haproxy, from which HAProxy reads *.cfg by name
// (HAProxy, management.txt 3).
func together(t *source.Tree, f *source.File) []*source.File {
	if t == nil {
		return []*source.File{f}
	}
	folder := path.Base(path.Dir(filepath.ToSlash(t.Local(f.Name))))
	patterns := []string{"haproxy.cfg", "conf.d/*.cfg"}
	switch folder {
	case "conf.d":
		patterns = []string{"../haproxy.cfg", "*.cfg"}
	case "haproxy":
		patterns = []string{"haproxy.cfg", "*.cfg", "conf.d/*.cfg"}
	}
	var names []string
	for _, p := range patterns {
		names = append(names, t.Find(f.Name, p)...)
	}
	if !slices.Contains(names, f.Name) {
		names = slices.Insert(names, 0, f.Name)
	}
	var list []*source.File
	seen, beside, size := map[string]bool{}, 0, 0
	for _, name := range names {
		if seen[name] || strings.HasPrefix(path.Base(name), ".") {
			continue
		}
		seen[name] = true
		if name == f.Name {
			list = append(list, f)
			continue
		}
		if beside++; beside > maxBeside {
			continue
		}
		one, err := t.Read(name)
		if err != nil { // Unread has it
			continue
		}
		if size += len(one.Text); size <= maxBesideText && t.Again(one) {
			list = append(list, one)
		}
	}
	return list
}
