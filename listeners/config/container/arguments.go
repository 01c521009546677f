package container

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
)

// process adds what a container of a pod starts: command takes the place of the ENTRYPOINT of
// its image, args that of CMD (kubernetes.io, "Define a Command and Arguments for a Container").
// It returns the listeners.
func (m *manifests) process(id, name string, c *yaml.Node, onHost bool) []listeners.Listener {
	env := m.environment(c)
	by := command.Start{Through: listeners.ThroughContainer}
	if onHost {
		by.Through = listeners.ThroughHost
	}
	img := image{}
	if words := m.words(c, "command", env); words != nil {
		img.entry = process{set: true, words: words}
	}
	img.cmd = process{set: true, words: m.words(c, "args", env)}
	first, doubts := len(m.config.Listeners), len(m.config.Doubts)
	of := id + " " + name
	p := &m.pods[len(m.pods)-1]
	p.containers = append(p.containers, of)
	m.trust(c, env)
	img.start(&m.config, env, by, of+" command", of+" args")
	for i := range m.config.Listeners[first:] {
		m.config.Listeners[first+i].Services = []string{of}
	}
	if !onHost {
		m.config.OnlyEdges(doubts) // no port of the node depends on it
	}
	return m.config.Listeners[first:]
}

// environment returns the variables of a container.
func (m *manifests) environment(c *yaml.Node) *command.Environment {
	env := &command.Environment{}
	for _, item := range items(c, "env") {
		name, _ := text(item, "name")
		if v := child(item, "value"); v != nil {
			env.Set(name, m.expand(placed(m.file, v), env))
		} else if child(item, "valueFrom") != nil {
			env.Set(name, command.Text{Doubt: env.Missing(name)})
		}
	}
	return env
}

// words returns the words of a list.
func (m *manifests) words(c *yaml.Node, key string, env *command.Environment) (list []command.Text) {
	for _, item := range items(c, key) {
		list = append(list, m.expand(placed(m.file, item), env))
	}
	return list
}

// reference is $(NAME) in a command, an argument or a variable; $$ is a $.
var reference = regexp.MustCompile(`\$\$|\$\(([A-Za-z_.][\w.-]*)\)`)

// maxReferences is how many of them one text has.
const maxReferences = 100

// expand replaces references. One to a variable that the container does not have stays as it
// is (Kubernetes API, Container.args).
func (m *manifests) expand(t command.Text, env *command.Environment) command.Text {
	if !strings.Contains(t.String(), "$") {
		return t
	}
	var parts []command.Text
	at := 0
	for _, found := range reference.FindAllStringSubmatchIndex(t.String(), maxReferences) {
		parts = append(parts, t.Slice(at, found[0]))
		at = found[1]
		value, known := command.Text{}, false
		if found[2] >= 0 {
			value, known = env.Value(t.String()[found[2]:found[3]])
		}
		switch {
		case known:
			parts = append(parts, value)
		case found[2] < 0:
			parts = append(parts, t.Slice(found[0], found[0]+1))
		default:
			parts = append(parts, t.Slice(found[0], found[1]))
		}
	}
	return command.Concat(append(parts, t.Slice(at, len(t.String())))...)
}
