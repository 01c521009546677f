package container

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
)

// Commands reads the commands of Docker, Podman and nerdctl of one unit, and the containers
// that Podman makes of its files.
type Commands struct {
	Config *listeners.Config
	Unit   string // what names it in Service: "rspamd.service"

	spent   int  // ports, see maxPublished
	created bool // the unit creates a container
}

// maxPublished is how many ports one unit may publish, those of ranges each by itself.
const maxPublished = 200_000

// A Container is one that a command or a file runs.
type Container struct {
	Name, Image string
	Ports       []command.Text // as -p has them: "127.0.0.1:25:25/tcp"
	Network     command.Text   // "host": it has none of its own

	all     bool           // its ports are published at random ports
	unknown []command.Text // words that are not known, and that may be options
}

// clients are the programs.
var clients = []string{"docker", "podman", "nerdctl"}

// Read adds the ports that a command publishes: "docker run -p", and "create", also of a pod or
// a service. It reports whether the command is one of these programs; other commands of theirs
// open nothing by themselves.
func (r *Commands) Read(words []command.Text) bool {
	if len(words) == 0 || !slices.Contains(clients, path.Base(words[0].String())) {
		return false
	}
	program, words := words[0], words[1:]
	for i, w := range words {
		switch text := w.String(); {
		case strings.HasPrefix(text, "-"), text == "container", text == "pod", text == "service":
		case text == "run", text == "create":
			r.run(program, words[i+1:])
			return true
		case text == "start":
			r.start(program)
			return true
		case i > 0 && strings.HasPrefix(words[i-1].String(), "-"): // the value of an option
		default:
			return true
		}
	}
	return true
}

// start adds the doubt about a container that exists already.
func (r *Commands) start(program command.Text) {
	if at, ok := program.At(); ok && !r.created {
		r.Config.AddDoubt("the container that this starts was created elsewhere: which ports it publishes is not in the files", at)
	}
}

// flags are the options of run and create that take no value, or one only behind "=".
var flags = []string{
	"detach", "env-host", "help", "http-proxy", "init", "insecure", "interactive", "no-healthcheck", "no-hostname", "no-hosts",
	"no-resolve-image", "oom-kill-disable", "passwd", "privileged", "publish-all", "quiet", "read-only", "read-only-tmpfs", "replace", "rm",
	"rmi", "sig-proxy", "tls-verify", "tty", "unsetenv-all", "use-api-socket", "with-registry-auth", "disable-content-trust", "share-parent",
}

// letters are short options without a value, and short are those of interest with one.
const letters = "dihqtP"

var short = map[byte]string{'p': "publish"}

// run adds what the command publishes that has these words behind run or create.
func (r *Commands) run(program command.Text, words []command.Text) {
	r.created = true
	var c Container
	rest := c.Options(words)
	if len(rest) > 0 {
		c.Image = rest[0].String()
		rest = rest[1:]
	}
	r.Add(c, program)
	r.inside(c, rest)
}

// Options sets what options of run or create say. It returns the words behind them.
func (c *Container) Options(words []command.Text) []command.Text {
	for len(words) > 0 && (strings.HasPrefix(words[0].String(), "-") || words[0].Doubt != "") {
		w := words[0]
		words = words[1:]
		if !strings.HasPrefix(w.String(), "-") {
			c.unknown = append(c.unknown, w)
			continue
		}
		if w.String() == "--" {
			break
		}
		name, value, has := option(w)
		c.all = c.all || allLetter.MatchString(w.String())
		if !has && name != "" && !slices.Contains(flags, name) && len(words) > 0 {
			value, words = words[0], words[1:]
		}
		switch name {
		case "publish":
			c.Ports = append(c.Ports, value)
		case "publish-all":
			c.all = value.String() != "false"
		case "network", "net":
			c.Network = value
		case "name":
			c.Name = value.String()
		}
	}
	return words
}

// allLetter is -P, perhaps behind other letters without a value.
var allLetter = regexp.MustCompile(`^-[dihqt]*P`)

// option returns the name of an option, and the value that its word has. Of short options that
// are written together, it is the last one that counts.
func option(w command.Text) (name string, value command.Text, has bool) {
	if strings.HasPrefix(w.String(), "--") {
		head, value, has := w.Slice(2, len(w.String())).Cut("=")
		return head.String(), value, has
	}
	text := w.String()
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == 'P':
			name = "publish-all"
		case strings.IndexByte(letters, text[i]) >= 0:
		default:
			value := w.Slice(i+1, len(text))
			if rest, ok := strings.CutPrefix(value.String(), "="); ok {
				value = value.Slice(1, 1+len(rest))
			}
			if n := short[text[i]]; n != "" {
				return n, value, i+1 < len(text)
			}
			return text[i : i+1], value, i+1 < len(text)
		}
	}
	return name, command.Text{}, false
}

