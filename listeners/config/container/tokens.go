package container

import (
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// tokens finds where a file has what the effective model says: compose-go gives no
// positions.
type tokens struct {
	project *composeProject
	roots   []root
	entries []portEntry
}

// A root has the services of one document of a file.
type root struct {
	file     *source.File
	services *yaml.Node
}

// A portEntry is one entry of ports.
type portEntry struct {
	file    *source.File
	service string
	node    *yaml.Node
	value   []types.ServicePortConfig
}

// newTokens reads the nodes of the files of a project.
func newTokens(p *composeProject) *tokens {
	t := &tokens{project: p}
	for _, f := range p.files {
		for d := yaml.NewDecoder(strings.NewReader(f.Text)); ; {
			var doc yaml.Node
			if d.Decode(&doc) != nil {
				break
			}
			if len(doc.Content) > 0 {
				t.addServices(f, child(doc.Content[0], "services"))
			}
		}
	}
	return t
}

// addServices adds the services of one document.
func (t *tokens) addServices(f *source.File, services *yaml.Node) {
	t.roots = append(t.roots, root{f, services})
	for name, service := range members(services) {
		t.addEntries(f, name, child(service, "ports"))
	}
}

// addEntries adds the entries of one list of ports.
func (t *tokens) addEntries(f *source.File, service string, ports *yaml.Node) {
	if ports == nil || ports.Kind != yaml.SequenceNode {
		return
	}
	for _, n := range ports.Content {
		if n = resolved(n); n == nil {
			continue
		}
		t.entries = append(t.entries, portEntry{f, service, n, t.parse(n)})
	}
}

// parse returns what an entry publishes, as the effective model has it.
func (t *tokens) parse(n *yaml.Node) []types.ServicePortConfig {
	text := func(n *yaml.Node) string {
		if n == nil {
			return ""
		}
		out, err := t.project.substitute(n.Value, func(name string) (string, bool) { v, ok := t.project.env[name]; return v, ok })
		if err != nil {
			return ""
		}
		return out
	}
	if n.Kind == yaml.ScalarNode {
		list, _ := types.ParsePortConfig(text(n))
		return list
	}
	target, _ := portNumber(text(child(n, "target")))
	return []types.ServicePortConfig{{
		HostIP: text(child(n, "host_ip")), Published: text(child(n, "published")), Target: uint32(target), Protocol: text(child(n, "protocol")),
	}}
}

// port returns the token that publishes a port of a service. If several could be it, or
// none, it returns the line of the service.
func (t *tokens) port(service string, port types.ServicePortConfig) result.Anchor {
	var same, other []portEntry
	for _, e := range t.entries {
		for _, v := range e.value {
			if v.HostIP != port.HostIP || v.Published != port.Published || v.Target != port.Target {
				continue
			}
			if e.service == service {
				same = append(same, e)
			} else {
				other = append(other, e)
			}
			break
		}
	}
	switch {
	case len(same) == 1:
		return same[0].anchor()
	case len(same) == 0 && len(other) == 1: // of the service that this one extends
		return other[0].anchor()
	}
	return t.service(service, "ports")
}

// service returns the line of a key of a service, else that of the service.
func (t *tokens) service(name, key string) result.Anchor {
	for _, root := range t.roots {
		for n, service := range members(root.services) {
			if n != name {
				continue
			}
			if k := keyOf(service, key); k != nil {
				return scalar(root.file, k, k.Value)
			}
			if k := keyOf(root.services, name); k != nil {
				return scalar(root.file, k, k.Value)
			}
		}
	}
	return t.project.files[0].Anchor(0, 0)
}

// anchor returns the token of an entry: what stands before the port of the container.
func (e *portEntry) anchor() result.Anchor {
	if e.node.Kind == yaml.ScalarNode {
		return scalar(e.file, e.node, publishedSide(e.node.Value))
	}
	if n := child(e.node, "published"); n != nil {
		return scalar(e.file, n, n.Value)
	}
	return e.file.Anchor(e.file.Offset(e.node.Line, e.node.Column), e.file.Offset(e.node.Line, e.node.Column))
}

// published is the part before the port of the container, which may contain variables.
var published = regexp.MustCompile(`^((?:\$\{[^}]*\}|\[[^\]]*\]|[^$\[\]])*):(?:\$\{[^}]*\}|[^:$]|\$\w+)+$`)

// publishedSide returns "127.0.0.1:25" of "127.0.0.1:25:2525/tcp".
func publishedSide(text string) string {
	if m := published.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return text
}

// plain is a variable without a default.
var plain = regexp.MustCompile(`(?:^|[^$])\$(?:(\w+)|\{(\w+)\})`)

// unset returns a variable of the text that has no value and no default, "" if none.
func (p *composeProject) unset(text string) string {
	for _, m := range plain.FindAllStringSubmatch(text, -1) {
		name := m[1] + m[2]
		if _, ok := p.env[name]; !ok {
			return name
		}
	}
	return ""
}
