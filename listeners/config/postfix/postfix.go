package postfix

import (
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// noMain is the doubt about what main.cf decides where it is missing.
const noMain = "main.cf is not beside master.cf"

// A reading is the state of reading one master.cf with its main.cf.
type reading struct {
	tree *source.Tree
	file *source.File // master.cf; main.cf if that is read by itself
	main *source.File // nil if there is none

	global    scope // of a daemon that has no options
	services  []service
	byName    map[string]*service // by type and name: "unix smtp"
	protocols families
	own       []listeners.Listener // what inet_interfaces has, without a port
	hostNames map[string][]netip.Addr
	portNames map[string]uint16

	asked     map[uint16]string     // the protocol of the questions that are asked of a port
	tables    map[string][]text     // the lines of tables, by path
	templates map[*source.File]bool // whether a file is a template
	told      map[*source.File]bool // the templates of which a doubt tells
	read      map[string]text       // lists of networks with the contents of their files
	full      bool                  // edges were left out
	c         listeners.Config
}

// Master reads master.cf, and main.cf beside it.
func Master(t *source.Tree, f *source.File) listeners.Config {
	r := newReading(t, f)
	for _, name := range []string{strings.Replace(path.Base(f.Name), "master", "main", 1), "main.cf"} {
		for _, found := range t.Find(f.Name, name) {
			if r.main != nil {
				break
			}
			if main, err := t.Include(found); err == nil {
				r.main = main
			}
		}
	}
	r.readSettings()
	if r.main == nil {
		r.doubt(noMain+"; the defaults of Postfix are assumed", inFile(f, 0, 0))
	}
	r.doubtLong(f)
	r.services = r.running(readServices(f, r.doubtLine))
	for i := range r.services {
		s := &r.services[i]
		r.byName[s.kind.s+" "+s.name.s] = s
	}
	r.readListeners()
	n := len(r.c.Doubts)
	r.readEdges()
	r.c.OnlyEdges(n)
	r.readQuestions()
	return shown(r.c)
}

// Main reads a main.cf that has no master.cf beside it: whom Postfix hands mail to. The
// services that listen are a doubt.
func Main(t *source.Tree, f *source.File) listeners.Config {
	r := newReading(t, f)
	r.main = f
	r.readSettings()
	r.doubt("master.cf is not beside main.cf; it has the services that listen", inFile(f, 0, 0))
	n := len(r.c.Doubts)
	r.readEdges()
	r.c.OnlyEdges(n)
	return shown(r.c)
}

func newReading(t *source.Tree, f *source.File) *reading {
	return &reading{
		tree: t, file: f, byName: map[string]*service{}, asked: map[uint16]string{}, tables: map[string][]text{}, templates: map[*source.File]bool{}, told: map[*source.File]bool{},
		read: map[string]text{},
	}
}

// readSettings reads main.cf and what holds for all services.
func (r *reading) readSettings() {
	budget := maxExpansion
	r.global = scope{budget: &budget}
	if r.main != nil {
		r.doubtLong(r.main)
		r.global.main = readMain(r.main, r.doubtLine)
	}
	r.protocols = r.families()
	if r.file != r.main && r.protocols != (families{}) {
		r.interfaces() // Postfix reads them even if all services have hosts
	}
}

// scope returns the settings of a service.
func (r *reading) scope(s *service) *scope {
	return &scope{own: s.own, main: r.global.main, budget: r.global.budget}
}

// doubt adds a doubt.
func (r *reading) doubt(problem string, at text) { r.doubtAt(problem, at.place()) }

// doubtLong adds a doubt about each line that is too long.
func (r *reading) doubtLong(f *source.File) {
	for start, line := range f.Lines() {
		if len(line) > maxLine {
			r.doubt("the line is too long to be read", inFile(f, start, start))
		}
	}
}

// doubtLine adds a doubt about a line that Postfix or the daemon of a service does not
// accept. In a template one doubt stands for all of them.
func (r *reading) doubtLine(problem string, at text) {
	f := at.parts[0].file
	template, known := r.templates[f]
	if !known {
		template = slices.ContainsFunc(logicalLines(f), func(line text) bool { return isTemplate(line.s) })
		r.templates[f] = template
	}
	switch {
	case !template:
		r.doubt(problem, at)
	case !r.told[f]:
		r.told[f] = true
		r.doubt("the file is a template; what it becomes is not known", at)
	}
}

// doubtAt adds a doubt; without a place it is about the whole file.
func (r *reading) doubtAt(problem string, at *result.Anchor) {
	if at == nil {
		at = inFile(r.file, 0, 0).place()
	}
	r.c.AddDoubt(problem, *at)
}

// doubtValue adds the doubt about the value of a parameter, if there is one.
func (r *reading) doubtValue(name string, v *value) {
	if d := v.doubt(name); d != "" {
		r.doubtAt(d, v.place())
	}
}

// running returns the services that Postfix runs: those that master_service_disable
// does not have (global/match_service.c), and of two with the same endpoint the last
// one (master/master_conf.c).
func (r *reading) running(all []service) []service {
	v := r.global.value("master_service_disable")
	r.doubtValue("master_service_disable", &v)
	disabled := newDisabled(words(v.text, commaBlanks, false))
	all = slices.DeleteFunc(all, func(s service) bool {
		return disabled.has(&s) || s.kind.s == "inet" && r.protocols == families{}
	})
	last := map[string]int{}
	for i := range all {
		last[r.endpoint(&all[i])] = i
	}
	var list []service
	for i := range all {
		if last[r.endpoint(&all[i])] == i {
			list = append(list, all[i])
		}
	}
	return list
}

// endpoint returns what identifies a service: "smtp inet" and "25 inet" are the same.
func (r *reading) endpoint(s *service) string {
	if s.kind.s != "inet" {
		return s.kind.s + " " + s.name.s
	}
	host, port, _ := splitName(s.name)
	number, ok := r.port(port.s)
	if !ok {
		return "inet " + s.name.s
	}
	name := strings.ToLower(host.s)
	if a, err := netip.ParseAddr(name); err == nil {
		name = a.String()
	}
	return "inet " + name + " " + strconv.Itoa(int(number))
}
