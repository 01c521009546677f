package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// bounded gives compose-go the files that a project includes and extends. The library
// reads whatever a file names, without a limit; here each file is read by the tree
// first, so that it is a regular file of limited size within the tree.
type bounded struct{ project *composeProject }

// Accept reports that all files come through here.
func (*bounded) Accept(string) bool { return true }

// Load returns the path of a file for the library.
func (b *bounded) Load(_ context.Context, name string) (string, error) {
	p := b.project
	found, err := p.named(name)
	if err != nil {
		return "", err
	}
	f, err := p.tree.Read(found)
	if err != nil {
		return "", err
	}
	real, err := p.tree.Real(found) // which the library opens by itself
	if err != nil {
		return "", err
	}
	if p.loads++; p.loads > maxLoads {
		return "", errHeavy
	}
	if err := p.checkIncludes(f); err != nil {
		return "", err
	}
	if !slices.Contains(p.files, f) {
		p.files = append(p.files, f)
	}
	return p.tree.Local(real), nil
}

// maxLoads is how often files are loaded for others, as each time that a service is extended:
// it bounds the time, because the library parses a file anew each time. Projects load tens.
const maxLoads = 1000

// named returns the file that a path means. A path is relative to the file that has it,
// which the library does not tell.
func (p *composeProject) named(name string) (string, error) {
	found := ""
	for _, from := range p.files {
		switch f := p.tree.FindLocal(from.Name, name); {
		case f == "", f == found:
		case found != "":
			return "", fmt.Errorf("%q may be %s or %s", name, p.tree.ShownName(found), p.tree.ShownName(f))
		default:
			found = f
		}
	}
	if found == "" || p.tree.Dir == "" {
		return "", fmt.Errorf("%q is not among the files", name)
	}
	return found, nil
}

// Dir returns the folder of a file.
func (*bounded) Dir(name string) string { return path.Dir(name) }

// checkIncludes refuses a file with which the library would read files by itself: an
// include with an env_file or in another folder, and a .env beside an included file that
// the tree cannot read.
func (p *composeProject) checkIncludes(f *source.File) error {
	key, err := p.readByLibrary(f.Text)
	switch {
	case err != nil:
		return err
	case key != "":
		return fmt.Errorf("%s includes with %s, which is not read", p.tree.ShownName(f.Name), key)
	}
	for _, name := range p.tree.Find(f.Name, ".env") {
		if _, err := p.tree.Read(name); err != nil {
			return err
		}
	}
	return nil
}

// readByLibrary weighs the documents of a file and returns the key of an include, in any document of a file, by which the
// library would read a file without a limit; "" if there is none.
func (p *composeProject) readByLibrary(text string) (key string, err error) {
	for d := yaml.NewDecoder(strings.NewReader(text)); ; {
		var doc yaml.Node
		switch err := d.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return "", nil
		case err != nil:
			return "", err
		case len(doc.Content) == 0:
			continue
		}
		if err := p.weight.add(doc.Content[0]); err != nil {
			return "", err
		}
		for _, include := range items(doc.Content[0], "include") {
			for _, key := range []string{"env_file", "project_directory"} {
				if child(include, key) != nil {
					return key, nil
				}
			}
		}
	}
}

// portNumber returns the number of a port, and reports whether the text is one.
func portNumber(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil && n > 0
}
