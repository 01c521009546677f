package container

import (
	"context"
	"fmt"
	"path"
	"strconv"

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
	for _, from := range p.files { // a path is relative to the file that has it
		found := p.tree.FindLocal(from.Name, name)
		if found == "" {
			continue
		}
		f, err := p.tree.Read(found)
		if err != nil {
			return "", err
		}
		if err := p.checkIncludes(f); err != nil {
			return "", err
		}
		p.files = append(p.files, f)
		return p.tree.Local(found), nil
	}
	return "", fmt.Errorf("%q is not among the files", name)
}

// Dir returns the folder of a file.
func (*bounded) Dir(name string) string { return path.Dir(name) }

// checkIncludes refuses a file with which the library would read files by itself: an
// include with an env_file, and a .env beside an included file that the tree cannot read.
func (p *composeProject) checkIncludes(f *source.File) error {
	if includesEnv(f.Text) {
		return fmt.Errorf("%s includes with env_file, which is not read", p.tree.ShownName(f.Name))
	}
	for _, name := range p.tree.Find(f.Name, ".env") {
		if _, err := p.tree.Read(name); err != nil {
			return err
		}
	}
	return nil
}

// includesEnv reports whether a file has an include with an env_file, which the library
// would read without a limit.
func includesEnv(text string) bool {
	var doc struct {
		Include []yaml.Node `yaml:"include"`
	}
	if yaml.Unmarshal([]byte(text), &doc) != nil {
		return false
	}
	for _, n := range doc.Include {
		var entry struct {
			EnvFile yaml.Node `yaml:"env_file"`
		}
		if n.Decode(&entry) == nil && !entry.EnvFile.IsZero() {
			return true
		}
	}
	return false
}

// portNumber returns the number of a port, and reports whether the text is one.
func portNumber(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil && n > 0
}
