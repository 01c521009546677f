package dovecot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A value is the value of a setting.
type value struct {
	token
	key     token
	problem string // why the value is not known
	unset   bool   // it is a default
}

// A list is a list of Dovecot 2.4, which a setting replaces and a section changes.
type list struct {
	entries []entry
	whole   bool // nothing is inherited
}

type entry struct {
	token
	on bool
}

// fieldName returns the name of a setting without the names of the sections that it may
// begin with in 2.4: "inet_listener_port" in an inet_listener is "port".
func (r *reading) fieldName(path, name string) string {
	if !r.new24() {
		return name
	}
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	if len(parts) < 2 {
		return name
	}
	key, label := parts[len(parts)-2], parts[len(parts)-1]
	if rest, ok := strings.CutPrefix(name, key+"_"+label+"_"); ok {
		return rest
	}
	if rest, ok := strings.CutPrefix(name, key+"_"); ok && key == "inet_listener" || ok && key == "service" {
		return rest
	}
	return name
}

// assign sets what key means in a section. The key may itself be a path. What a filter
// has is only checked: it does not change what listens.
func (r *reading) assign(in section, key token, v value) {
	path := in.path
	v.key = key
	if i := strings.LastIndexByte(key.s, '/'); i >= 0 {
		path, key.s = path+key.s[:i+1], key.s[i+1:]
	}
	name := r.fieldName(path, key.s)
	if !r.new24() && strings.HasPrefix(path, "service/") && !r.known23(in, path, name, v) || in.filter != "" {
		return
	}
	if r.new24() && r.assignList(path, name, v) {
		return
	}
	if r.new24() && name == "address" && strings.Contains(path, "/inet_listener/") {
		r.fatal("address is of Dovecot 2.3; it is listen now", v.key)
		return
	}
	if strings.HasPrefix(name, "@") && path == "" {
		r.useGroup(name, v)
		return
	}
	r.set[path+name] = v
}

// The settings of services and of what they listen on in 2.3 (master-settings.c).
var (
	serviceFields = []string{
		"name", "protocol", "type", "executable", "user", "group", "privileged_group", "extra_groups", "chroot",
		"drop_priv_before_exec", "process_min_avail", "process_limit", "client_limit", "service_count", "idle_kill", "vsz_limit",
	}
	listenerFields = []string{"name", "address", "port", "ssl", "reuse_port", "haproxy"}
)

// known23 reports whether a setting of a service exists in 2.3. Those of other sections
// count as known.
func (r *reading) known23(in section, path, name string, v value) bool {
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	owner, ok := r.owner(strings.Join(parts[:min(len(parts), 2)], "/") + "/")
	if in.filter != "" { // which has the services that Dovecot has by itself, and its own
		return r.knownFiltered(owner, parts, name, v)
	}
	switch {
	case !ok:
		r.fatal("there is no service that this setting could be of", v.key)
		return false
	case len(parts) == 2 && name == "inet_listener": // makes listeners without names
		for _, field := range v.fields(", \t") {
			owner.listener(field.s, field, false)
		}
		return false
	case len(parts) == 2 && !slices.Contains(serviceFields, name) && !slices.Contains(serviceSections, name):
	case len(parts) != 2 && len(parts) != 4, len(parts) == 4 && !slices.Contains(serviceSections, parts[2]):
	case len(parts) == 4 && parts[2] == "inet_listener" && owner.byName[parts[3]] == nil:
	case len(parts) == 4 && parts[2] == "inet_listener" && !slices.Contains(listenerFields, name):
	default:
		if len(parts) == 4 && parts[2] == "inet_listener" && v.problem == "" {
			r.checkField(name, v)
		}
		return true
	}
	r.fatal("a service has no setting "+name+" here", v.key)
	return false
}

// knownFiltered is known23 for a setting in a filter.
func (r *reading) knownFiltered(owner *service, parts []string, name string, v value) bool {
	known := len(parts) < 2 || owner != nil && owner.initial || r.filtered[strings.Join(parts[:2], "/")+"/"]
	switch {
	case len(parts) == 2 && known:
		known = slices.Contains(serviceFields, name) || slices.Contains(serviceSections, name)
	case len(parts) != 4 || !slices.Contains(serviceSections, parts[2]):
		known = false
	case parts[2] == "inet_listener" && known:
		known = slices.Contains(listenerFields, name) && r.hasFiltered(owner, parts)
		if known && v.problem == "" {
			r.checkField(name, v)
		}
	}
	if !known {
		r.fatal("a service has no setting "+name+" here", v.key)
	}
	return known
}

