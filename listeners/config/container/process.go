package container

import (
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// processes adds what the containers of a service start: the command of the service, or of the
// image that it builds, with the variables of both.
func (p *composeProject) processes(c *listeners.Config, t *tokens, service types.ServiceConfig) {
	doubts := len(c.Doubts)
	img := p.built(c, service, t)
	env := img.env.Clone()
	p.variables(c, t, service, env)
	entry, cmd := "ENTRYPOINT", "CMD"
	if service.Entrypoint != nil {
		entry = "entrypoint"
		img.entry = process{set: true, words: t.words(service.Name, "entrypoint", service.Entrypoint)}
		img.cmd = process{}
	}
	if service.Command != nil {
		cmd = "command"
		img.cmd = process{set: true, words: t.words(service.Name, "command", service.Command)}
	}
	by := command.Start{Through: listeners.ThroughContainer}
	if service.NetworkMode == "host" {
		by.Through = listeners.ThroughHost
	} else {
		defer func() { c.OnlyEdges(doubts) }() // no port of the host depends on it
	}
	first := len(c.Listeners)
	of := "services." + service.Name + "."
	img.start(c, env, by, of+entry, of+cmd)
	for i := range c.Listeners[first:] {
		l := &c.Listeners[first+i]
		l.Services = []string{service.Name}
		if !slices.ContainsFunc(p.files, func(f *source.File) bool { return f.Anchor(0, 0).File == l.At.File }) {
			l.Kind = p.kindOf(l.At.File)
		}
	}
}

// kindOf returns the kind of a file that is none of Docker Compose; "" if it is a file of
// variables.
func (p *composeProject) kindOf(shown string) string {
	if IsDockerfile(shown, "") {
		return DockerfileKind
	}
	return ""
}

// maxBuilt is how many bytes of Dockerfiles the services of a project build in all.
const maxBuilt = 32 << 20

// built returns the image that a service builds of a Dockerfile among the files, and adds the
// files that it copies; an empty image if there is none.
func (p *composeProject) built(c *listeners.Config, service types.ServiceConfig, t *tokens) image {
	none := image{env: &command.Environment{}}
	b := service.Build
	if b == nil || b.DockerfileInline != "" || strings.Contains(b.Context, "://") {
		return none
	}
	name := b.Dockerfile
	if name == "" {
		name = "Dockerfile"
	}
	if !path.IsAbs(name) {
		name = path.Join(b.Context, name)
	}
	found := p.tree.FindLocal(p.files[0].Name, name)
	if found == "" {
		return none
	}
	f, err := p.tree.Include(found)
	if err != nil {
		return none
	}
	if p.build += len(f.Text); p.build > maxBuilt {
		c.AddDoubt("the Dockerfiles of this project are larger than what is read", t.service(service.Name, "build"))
		return none
	}
	list, all := instructions(f)
	img, cut := imageOf(list, t.arguments(service), b.Target)
	if !all || cut {
		c.AddDoubt("there are more instructions in it than are read", f.Anchor(0, 0))
	}
	if img == nil {
		return none
	}
	context := p.tree.FindLocal(p.files[0].Name, b.Context)
	img.mounts(c, p.tree, f, context, listeners.Mount{Service: service.Name, HostNetwork: service.NetworkMode == "host"})
	return *img
}

// arguments returns the arguments of the build of a service.
func (t *tokens) arguments(service types.ServiceConfig) map[string]command.Text {
	given := map[string]command.Text{}
	for name, value := range service.Build.Args {
		if value != nil {
			given[name] = t.value(service.Name, []string{"build", "args"}, name, *value)
		}
	}
	return given
}

// variables sets the variables of the containers of a service: those of its files, and then its
// own. One without a value has that of the environment in which Docker Compose runs.
func (p *composeProject) variables(c *listeners.Config, t *tokens, service types.ServiceConfig, env *command.Environment) {
	for _, e := range service.EnvFiles {
		if why := p.envFile(e.Path, env); why != "" && (bool(e.Required) || why != noEnvFile) {
			c.AddDoubt(why, t.service(service.Name, "env_file"))
		}
	}
	for name, value := range service.Environment {
		if value == nil {
			env.Set(name, command.Text{Doubt: env.Missing(name)})
			continue
		}
		env.Set(name, t.value(service.Name, []string{"environment"}, name, *value))
	}
}

// noEnvFile says that a file of variables could not be read.
const noEnvFile = "a file of env_file is not among the files"

// envFile sets the variables of a file, and says why it could not; "" if it could.
func (p *composeProject) envFile(name string, env *command.Environment) string {
	found := p.tree.FindLocal(p.files[0].Name, name)
	if found == "" {
		return noEnvFile
	}
	f := p.variablesOf(found)
	if f.values == nil {
		return noEnvFile
	}
	if p.build += len(f.file.Text); p.build > maxBuilt {
		return "the files of env_file of this project are larger than what is read"
	}
	set := map[string]bool{}
	for at, line := range f.file.Lines() {
		key, rest, ok := cutVariable(line)
		value, known := f.values[key]
		if !ok || !known || set[key] {
			continue
		}
		start := at + len(line) - len(rest)
		env.Set(key, command.Place([]string{value}, command.From(f.file, start, at+len(line)))[0])
		set[key] = true
	}
	return ""
}

// cutVariable returns the name of a line "NAME=VALUE", which may begin with export, and what
// is behind it.
func cutVariable(line string) (name, rest string, ok bool) {
	i := strings.IndexAny(line, "=:")
	if i < 0 {
		return "", "", false
	}
	name = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line[:i]), "export "))
	return name, line[i+1:], name != ""
}

