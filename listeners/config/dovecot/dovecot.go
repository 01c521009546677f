package dovecot

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// Main reads dovecot.conf.
func Main(t *source.Tree, f *source.File) listeners.Config {
	return newReading(t, f).read()
}

// Part reads a file that dovecot.conf usually includes, when no file includes it: what
// dovecot.conf itself sets is not known then, nor its version. It is one of 2.4 if 2.3
// refuses it.
func Part(t *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	for _, version := range []string{"", "2.4"} {
		r := newReading(t, f)
		r.part = true
		if version != "" {
			r.version.s, r.grammar, r.started = version, grammar24, true
			r.addDefaults()
		}
		if next := r.read(); version == "" || !r.broken {
			c = next
		}
		if !r.broken {
			break
		}
	}
	return c
}

// A reading is the state of reading dovecot.conf.
type reading struct {
	tree   *source.Tree
	root   *source.File
	config listeners.Config

	part bool // root is a part of a file that is not there

	// By default Debian's Dovecot has no protocols, others have those of defaults23.
	debian  bool // it is Debian's
	assumed bool // it is not known whose, and the default is a part of protocols

	inputs   []*input
	line     text // the beginning of a line that is continued
	grammar  grammar
	version  token // dovecot_config_version, which 2.3 does not have
	started  bool  // a setting was read: version is known
	broken   bool  // Dovecot does not start
	template bool  // the file becomes one of Dovecot only by a program
	sections []section
	unnamed  int      // sections without a name so far
	groups   int      // groups that were included so far
	expanded int      // the length of the values in which variables were replaced
	passdbs  []string // the paths of the sections passdb

	services []*service
	byName   map[string]*service
	filtered map[string]bool    // the paths of sections in filters
	set      map[string]value   // by path: "listen", "service/auth/inet_listener/x/port"
	lists    map[string]*list   // of 2.4, by path
	bound    map[string]bool    // ports and addresses of listeners
	merged   map[string][]token // what values returned
}

func newReading(t *source.Tree, f *source.File) *reading {
	return &reading{tree: t, root: f, grammar: grammar23, byName: map[string]*service{}, filtered: map[string]bool{}, set: map[string]value{}, lists: map[string]*list{}, bound: map[string]bool{}, merged: map[string][]token{}}
}

func (r *reading) read() listeners.Config {
	r.push(r.root)
	r.readAll()
	n := len(r.config.Doubts)
	r.addEdges()
	r.config.OnlyEdges(n)
	r.addListeners()
	return r.config
}

// new24 reports whether the file is one of Dovecot 2.4 or later.
func (r *reading) new24() bool { return r.version.s != "" }

func (r *reading) doubt(problem string, at result.Anchor) { r.config.AddDoubt(problem, at) }

// fatal says why Dovecot does not start; the first reason is enough, as for Dovecot.
func (r *reading) fatal(problem string, at token) {
	if !r.broken {
		r.broken = true
		r.doubt(problem+"; Dovecot does not start", at.place())
	}
}

// apply does what a line says (config_parser_apply_line).
func (r *reading) apply(t *text, in *input) {
	l := r.grammar.parse(t)
	if !r.started && l.kind != lineFault && l.kind != lineInclude && l.kind != lineIncludeTry {
		r.started = true
		if l.key.s == "dovecot_config_version" { // which must be the first setting
			r.version, r.grammar = l.value, grammar24
			r.addDefaults()
			return
		}
		r.addDefaults()
	}
	switch {
	case l.kind == lineFault && templated(t.s):
		if !r.template {
			r.template = true
			r.doubt("the file is a template, and what it becomes is not known", t.anchor(0, len(t.s)))
		}
		return
	case l.problem != "":
		r.fatal(l.problem, l.value)
	}
	switch l.kind {
	case lineBegin, lineGroup:
		r.begin(l)
	case lineEnd:
		if len(r.sections) == 0 {
			r.fatal("there is no section that } could end", l.key)
			return
		}
		r.sections = r.sections[:len(r.sections)-1]
	case lineInclude, lineIncludeTry:
		r.include(l, in)
	case lineValue, lineVariable, lineFile:
		if top := r.top(); top.skipped || l.key.s == "dovecot_config_version" {
			return
		}
		v := r.evaluate(l, in)
		if !r.new24() && l.kind == lineValue && r.obsolete(l.key, v) {
			return
		}
		r.assign(r.top(), l.key, v)
	}
}