// name returns what people call the container.
func (c *Container) name() string {
	if c.Name != "" {
		return c.Name
	}
	base, _, _ := strings.Cut(path.Base(c.Image), "@")
	base, _, _ = strings.Cut(base, ":")
	return base
}

// doubt adds a doubt about a text, or else about the command that has it.
func (r *Commands) doubt(t, by command.Text, problem string) {
	at, ok := t.At()
	if !ok {
		at, ok = by.At()
	}
	if ok {
		r.Config.AddDoubt(problem, at)
	}
}

// Add adds the ports that a container publishes; by is what runs it.
func (r *Commands) Add(c Container, by command.Text) {
	for _, w := range c.unknown {
		r.doubt(w, by, fmt.Sprintf("options of container %q are not in the files: %s", c.name(), w.Doubt))
	}
	if c.Network.String() == "host" { // ports are discarded then
		r.doubt(c.Network, by, fmt.Sprintf("container %q uses the network of the host: it opens the ports of its daemons, which this file does not list", c.name()))
		return
	}
	if c.Network.Doubt != "" {
		r.doubt(c.Network, by, fmt.Sprintf("the network of container %q is unknown: %s", c.name(), c.Network.Doubt))
	}
	if c.all {
		r.doubt(by, by, fmt.Sprintf("the ports of container %q are published at random ports of the host, on all addresses", c.name()))
	}
	for _, p := range c.Ports {
		if !r.publish(&c, p, by) {
			return
		}
	}
}

// spread is a range of ports.
var spread = regexp.MustCompile(`(\d+)-(\d+)`)

// publish adds what one value of -p publishes. It reports false if there is no room for more.
func (r *Commands) publish(c *Container, p, by command.Text) bool {
	r.spent++
	for _, m := range spread.FindAllStringSubmatch(p.String(), 2) {
		from, _ := strconv.Atoi(m[1])
		to, _ := strconv.Atoi(m[2])
		r.spent += min(max(to-from, 0), maxPublished)
	}
	if r.spent > maxPublished {
		r.doubt(p, by, fmt.Sprintf("more than %d ports are published; the rest is left out", maxPublished))
		return false
	}
	ports, err := parsePublished(p.String())
	switch {
	case p.Doubt != "" && (err != nil || len(ports) == 0 || ports[0].Published == ""):
		r.doubt(p, by, fmt.Sprintf("a published port of container %q is unknown: %s", c.name(), p.Doubt))
		return true
	case err != nil || len(ports) == 0:
		r.doubt(p, by, fmt.Sprintf("%q, which container %q publishes, does not have the form [ADDRESS:][PORT:]PORT", p, c.name()))
		return true
	}
	at, ok := p.Slice(0, len(publishedSide(p.String()))).At()
	if !ok {
		if at, ok = by.At(); !ok {
			return true
		}
	}
	of := publication{
		owner: fmt.Sprintf("container %q", c.name()), prefix: r.Unit + " -p", services: []string{c.name()}, image: c.Image, at: at, doubt: p.Doubt,
	}
	for _, port := range ports {
		if !of.add(r.Config, port) {
			return false
		}
	}
	return true
}

// parsePublished returns the ports of a value of -p, or of --publish of a service, which may be
// "published=25,target=25".
func parsePublished(text string) ([]types.ServicePortConfig, error) {
	if !strings.Contains(text, "=") {
		return types.ParsePortConfig(text)
	}
	var port types.ServicePortConfig
	for field := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "published":
			port.Published = value
		case "target":
			target, _ := portNumber(value)
			port.Target = uint32(target)
		case "protocol":
			port.Protocol = value
		}
	}
	return []types.ServicePortConfig{port}, nil
}

// inside adds what a daemon opens that the words behind the image start.
func (r *Commands) inside(c Container, words []command.Text) {
	by := command.Start{Unit: r.Unit, Through: listeners.ThroughContainer}
	if c.Network.String() == "host" {
		by.Through = listeners.ThroughHost
	}
	first, doubts := len(r.Config.Listeners), len(r.Config.Doubts)
	command.Listen(r.Config, words, nil, by)
	if by.Through == listeners.ThroughHost {
		return
	}
	for i := range r.Config.Listeners[first:] {
		r.Config.Listeners[first+i].Services = []string{c.name()}
	}
	r.Config.OnlyEdges(doubts) // no port of the host depends on it
}
