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
	project  *composeProject
	services map[string][]serviceKey // by name
	entries  map[published][]*portEntry
	own      map[ownPort][]*portEntry
	networks map[string][]serviceKey // by name
}

// A serviceKey is where a file has a service.
type serviceKey struct {
	file    *source.File
	key     *yaml.Node
	service *yaml.Node
}

// A published is what identifies the entry of a port, and an ownPort that of a service.
type published struct {
	host, port string
	target     uint32
}

type ownPort struct {
	service string
	published
}

// A portEntry is one entry of ports.
type portEntry struct {
	file *source.File
	node *yaml.Node
}

// newTokens reads the nodes of the files of a project.
func newTokens(p *composeProject) *tokens {
	t := &tokens{project: p, services: map[string][]serviceKey{}, entries: map[published][]*portEntry{}, own: map[ownPort][]*portEntry{}, networks: map[string][]serviceKey{}}
	for _, f := range p.files {
		for d := yaml.NewDecoder(strings.NewReader(f.Text)); ; {
			var doc yaml.Node
			if d.Decode(&doc) != nil {
				break
			}
			if len(doc.Content) > 0 {
				t.addServices(f, resolved(child(doc.Content[0], "services")))
				t.addNetworks(f, resolved(child(doc.Content[0], "networks")))
			}
		}
	}
	return t
}

// addServices adds the services of one document.
func (t *tokens) addServices(f *source.File, services *yaml.Node) {
	if services == nil || services.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(services.Content); i += 2 {
		key, service := services.Content[i], resolved(services.Content[i+1])
		t.services[key.Value] = append(t.services[key.Value], serviceKey{f, key, service})
		for _, entry := range items(service, "ports") {
			t.addEntry(key.Value, &portEntry{f, entry})
		}
	}
}

// addEntry adds an entry of the ports of a service.
func (t *tokens) addEntry(service string, e *portEntry) {
	seen := map[published]bool{}
	for _, v := range t.parse(e.node) {
		if p := (published{v.HostIP, v.Published, v.Target}); !seen[p] {
			seen[p] = true
			t.entries[p] = append(t.entries[p], e)
			t.own[ownPort{service, p}] = append(t.own[ownPort{service, p}], e)
		}
	}
}

// parse returns what an entry publishes, as the effective model has it.
func (t *tokens) parse(n *yaml.Node) []types.ServicePortConfig {
	text := func(n *yaml.Node) string {
		if n == nil {
			return ""
		}
		out, err := t.project.substitute(n.Value, t.project.lookup)
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

// port returns the token that publishes a port of a service, and what is written there. If
// several could be it, or none, it returns the line of the service and "".
func (t *tokens) port(service string, port types.ServicePortConfig) (at result.Anchor, written string) {
	p := published{port.HostIP, port.Published, port.Target}
	list := t.own[ownPort{service, p}]
	if len(list) == 0 {
		list = t.entries[p] // of the service that this one extends
	}
	if len(list) == 1 {
		return list[0].anchor(), list[0].written()
	}
	return t.service(service, "ports"), ""
}

// service returns the line of a key of a service, else that of the service.
func (t *tokens) service(name, key string) result.Anchor {
	if len(t.services[name]) == 0 {
		return t.project.files[0].Anchor(0, 0)
	}
	s := t.services[name][0]
	k := keyOf(s.service, key)
	if k == nil {
		k = s.key
	}
	return scalar(s.file, k, k.Value)
}

// written returns what an entry says of the port of the host.
func (e *portEntry) written() string {
	if e.node.Kind == yaml.ScalarNode {
		return e.node.Value
	}
	host, _ := text(e.node, "host_ip")
	port, _ := text(e.node, "published")
	return host + ":" + port
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

// publishedPart is the part before the port of the container, which may contain variables.
var publishedPart = regexp.MustCompile(`^((?:\$\{[^}]*\}|\[[^\]]*\]|[^$\[\]])*):(?:\$\{[^}]*\}|[^:$]|\$\w+)+$`)

// publishedSide returns "127.0.0.1:25" of "127.0.0.1:25:2525/tcp".
func publishedSide(text string) string {
	if m := publishedPart.FindStringSubmatch(text); m != nil {
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