// hasFiltered reports whether an inet_listener exists in a filter.
func (r *reading) hasFiltered(owner *service, parts []string) bool {
	if owner != nil && owner.byName[parts[3]] != nil && owner.byName[parts[3]].port > 0 {
		return true
	}
	return r.filtered[strings.Join(parts, "/")+"/"]
}

// checkField says that the value of a setting of a listener is none that it can have.
func (r *reading) checkField(name string, v value) {
	switch name {
	case "port":
		if _, err := strconv.ParseUint(v.s, 10, 16); err != nil {
			r.fatal(fmt.Sprintf("%q is no port", v.s), v.token)
		}
	case "ssl", "haproxy", "reuse_port":
		if _, ok := boolean(v.s); !ok {
			r.fatal(name+" is neither yes nor no", v.token)
		}
	}
}

// assignList sets a list of 2.4, or an entry of one, and reports whether it is one.
func (r *reading) assignList(path, name string, v value) bool {
	at := path + name
	isList := func(s string) bool {
		s = s[strings.LastIndexByte(s, '/')+1:]
		return s == "listen" || s == "protocols"
	}
	if parent := strings.TrimSuffix(path, "/"); path != "" && isList(parent) {
		l := r.lists[parent]
		if l == nil {
			l = &list{}
			r.lists[parent] = l
		}
		on, ok := boolean(v.s)
		switch {
		case v.problem != "":
			r.doubt(v.problem, v.place())
		case !ok:
			r.fatal("the value is neither yes nor no", v.token)
		}
		if len(l.entries) >= maxEntries {
			r.doubt("there are more entries of "+parent+" than are read", v.key.place())
			return true
		}
		entryAt := v.key
		entryAt.s = name
		l.entries = append(l.entries, entry{entryAt, on})
		return true
	}
	if !isList(at) {
		return false
	}
	r.set[at] = v
	l := &list{whole: true}
	for _, f := range v.fields(", ") {
		f.s = strings.Trim(f.s, `"`)
		l.entries = append(l.entries, entry{f, true})
	}
	r.lists[at] = l
	return true
}

// maxGroups is how many groups are looked at.
const maxGroups = 100

// useGroup says that a group is included that configures what listens.
func (r *reading) useGroup(name string, v value) {
	if r.groups++; r.groups > maxGroups {
		r.doubt("there are too many groups", v.place())
		return
	}
	prefix := name + "/" + escape(v.s) + "/"
	for path := range r.set {
		rest, ok := strings.CutPrefix(path, prefix)
		if ok && (strings.HasPrefix(rest, "service/") || rest == "listen" || rest == "protocols" || rest == "ssl") {
			r.doubt("the group "+name+" "+v.s+" sets what listens, which is not read", v.place())
			return
		}
	}
}

// maxEntries is how many entries a list of 2.4 has at most.
const maxEntries = 10_000

// values returns a list of 2.4 at the first of the paths, and what it inherits from the
// others and from the default. The caller must not change it.
func (r *reading) values(initial []token, paths ...string) []token {
	var apply []*list
	inherited := true
	var key strings.Builder
	for _, p := range paths {
		l := r.lists[p]
		if l == nil {
			continue
		}
		apply = append(apply, l)
		key.WriteString(p + "\x00")
		if l.whole {
			inherited = false
			break
		}
	}
	if values, ok := r.merged[key.String()]; ok && key.Len() > 0 {
		return values
	}
	var m merger
	if inherited {
		for _, t := range initial {
			m.apply(entry{t, true})
		}
	}
	for _, l := range slices.Backward(apply) {
		for _, e := range l.entries {
			m.apply(e)
		}
	}
	values := m.values()
	r.merged[key.String()] = values
	return values
}

// A merger applies the entries of lists, of which the last one of a value counts.
type merger struct {
	entries []entry
	at      map[string]int // where the last entry of a value is
}

func (m *merger) apply(e entry) {
	if m.at == nil {
		m.at = map[string]int{}
	}
	if i, ok := m.at[e.s]; ok {
		m.entries[i].on = false
	}
	m.at[e.s] = len(m.entries)
	m.entries = append(m.entries, e)
}

// values returns the entries that are on.
func (m *merger) values() []token {
	var list []token
	for _, e := range m.entries {
		if e.on {
			list = append(list, e.token)
		}
	}
	return list
}

// boolean returns the value of a switch (get_bool).
func boolean(s string) (on, ok bool) {
	switch {
	case strings.EqualFold(s, "yes"), strings.EqualFold(s, "y"), s == "1":
		return true, true
	case strings.EqualFold(s, "no"):
		return false, true
	}
	return false, false
}
