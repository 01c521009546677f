package container

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// Overrides are the names that a file can have which Docker Compose merges into the
// file beside it by itself.
var Overrides = []string{
	"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml",
}

// silence keeps the library from writing to standard error: only the command prints.
var silence = sync.OnceFunc(func() { logrus.SetOutput(io.Discard) })

// Compose reads a file of Docker Compose with what it includes, extends, and is
// overridden by: the ports that it publishes, of all profiles. The effective model is
// that of compose-go, the library of Docker Compose itself.
func Compose(t *source.Tree, f *source.File) listeners.Config {
	silence()
	p := &composeProject{tree: t, files: []*source.File{f}, env: map[string]string{}}
	p.weight.project = p
	p.addOverride()
	if err := p.readEnv(); err != nil {
		return p.broken(err)
	}
	for _, f := range p.files {
		if err := p.checkIncludes(f); err != nil {
			return p.broken(err)
		}
	}
	project, err := p.load()
	if err != nil {
		return p.broken(err)
	}
	return p.listeners(project)
}

// A composeProject is what is known of one project while it is read.
type composeProject struct {
	tree  *source.Tree
	files []*source.File    // that the project consists of; the first is the main one
	env   map[string]string // of the file .env

	weight    weight
	loads     int // how often a file was loaded for another one
	handedOut int // bytes of the values that variables stood for
	build     int // bytes of the Dockerfiles and files of variables that services use

	variableFiles map[string]*variablesFile // by name
}

// lookup returns the value of a variable, as long as not too much was returned in all.
func (p *composeProject) lookup(name string) (string, bool) {
	v, ok := p.env[name]
	if p.handedOut += len(v); p.handedOut > maxHandedOut {
		return "", ok
	}
	return v, ok
}

// broken returns the doubt about a project that does not load.
func (p *composeProject) broken(err error) listeners.Config {
	return listeners.Config{Doubts: []listeners.Doubt{{
		Problem: "Docker Compose could not load this file: " + firstLine(fault.WithoutPath(err).Error()),
		At:      p.files[0].Anchor(0, 0),
	}}}
}

// firstLine returns the first line of a text.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(line, ":")
}

// addOverride adds the override file beside the main file, if that has one of the names
// that Docker Compose looks for by itself.
func (p *composeProject) addOverride() {
	stem := strings.TrimSuffix(path.Base(p.files[0].Name), path.Ext(p.files[0].Name))
	if stem != "compose" && stem != "docker-compose" {
		return
	}
	for _, name := range Overrides {
		for _, found := range p.tree.Find(p.files[0].Name, name) {
			if o, err := p.tree.Include(found); err == nil && o.Name != p.files[0].Name {
				p.files = append(p.files, o)
				return
			}
		}
	}
}

// readEnv reads the variables of the file .env beside the main file. The environment of
// this process is not that of the project.
func (p *composeProject) readEnv() error {
	for _, name := range p.tree.Find(p.files[0].Name, ".env") {
		f, err := p.tree.Read(name)
		if err != nil {
			return err
		}
		env, err := parseVariables(f.Text, func(string) (string, bool) { return "", false })
		if err != nil {
			return fmt.Errorf("reading .env: %w", err)
		}
		p.env = env
	}
	return nil
}

// load returns the effective model.
func (p *composeProject) load() (*types.Project, error) {
	details := types.ConfigDetails{WorkingDir: p.tree.Local(path.Dir(p.files[0].Name)), Environment: p.env}
	for _, f := range p.files {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: p.tree.Local(f.Name), Content: []byte(f.Text)})
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		o.SetProjectName("project", true)
		o.Profiles = []string{"*"}
		o.SkipNormalization, o.SkipConsistencyCheck = true, true
		o.SkipResolveEnvironment, o.SkipResolveLabels = true, true
		o.ResourceLoaders = []loader.ResourceLoader{&bounded{p}}
		o.Interpolate = &interpolation.Options{
			Substitute:      p.substitute,
			LookupValue:     p.lookup,
			TypeCastMapping: o.Interpolate.TypeCastMapping,
		}
	})
	if err == nil && p.handedOut > maxHandedOut {
		err = errHeavy
	}
	return project, err
}

// substitute replaces the variables of a text. A variable that must have a value and has
// none gets one that no port is, so that only its own port is in doubt, and not the file.
func (p *composeProject) substitute(text string, lookup template.Mapping) (string, error) {
	out, err := template.Substitute(text, lookup)
	if err != nil {
		return template.Substitute(text, func(name string) (string, bool) {
			if v, ok := lookup(name); ok && v != "" {
				return v, true
			}
			return "unset", true
		})
	}
	return out, nil
}

// listeners returns the published ports of all services.
func (p *composeProject) listeners(project *types.Project) listeners.Config {
	var c listeners.Config
	tokens := newTokens(p)
	for _, name := range project.ServiceNames() {
		service := project.Services[name]
		p.mounts(&c, service)
		p.processes(&c, tokens, service)
		more := p.networks(project, service, tokens)
		trusting := p.trusting(service, tokens)
		if service.NetworkMode == "host" {
			c.AddDoubt(fmt.Sprintf("service %q uses the network of the host: it opens the ports of its daemons, which this file does not list", name),
				tokens.service(name, "network_mode"))
			continue // ports are discarded then
		}
		for _, port := range service.Ports {
			if port.Protocol != "" && !strings.EqualFold(port.Protocol, "tcp") {
				continue
			}
			at, written := tokens.port(name, port)
			of := publication{
				owner: fmt.Sprintf("service %q", name), prefix: "services." + name + ".ports", services: []string{name}, image: service.Image,
				at: at, more: append(slices.Clip(more), trusting.at(int(port.Target))...),
			}
			if unset := p.unset(written); unset != "" {
				if _, _, ok := publishedRange(port.Published); !ok {
					c.AddDoubt(fmt.Sprintf("variable %s, on which a published port of service %q depends, has no value in .env", unset, name), at)
					continue
				}
				of.doubt = fmt.Sprintf("variable %s has no value in .env", unset)
			}
			if !of.add(&c, port) {
				return c
			}
		}
	}
	return c
}