// words returns the words of a command of a service, with their places.
func (t *tokens) words(service, key string, words []string) []command.Text {
	f, n := t.node(service, key)
	if n == nil {
		return command.Place(words, command.Text{})
	}
	if n.Kind != yaml.SequenceNode {
		return t.place(words, t.placed(f, n))
	}
	var list []command.Text
	for i, w := range words {
		within := t.placed(f, n)
		if i < len(n.Content) {
			within = t.placed(f, resolved(n.Content[i]))
		}
		list = append(list, t.place([]string{w}, within)...)
	}
	return list
}

// place returns words with their places in a text that may have variables.
func (t *tokens) place(words []string, within command.Text) []command.Text {
	env := &command.Environment{}
	for name, value := range t.project.env {
		env.Set(name, command.Literal(value))
	}
	for _, split := range command.Split(within, command.Docker, env) {
		if slices.EqualFunc(split, words, func(a command.Text, b string) bool { return a.String() == b }) {
			return split
		}
	}
	return command.Place(words, within)
}

// node returns the last node that a service has under a key, else that of the service that it
// extends; else the name of the service.
func (t *tokens) node(service, key string) (*source.File, *yaml.Node) {
	name := service
	for range maxAliases {
		own := t.services[name]
		for i := len(own) - 1; i >= 0; i-- {
			if n := child(own[i].service, key); n != nil {
				return own[i].file, n
			}
		}
		if len(own) == 0 {
			break
		}
		extends := child(own[len(own)-1].service, "extends")
		if _, n := text(extends, "service"); n != nil {
			extends = n
		}
		if extends == nil || extends.Value == name {
			break
		}
		name = extends.Value
	}
	if own := t.services[service]; len(own) > 0 {
		return own[0].file, own[0].key
	}
	return nil, nil
}

// value returns the value of a variable of a service, with its place: of a mapping, or of a
// list of "NAME=VALUE".
func (t *tokens) value(service string, keys []string, name, value string) command.Text {
	own := t.services[service]
	for i := len(own) - 1; i >= 0; i-- {
		n := under(own[i].service, keys...)
		if v := child(n, name); v != nil {
			return command.Place([]string{value}, t.placed(own[i].file, v))[0]
		}
		if n == nil || n.Kind != yaml.SequenceNode {
			continue
		}
		for _, item := range n.Content {
			if item = resolved(item); item != nil && strings.HasPrefix(item.Value, name+"=") {
				text := t.placed(own[i].file, item)
				return command.Place([]string{value}, text.Slice(min(len(name)+1, len(text.String())), len(text.String())))[0]
			}
		}
	}
	return command.Literal(value)
}

// placed returns the value of a node, with a doubt if a variable in it has no value.
func (t *tokens) placed(f *source.File, n *yaml.Node) command.Text {
	text := placed(f, n)
	if n.Kind == yaml.ScalarNode {
		if name := t.project.unset(n.Value); name != "" {
			text.Doubt = "variable " + name + " has no value in .env"
		}
	}
	return text
}

// placed returns the value of a scalar with the places of its bytes: its words are in the file
// as they are in the value, unless something is escaped there.
func placed(f *source.File, n *yaml.Node) command.Text {
	at := f.Offset(n.Line, n.Column)
	if n.Kind != yaml.ScalarNode {
		return command.Placed("-", f, at)
	}
	begin := at
	switch {
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		begin = min(begin+1, len(f.Text))
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0: // behind the line of the indicator
		if i := strings.IndexByte(f.Text[begin:], '\n'); i >= 0 {
			begin += i
		}
	}
	value := n.Value[:min(len(n.Value), maxScalar)]
	var parts []command.Text
	for i := 0; i < len(value); {
		if strings.IndexByte(" \t\n", value[i]) >= 0 {
			for begin < len(f.Text) && strings.IndexByte(" \t\r\n", f.Text[begin]) >= 0 {
				begin++
			}
			parts = append(parts, command.Literal(value[i:i+1]))
			i++
			continue
		}
		if i == 0 {
			for begin < len(f.Text) && strings.IndexByte(" \t\r\n", f.Text[begin]) >= 0 {
				begin++
			}
		}
		j := i
		for j < len(value) && strings.IndexByte(" \t\n", value[j]) < 0 {
			j++
		}
		if !strings.HasPrefix(f.Text[begin:], value[i:j]) {
			return command.Placed(n.Value, f, at)
		}
		parts = append(parts, command.From(f, begin, begin+j-i))
		begin += j - i
		i = j
	}
	return command.Concat(parts...)
}

// maxScalar is how many bytes of a scalar are placed.
const maxScalar = 32 << 10
