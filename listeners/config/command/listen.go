package command

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// A Start is what starts a command.
type Start struct {
	Through listeners.Through
	Unit    string // what names it in Service: "postgrey.service", "CMD"

	// Doubt says why it may not start the command, "" if it does.
	Doubt string
}

// Listen adds what the daemons of a command line open, from the words of one command. Words of
// programs that only start others are skipped; unknown programs open nothing.
func Listen(c *listeners.Config, words []Text, env *Environment, by Start) {
	for words := range Programs(words, env) {
		if s := specOf(words[0].text); s != nil {
			o := &opening{c: c, spec: s, env: env, by: by, name: words[0], parsed: s.parse(words[1:])}
			o.open()
		}
	}
}

// maxNested is how many times a command line may contain another one.
const maxNested = 3

// Programs yields the commands that the words of one start, each from the name of its program
// on: without programs that only start others, and for a shell those of its script.
func Programs(words []Text, env *Environment) iter.Seq[[]Text] {
	return func(yield func([]Text) bool) { programs(words, env, 0, yield) }
}

func programs(words []Text, env *Environment, depth int, yield func([]Text) bool) bool {
	words, script := program(words)
	switch {
	case len(words) == 0:
		return true
	case script == nil:
		return yield(words)
	case depth >= maxNested:
		return true
	}
	for _, inner := range Split(*script, Shell, orEmpty(env)) {
		if !programs(inner, env, depth+1, yield) {
			return false
		}
	}
	return true
}

// orEmpty returns an environment that is not nil.
func orEmpty(env *Environment) *Environment {
	if env == nil {
		return &Environment{}
	}
	return env
}

// An opening is one command that opens sockets.
type opening struct {
	c    *listeners.Config
	spec *spec
	env  *Environment
	by   Start
	name Text // of the program
	parsed
}

// doubt adds a doubt about a text.
func (o *opening) doubt(t Text, problem string) {
	if at, ok := t.At(); ok {
		o.c.AddDoubt(problem, at)
	} else if at, ok := o.name.At(); ok {
		o.c.AddDoubt(problem, at)
	}
}

// open adds the listeners and edges.
func (o *opening) open() {
	for _, w := range o.unknown {
		o.doubt(w, fmt.Sprintf("options of %s are not in the files: %s", o.spec.Product, w.Doubt))
	}
	first := len(o.c.Listeners)
	for i := range o.spec.Sockets {
		o.socket(&o.spec.Sockets[i])
	}
	if o.spec.Arguments {
		o.positions()
	}
	for _, name := range o.spec.Relay {
		o.relay(o.values[name])
	}
	settings := o.settings()
	for i := range o.c.Listeners[first:] {
		o.c.Listeners[first+i].Settings = settings
	}
}

// settings returns the options that a judgement needs.
func (o *opening) settings() []listeners.Setting {
	var list []listeners.Setting
	for _, set := range o.spec.Settings {
		var values []string
		var at *result.Anchor
		for _, v := range o.all(set.Options) {
			values = append(values, strings.ReplaceAll(v.text, ",", " "))
			if a, ok := v.At(); ok && at == nil {
				at = &a
			}
		}
		if values != nil {
			list = append(list, listeners.Setting{Name: set.Name, Value: strings.Join(values, " "), At: at})
		}
	}
	return list
}

// socket adds what one socket of the daemon opens.
func (o *opening) socket(s *socketSpec) {
	places := o.places(s.Options, s.Env)
	port, portGiven := o.portOf(s)
	if len(places) == 0 {
		told := slices.ContainsFunc(s.Unless, func(name string) bool { return o.given[name] })
		if told || !s.Always && !portGiven {
			return
		}
		at := o.name
		if portGiven {
			at = port
		}
		doubt := port.Doubt
		if other := o.places(s.Follows, s.FollowsEnv); other != nil {
			doubt = cmp.Or(doubt, fmt.Sprintf("some versions of %s listen at %q", o.spec.Product, other[0].text))
		}
		if len(o.unknown) > 0 {
			doubt = cmp.Or(doubt, "options are not in the files: "+o.unknown[0].Doubt)
		}
		for _, host := range hosts(s.Host) {
			o.add(s, at, host, cmp.Or(port.text, fmt.Sprint(s.Port)), doubt, fmt.Sprintf("no option says where %s listens; its default is %s", o.spec.Product, described(s.Host)))
		}
		return
	}
	for _, p := range places {
		o.place(s, p, port)
	}
}

// places returns the values that say where a daemon listens: of options, or else of variables
// that it reads itself.
func (o *opening) places(options, variables []string) []Text {
	if list := o.all(options); list != nil {
		return list
	}
	for _, name := range variables {
		if v, ok := o.env.Value(name); ok {
			return []Text{v}
		}
	}
	return nil
}

// portOf returns the port that options for the port alone give.
func (o *opening) portOf(s *socketSpec) (Text, bool) {
	if v, ok := o.last(s.Ports); ok {
		return v, true
	}
	for _, name := range s.EnvPorts {
		if v, ok := o.env.Value(name); ok {
			return v, true
		}
	}
	return Text{}, false
}

