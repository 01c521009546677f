package container

import (
	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
)

// trust remembers whom the daemon of a container trusts, by its image and its environment, and
// the names of its ports. The container is one of the last pods.
func (m *manifests) trust(c *yaml.Node, env *command.Environment) {
	p := &m.pods[len(m.pods)-1]
	for _, port := range items(c, "ports") {
		name, _ := text(port, "name")
		number, _ := text(port, "containerPort")
		if n, ok := portNumber(number); ok && name != "" {
			if p.ports == nil {
				p.ports = map[string]int{}
			}
			p.ports[name] = n
		}
	}
	image, node := text(c, "image")
	i := trustingImageOf(image)
	if i == nil {
		return
	}
	s := i.trusted(func(name string) *variable {
		if v, ok := env.Value(name); ok {
			found := &variable{value: v.String(), known: v.Doubt == ""}
			if at, ok := v.At(); ok {
				found.at = &at
			}
			return found
		}
		if from := child(c, "envFrom"); from != nil { // of a ConfigMap or a Secret
			return &variable{at: m.at(from)}
		}
		return nil
	})
	if s.At == nil {
		s.At = m.at(node)
	}
	p.trusting = append(p.trusting, &trusting{i, s})
}

// trusted adds whom the daemons of pods trust to a listener of a Service that leads to them.
func (p *pods) trusted(l *listeners.Listener) {
	port := int(l.Target())
	if target, ok := l.Setting("target"); ok {
		if n, named := p.ports[target.Value]; named {
			port = n
		}
	}
	for _, t := range p.trusting {
		if _, has := l.Setting(t.setting.Name); !has {
			l.Settings = append(l.Settings[:len(l.Settings):len(l.Settings)], t.at(port)...)
		}
	}
}