// templated reports whether a text is to be replaced by a program, such as Jinja.
func templated(s string) bool { return strings.Contains(s, "{{") || strings.Contains(s, "{%") }

// A section is an open section.
type section struct {
	open    token
	path    string // before the names of its settings
	filter  string // not "" if what it sets holds for some connections only: the protocol, or "other"
	skipped bool   // nothing in it is read
}

func (r *reading) top() section {
	if len(r.sections) == 0 {
		return section{}
	}
	return r.sections[len(r.sections)-1]
}

// maxDepth is how deep sections are read.
const maxDepth = 50

// begin opens a section.
func (r *reading) begin(l line) {
	s, name := r.top(), l.value.s
	s.open = l.key
	key := r.fieldName(s.path, l.key.s)
	switch {
	case len(r.sections) >= maxDepth:
		r.doubt("there are more sections in each other than are read", l.key.place())
		s.skipped = true
	case l.kind == lineBegin && !r.new24() && s.path == "" && key == "auth": // of Dovecot 1
		s.skipped = true
	case l.kind == lineGroup:
		s.path += escape(l.key.s) + "/" + escape(name) + "/"
	case key == "protocol" && s.filter == "" && s.path == "":
		s.filter = name
		if name == "managesieve" {
			s.filter = "sieve"
		}
	case key == "protocol", key == "local", key == "local_name", key == "remote":
		s.filter = "other"
	case r.new24() && (key == "listen" || key == "protocols"):
		s.path += key + "/"
	case r.new24() && name == "" && (key == "service" || key == "inet_listener"):
		r.fatal(key+" has no name", l.key)
		s.skipped = true
	default:
		r.named(&s, key, l)
	}
	r.sections = append(r.sections, s)
}

// named opens a section that has a name, or a number instead.
func (r *reading) named(s *section, key string, l line) {
	name := l.value
	if name.s == "" && r.new24() {
		s.path += key + "/"
		return
	}
	if name.s == "" {
		name.s = strconv.Itoa(r.unnamed)
		r.unnamed++
	}
	if r.inService(s.path) && !r.new24() && !slices.Contains(serviceSections, key) {
		r.fatal("a service has no section "+key, l.key)
	}
	if s.filter == "" && !s.skipped {
		switch owner, ok := r.owner(s.path); {
		case s.path == "" && key == "passdb":
			r.passdbs = append(r.passdbs, key+"/"+escape(name.s)+"/")
		case s.path == "" && key == "service":
			if l.value.s == "" {
				r.fatal("a service has no name", l.key)
			}
			r.service(name.s, l.value)
		case ok && key == "inet_listener":
			at := l.value
			if at.s == "" {
				at = l.key
			}
			owner.listener(name.s, at, l.value.s != "")
		}
	}
	s.path += key + "/" + escape(name.s) + "/"
	if s.filter != "" {
		r.filtered[s.path] = true
	}
}

// serviceSections are the sections that a service may have.
var serviceSections = []string{"unix_listener", "fifo_listener", "inet_listener"}

// inService reports whether a path is that of a service.
func (r *reading) inService(path string) bool {
	return strings.HasPrefix(path, "service/") && strings.Count(path, "/") == 2
}

// owner returns the service whose section has a path.
func (r *reading) owner(path string) (*service, bool) {
	rest, ok := strings.CutPrefix(path, "service/")
	name, rest, _ := strings.Cut(rest, "/")
	if !ok || rest != "" {
		return nil, false
	}
	s := r.byName[name]
	return s, s != nil
}

// escaper writes the name of a section so that it has no / (settings_section_escape).
var escaper = strings.NewReplacer("=", `\e`, "/", `\s`, `\`, `\\`, " ", `\_`, ",", `\+`)

func escape(name string) string { return escaper.Replace(name) }
