package config

import (
	"io/fs"
	"path"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/container"
)

// readImages adds the files and folders that Dockerfiles beside and above the listeners copy
// into images, as far as these were not read.
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
		name := path.Join(dir, e.Name())
		if !e.Type().IsRegular() || !container.IsDockerfile(name, "") || r.used[name] {
			continue
		}
		if f, err := r.tree.Read(name); err == nil {
			r.config.Add(listeners.Config{Mounts: container.Dockerfile(r.tree, f).Mounts})
		}
	}
}
