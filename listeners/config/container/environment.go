package container

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

//go:embed images.yaml
var imageData []byte

// A trustingImage is an image whose environment decides whom its daemon trusts.
type trustingImage struct {
	names     []string // the last parts of its name: "boky/postfix"
	setting   string   // of the daemon
	ports     []int    // of the container, for which it holds
	always    string   // what the setting has whatever the environment says
	needed    bool     // the containers of the stack need what it always has
	otherwise string   // what it has beside that if no variable is set
	variables []trustingVariable
	source    string
}

// A trustingVariable is a variable of such an image. Of several the first that is set counts.
type trustingVariable struct {
	name   string
	values map[string]string // what a word stands for; nil if the value is the list itself
	narrow string            // the first word that stands for no network; "" if none does
}

// trustingImages reads images.yaml.
var trustingImages = sync.OnceValues(func() ([]trustingImage, error) { return readImages("images.yaml", imageData) })

// readImages strictly reads the images of a data file.
func readImages(file string, data []byte) ([]trustingImage, error) {
	d, root := userfile.ParseYAML(file, data)
	var list []trustingImage
	if root != nil {
		d.Mapping(root, "the file", []userfile.Field{userfile.Required("images", func(n *yaml.Node) {
			d.Sequence(n, "images", func(item *yaml.Node) { list = append(list, readImage(d, item)) })
		})})
	}
	return list, d.Err()
}

func readImage(d *userfile.Document, n *yaml.Node) trustingImage {
	var i trustingImage
	d.Mapping(n, "an image", []userfile.Field{
		userfile.Required("names", func(n *yaml.Node) { i.names = d.Texts(n, "names") }),
		userfile.Required("setting", func(n *yaml.Node) { i.setting = d.OneOf(n, "setting", "mynetworks") }),
		userfile.Required("ports", func(n *yaml.Node) {
			d.Sequence(n, "ports", func(n *yaml.Node) { i.ports = append(i.ports, d.Integer(n, "a port", 1, 65535)) })
		}),
		userfile.Optional("always", func(n *yaml.Node) { i.always = d.Text(n, "always") }),
		userfile.Optional("needed", func(n *yaml.Node) { i.needed = d.Boolean(n, "needed") }),
		userfile.Optional("otherwise", func(n *yaml.Node) { i.otherwise = d.Text(n, "otherwise") }),
		userfile.Required("source", func(n *yaml.Node) { i.source = d.Text(n, "source") }),
		userfile.Required("variables", func(n *yaml.Node) {
			d.Sequence(n, "variables", func(n *yaml.Node) { i.variables = append(i.variables, readVariable(d, n)) })
		}),
	})
	return i
}

func readVariable(d *userfile.Document, n *yaml.Node) trustingVariable {
	var v trustingVariable
	d.Mapping(n, "a variable", []userfile.Field{
		userfile.Required("name", func(n *yaml.Node) { v.name = d.Text(n, "name") }),
		userfile.Optional("values", func(n *yaml.Node) {
			v.values = map[string]string{}
			d.Sequence(n, "values", func(n *yaml.Node) {
				word, networks := "", ""
				d.Mapping(n, "a value", []userfile.Field{
					userfile.Required("word", func(n *yaml.Node) { word = d.Text(n, "word") }),
					userfile.Optional("networks", func(n *yaml.Node) { networks = d.Text(n, "networks") }),
				})
				v.values[word] = networks
				if networks == "" && v.narrow == "" {
					v.narrow = word
				}
			})
		}),
	})
	return v
}

// trustingImageOf returns what is known of an image; nil if nothing is.
func trustingImageOf(image string) *trustingImage {
	list, err := trustingImages()
	if err != nil {
		return nil // which a test excludes
	}
	name, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	for i := range list {
		if slices.ContainsFunc(list[i].names, func(n string) bool { return name == n || strings.HasSuffix(name, "/"+n) }) {
			return &list[i]
		}
	}
	return nil
}

// A variable is the value of a variable of a container.
type variable struct {
	value string
	known bool // the files have it
	at    *result.Anchor

	missing string // the variable without a value because of which it is not known; "" for the variable itself
}

// trusted returns the setting that the environment of an image amounts to: its value is a
// list of networks, with listeners.OwnNetwork for those of the container. lookup returns a variable that is set, nil for others.
func (i *trustingImage) trusted(lookup func(name string) *variable) listeners.Setting {
	s := listeners.Setting{Name: i.setting, Value: i.otherwise, Source: "the default of the image"}
	for _, known := range i.variables {
		v := lookup(known.name)
		if v == nil || v.known && v.value == "" {
			continue
		}
		s.Value, s.At, s.Source = v.value, v.at, "environment "+known.name
		if !v.known {
			s.Value = "$" + cmp.Or(v.missing, known.name)
		} else if known.values != nil {
			s.Value, s.Narrow = known.values[v.value], known.narrow
		}
		break
	}
	s.Value = strings.TrimSpace(i.always + " " + s.Value)
	if i.needed {
		s.Needed = i.always
	}
	return s
}

