package config

import (
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// copied is an instruction of a Dockerfile that copies files of the host into an image, with
// its arguments. A line that ends with \ goes on.
var copied = regexp.MustCompile(`(?im)^[ \t]*(?:COPY|ADD)[ \t]+((?:[^\n]*\\\r?\n)*[^\n]*)`)

// readImages adds the files and folders that Dockerfiles beside and above the listeners
// copy into images.
func (r *reading) readImages() {
	folders := map[string]bool{}
	for i := range r.config.Listeners {
		for dir := path.Dir(r.config.Listeners[i].At.File); !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
			r.readDockerfiles(dir)
		}
	}
}

// readDockerfiles adds what the Dockerfiles of a folder copy.
func (r *reading) readDockerfiles(dir string) {
	entries, err := fs.ReadDir(r.tree.FS, dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if name := strings.ToLower(e.Name()); e.Type().IsRegular() && (strings.HasPrefix(name, "dockerfile") || strings.HasPrefix(name, "containerfile") || strings.HasSuffix(name, ".dockerfile")) {
			if f, err := r.tree.Read(path.Join(dir, e.Name())); err == nil {
				r.copies(dir, f.Text)
			}
		}
	}
}

// maxSources is how many sources of one Dockerfile are looked at.
const maxSources = 1000

// copies adds what the instructions of a Dockerfile copy. The context of a build is the
// folder of the file or one above it.
func (r *reading) copies(dir, text string) {
	for _, m := range copied.FindAllStringSubmatch(text, maxSources) {
		words := strings.Fields(strings.NewReplacer(`\`, " ", `"`, " ", ",", " ", "[", " ", "]", " ").Replace(m[1]))
		for len(words) > 0 && strings.HasPrefix(words[0], "--") {
			if strings.HasPrefix(words[0], "--from") {
				words = nil // of another image
				break
			}
			words = words[1:]
		}
		for _, source := range words[:max(len(words)-1, 0)] {
			r.copy(dir, path.Clean(strings.TrimPrefix(source, "/")))
		}
	}
}

// copy adds a source. One that is all of the context says nothing of its files.
func (r *reading) copy(dir, source string) {
	source = strings.TrimSuffix(source, "/*")
	if source == "." || source == "*" || strings.HasPrefix(source, "..") {
		return
	}
	for at := dir; ; at = path.Dir(at) {
		names, err := fs.Glob(r.tree.FS, path.Join(at, source))
		for _, name := range names {
			r.config.Mounts = append(r.config.Mounts, listeners.Mount{Name: r.tree.ShownName(name)})
		}
		if err != nil || len(names) > 0 || at == "." {
			return
		}
	}
}