// hosts returns the items of a list of hosts; an empty one has one item, "".
func hosts(list string) []string {
	if list == "" {
		return []string{""}
	}
	return strings.Fields(list)
}

// described returns the hosts of a list for people.
func described(list string) string {
	if list == "" || list == "*" {
		return "every address"
	}
	return strings.Join(strings.Fields(list), " and ")
}

// place adds what one value opens.
func (o *opening) place(s *socketSpec, v, port Text) {
	text := v.text
	switch s.Form {
	case milterForm:
		o.milter(s, v)
		return
	case portForm:
		if !strings.Contains(text, ":") && !strings.HasPrefix(text, "/") {
			for _, host := range hosts(s.Host) {
				why := fmt.Sprintf("the option has no address; %s then listens on %s", o.spec.Product, described(s.Host))
				o.add(s, v, host, text, v.Doubt, why)
			}
			return
		}
	}
	text = strings.TrimPrefix(text, "ssl:") // spamd
	if strings.HasPrefix(text, "/") || strings.HasPrefix(text, "unix:") {
		return
	}
	host, number := splitHost(text)
	at := v
	if number == "" {
		number = port.text
		if number == "" {
			number = fmt.Sprint(s.Port)
		} else {
			v.Doubt = cmp.Or(v.Doubt, port.Doubt)
		}
	}
	why := ""
	if host == "" || host == "*" {
		why = fmt.Sprintf("the option names no address; %s then listens on all of them", o.spec.Product)
	}
	o.add(s, at, host, number, v.Doubt, why)
}

// splitHost splits "host:port", "[host]:port", "host" and the address of IPv6 without
// brackets.
func splitHost(text string) (host, port string) {
	if rest, ok := strings.CutPrefix(text, "["); ok {
		host, port, _ = strings.Cut(rest, "]")
		return host, strings.TrimPrefix(port, ":")
	}
	if strings.Count(text, ":") > 1 {
		return text, ""
	}
	host, port, _ = strings.Cut(text, ":")
	return host, port
}

// add adds a listener.
func (o *opening) add(s *socketSpec, v Text, host, port, doubt, why string) {
	at, ok := v.At()
	if !ok {
		if at, ok = o.name.At(); !ok {
			return
		}
	}
	n, isPort := endpoint.Port(port)
	if !isPort {
		problem := fmt.Sprintf("%q is not a port", port)
		if doubt != "" {
			problem = "a port of " + o.spec.Product + " is not known: " + doubt
		}
		o.c.AddDoubt(problem, at)
		return
	}
	l := listeners.Listener{
		Port: n, At: at, Through: o.by.Through, Product: o.spec.Product,
		Protocol: cmp.Or(s.Protocol, o.spec.Protocol), Role: cmp.Or(s.Role, o.spec.Role),
		Service: fmt.Sprintf("%s %s %s:%d", o.by.Unit, s.Name, host, n),
	}
	l.Bind(host)
	if s.Form == milterForm {
		l.BindFamily(host, false)
	}
	l.Doubt = cmp.Or(o.by.Doubt, doubt, s.Doubt, l.Doubt)
	if why != "" {
		l.Causes = []listeners.Cause{{Why: why}}
	}
	o.c.AddListener(&l)
}

// milter adds the socket of a milter: inet:PORT@HOST, inet6:PORT@HOST, or a path (libmilter,
// smfi_setconn).
func (o *opening) milter(s *socketSpec, v Text) {
	family, rest, ok := v.Cut(":")
	switch strings.ToLower(family.text) {
	case "inet", "inet6":
	default:
		if v.Doubt != "" && !ok {
			o.doubt(v, "the socket of "+o.spec.Product+" is not known: "+v.Doubt)
		}
		return
	}
	port, host, has := rest.Cut("@")
	why := ""
	if !has || host.text == "" {
		why = "the socket has no @HOST; the milter then listens on all addresses"
	}
	address := host.text
	if strings.EqualFold(family.text, "inet6") {
		switch {
		case address == "":
			address = "::"
		case strings.EqualFold(address, "localhost"):
			address = "::1"
		}
	}
	o.add(s, v, address, port.text, v.Doubt, why)
}

// relay adds the edges of values "host[:port]".
func (o *opening) relay(values []Text) {
	for _, v := range values {
		host, port := splitHost(v.text)
		at := v
		if port == "" {
			if p, ok := o.last(o.spec.RelayPorts); ok {
				port, at = p.text, p
			} else {
				port = "25"
			}
		}
		n, ok := endpoint.Port(port)
		if place, has := at.At(); ok && has {
			o.c.AddEdge(listeners.Edge{File: place.File, Kind: listeners.EdgeRelay, Host: host, Port: n, At: place})
		}
	}
}

// positions takes the last two words: where the daemon listens, and where mail goes.
func (o *opening) positions() {
	n := len(o.arguments)
	if n < 2 {
		return
	}
	listen, relay := o.arguments[n-2], o.arguments[n-1]
	if _, ok := endpoint.Parse(listen.text); !ok || strings.Contains(listen.text, "=") {
		return
	}
	o.place(&o.spec.Sockets[0], listen, Text{})
	o.relay([]Text{relay})
}