// trusting returns whom the daemon of a service trusts, by its image and its environment.
func (p *composeProject) trusting(service types.ServiceConfig, t *tokens) *trusting {
	i := trustingImageOf(service.Image)
	if i == nil {
		return nil
	}
	s := i.trusted(func(name string) *variable { return p.variable(service, name, t) })
	if s.At == nil {
		at := t.service(service.Name, "image")
		s.At = &at
	}
	return &trusting{i, s}
}

// A trusting is whom the daemon of a container trusts.
type trusting struct {
	image   *trustingImage
	setting listeners.Setting
}

// at returns the setting if it holds for a port of the container.
func (t *trusting) at(port int) []listeners.Setting {
	if t == nil || !slices.Contains(t.image.ports, port) {
		return nil
	}
	return []listeners.Setting{t.setting}
}

// variable returns a variable of a service: of its environment, or else of the last of its
// files that has it; nil if none has.
func (p *composeProject) variable(service types.ServiceConfig, name string, t *tokens) *variable {
	if value, ok := service.Environment[name]; ok {
		at := t.environment(service.Name, name)
		if value == nil { // of the environment in which Docker Compose runs
			value = new(string)
			v, known := p.lookup(name)
			*value = v
			return &variable{value: *value, known: known, at: &at}
		}
		missing := p.unset(t.written(service.Name, name))
		return &variable{value: *value, known: missing == "", at: &at, missing: missing}
	}
	for _, e := range slices.Backward(service.EnvFiles) {
		v := p.variableOf(e, name)
		if v != nil {
			return v
		}
	}
	return nil
}

// variableOf returns a variable of a file of variables. Of a file that is not there nothing is
// known.
func (p *composeProject) variableOf(e types.EnvFile, name string) *variable {
	found := p.tree.FindLocal(p.files[0].Name, e.Path)
	if found == "" {
		if !bool(e.Required) {
			return nil
		}
		at := p.files[0].Anchor(0, 0)
		return &variable{at: &at}
	}
	f := p.variablesOf(found)
	if f.file == nil {
		return &variable{}
	}
	if f.values == nil {
		at := f.file.Anchor(0, 0)
		return &variable{at: &at}
	}
	value, ok := f.values[name]
	if !ok {
		return nil
	}
	at, ok := f.places[name]
	if !ok {
		at = lineOf(f.file, name)
		f.places[name] = at
	}
	return &variable{value: value, known: true, at: &at}
}

// A variablesFile is a file of variables, which many services may have.
type variablesFile struct {
	file   *source.File             // nil if it cannot be read
	values map[string]string        // nil if it cannot be parsed
	places map[string]result.Anchor // of the values that were looked up
}

// variablesOf reads a file of variables, each one once.
func (p *composeProject) variablesOf(name string) *variablesFile {
	v := p.variableFiles[name]
	if v != nil {
		return v
	}
	v = &variablesFile{places: map[string]result.Anchor{}}
	if f, err := p.tree.Include(name); err == nil {
		v.file = f
		if values, err := parseVariables(f.Text, p.lookup); err == nil {
			v.values = values
		}
	}
	if p.variableFiles == nil {
		p.variableFiles = map[string]*variablesFile{}
	}
	p.variableFiles[name] = v
	return v
}

// lineOf returns the place of the value of a variable in a file of variables.
func lineOf(f *source.File, name string) result.Anchor {
	at := f.Anchor(0, 0)
	for start, line := range f.Lines() {
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(key), "export "))
		if ok && key == name {
			from := start + len(line) - len(value)
			at = f.Anchor(from, from+len(value))
		}
	}
	return at
}

// environment returns the place of the value of a variable of a service.
func (t *tokens) environment(service, name string) result.Anchor {
	for _, s := range t.services[service] {
		list := child(s.service, "environment")
		if n := child(list, name); n != nil {
			return scalar(s.file, n, n.Value)
		}
		if list != nil && list.Kind == yaml.SequenceNode {
			for _, n := range items(s.service, "environment") {
				if key, _, _ := strings.Cut(n.Value, "="); key == name {
					return scalar(s.file, n, n.Value)
				}
			}
		}
	}
	return t.service(service, "environment")
}

// written returns the value of a variable of a service as the file has it.
func (t *tokens) written(service, name string) string {
	for _, s := range t.services[service] {
		if n := child(child(s.service, "environment"), name); n != nil {
			return n.Value
		}
		for _, n := range items(s.service, "environment") {
			if key, value, _ := strings.Cut(n.Value, "="); key == name {
				return value
			}
		}
	}
	return ""
}
