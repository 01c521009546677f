package container

import (
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// The bounds of what one image copies, and of the sources of other stages that are compared
// with it.
const (
	maxSources = 1000
	maxTried   = 1_000_000
)

// copy adds what COPY or ADD copies. Of another stage it is what that one has at the place.
func (b *build) copy(img *image, i instruction) {
	words, ok := i.list()
	if !ok {
		words = i.words(img.args)
	}
	if len(words) < 2 {
		return
	}
	target := img.in(words[len(words)-1].String())
	sources := words[:len(words)-1]
	from := i.flag("from")
	if from == "" {
		for _, w := range sources {
			img.add(copied{w.String(), target})
		}
		return
	}
	stage := b.stage(from, len(b.stages)-1)
	if stage == nil {
		return // another image
	}
	if b.tried += len(stage.copies) * len(sources); b.tried > maxTried {
		return
	}
	for _, c := range slices.Clone(stage.copies) {
		if slices.ContainsFunc(sources, func(w command.Text) bool { return overlap(c.target, w.String()) }) {
			img.add(copied{c.source, target})
		}
	}
}

// in returns a path of the image; one without a leading slash is relative to WORKDIR, or stays so
// if that is one of the image on which it is based.
func (img *image) in(name string) string {
	if path.IsAbs(name) || img.dir == "" {
		return name
	}
	return path.Join(img.dir, name)
}

// add adds what is copied.
func (img *image) add(c copied) {
	if len(img.copies) < maxSources {
		img.copies = append(img.copies, c)
	}
}

// overlap reports whether one of two paths is the other one or below it.
func overlap(a, b string) bool {
	a, b = path.Join("/", a), path.Join("/", b)
	below := func(a, b string) bool { return a == b || b == "/" || strings.HasPrefix(a, b+"/") }
	return below(a, b) || below(b, a)
}

// mounts adds the files and folders of the context that the image has, as those of what like
// says. The context "" is the folder of the Dockerfile or one above it.
func (img *image) mounts(c *listeners.Config, t *source.Tree, f *source.File, context string, like listeners.Mount) {
	for _, one := range img.copies {
		from := path.Clean(strings.TrimPrefix(one.source, "/"))
		if !isRead(one.target) || patterns(from) > maxPatterns {
			continue
		}
		all := from == "." || from == "*"
		if all && (!isRoot(one.target) || context == "" || strings.HasPrefix(f.Name, context+"/")) {
			continue // programs are built of it
		}
		if strings.HasPrefix(from, "..") || strings.Contains(from, "://") {
			continue // it is not of the context
		}
		dir := context
		if dir == "" {
			dir = path.Dir(f.Name)
		}
		for ; ; dir = path.Dir(dir) {
			names := t.Find(path.Join(dir, "Dockerfile"), strings.TrimSuffix(from, "/*"))
			for _, name := range names {
				m := like
				if m.Name = t.ShownName(name); name != "." && len(c.Mounts) < listeners.MaxListeners {
					c.Mounts = append(c.Mounts, m)
				}
			}
			if len(names) > 0 || context != "" || dir == "." {
				break
			}
		}
	}
}

// maxPatterns is how many parts of a path may be patterns: with symbolic links to ".", the number
// of files that they fit is a power of that.
const maxPatterns = 3

// patterns returns how many parts of a path are patterns.
func patterns(name string) int {
	n := 0
	for part := range strings.SplitSeq(name, "/") {
		if strings.ContainsAny(part, `*?[`) {
			n++
		}
	}
	return n
}

// readFolders are the folders of the root of an image in which daemons, and the scripts that start
// them, read their files. In others, such as /src or /tests, programs are built and tested: what
// is there says nothing about where it runs.
var readFolders = []string{"", "etc", "opt", "usr", "var", "srv", "run", "data", "conf", "config", "configs", "defaults", "overrides", "templates"}

// isRead reports whether daemons may read what is at a place of an image.
func isRead(target string) bool {
	if !path.IsAbs(target) {
		return false
	}
	target = path.Clean(target)
	first, _, _ := strings.Cut(target[1:], "/")
	return slices.Contains(readFolders, first) && target != "/usr/src" && !strings.HasPrefix(target, "/usr/src/")
}

// isRoot reports whether a folder of an image is where all of a context is its configuration:
// the root or /etc.
func isRoot(target string) bool {
	target = path.Clean(target)
	return target == "/" || target == "/etc" || strings.HasPrefix(target, "/etc/")
}
