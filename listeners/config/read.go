package config

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/redact"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A Found is a file of a known kind.
type Found struct {
	Name string // in the tree
	Kind string // "Postfix master.cf"
}

// Read reads the configuration files among the paths: each file that a path names, and
// those of a known kind below each folder that one names. A symbolic link below a folder is
// read if it leads to a file of the tree. It also returns the files that were of a known
// kind; one that fits several kinds is there, and is read, as each of them.
//
// What is there and cannot be read gives a Doubt: a file, a folder, a link that leads out of
// the tree or to a folder that no path has. So does a file that is named and of no known
// kind. No secret of the files is in what is returned. The error is a usage error for a path
// that does not exist.
func Read(t *source.Tree, paths ...string) (listeners.Config, []Found, error) {
	files, err := find(t, paths)
	if err != nil {
		return listeners.Config{}, nil, err
	}
	r := reading{tree: t, used: map[string]bool{}, done: map[string]bool{}, secrets: map[string][]string{}}
	for i := range files.list {
		files.list[i].kinds = kindsOf(t, files.list[i].name)
	}
	for _, part := range []bool{false, true} {
		for _, f := range files.list {
			r.readFile(f, part)
		}
	}
	r.doubtUnknown(files)
	for _, d := range files.doubts {
		r.config.AddDoubt(d.Problem, d.At)
	}
	r.doubtUnread()
	r.readImages()
	r.config.Contain()
	slices.SortFunc(r.found, func(a, b Found) int { return strings.Compare(a.Name, b.Name) })
	return r.config, r.found, nil
}

// A reading is the state of Read.
type reading struct {
	tree    *source.Tree
	config  listeners.Config
	found   []Found
	used    map[string]bool     // the files that were read, by their names without links
	done    map[string]bool     // those that another file of the same daemon includes, with the daemon
	secrets map[string][]string // of files, by their names without links, once they are needed
}

// readFile reads a file as each of its kinds, those that are usually included by others if
// part is set, otherwise the others.
func (r *reading) readFile(f file, part bool) {
	for _, k := range f.kinds {
		key := k.daemon() + "\x00" + f.real
		if k.partOf != "" != part || r.done[key] {
			continue
		}
		r.done[key] = true
		r.found = append(r.found, Found{f.name, k.name})
		var c listeners.Config
		uses := r.tree.Uses(func() {
			if text, err := r.tree.Read(f.name); err == nil { // else it is in Unread
				c = k.read(r.tree, text)
			}
		})
		for i := range c.Listeners {
			c.Listeners[i].Kind = cmp.Or(c.Listeners[i].Kind, k.name)
		}
		r.config.Add(withoutSecrets(c, func() []string { return r.secretsOf(uses) }))
		for real, included := range uses {
			r.used[real] = true
			if included {
				r.done[k.daemon()+"\x00"+real] = true
			}
		}
	}
}

// doubtUnknown adds a doubt about each file that a path names and nothing has read.
func (r *reading) doubtUnknown(files *files) {
	for _, f := range files.list {
		if f.named && !r.used[f.real] && f.kinds == nil {
			r.config.AddDoubt("it is of no known kind of configuration file", place(r.tree, f.name))
		}
	}
}

// doubtUnread adds a doubt about what could not be read: one for each folder and reason, for a
// folder that another user owns has many such files.
func (r *reading) doubtUnread() {
	type group struct{ folder, reason string }
	names := map[group][]string{}
	var groups []group
	for _, u := range r.tree.Unread() {
		g := group{path.Dir(u.Name), fault.WithoutPath(u.Err).Error()}
		if names[g] == nil {
			groups = append(groups, g)
		}
		names[g] = append(names[g], u.Name)
	}
	for _, g := range groups {
		problem := g.reason
		if n := len(names[g]); n > 1 {
			problem = fmt.Sprintf("this and %d more of its folder: %s", n-1, g.reason)
		}
		r.config.AddDoubt(problem, place(r.tree, names[g][0]))
	}
}

// place is the beginning of a file, for a doubt about all of it.
func place(t *source.Tree, name string) result.Anchor {
	return result.Anchor{File: t.ShownName(name), Line: 1}
}

// secretsOf returns the secrets of files.
func (r *reading) secretsOf(files map[string]bool) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		values, ok := r.secrets[name]
		if f, err := r.tree.Read(name); !ok && err == nil {
			values = redact.Values(f.Text)
			r.secrets[name] = values
		}
		list = append(list, values...)
	}
	return list
}

// withoutSecrets returns what files configure without secrets in its texts. Anchors have
// none. In a doubt, and in what a variable stands for, may be the value of a secret without
// its name: all returns those of the files.
func withoutSecrets(c listeners.Config, all func() []string) listeners.Config {
	secrets := sync.OnceValue(all)
	mask := func(text *string) {
		if *text != "" {
			*text = redact.Without(*text, secrets())
		}
	}
	for i := range c.Listeners {
		l := &c.Listeners[i]
		l.Service, l.Entry = redact.Line(l.Service), redact.Line(l.Entry)
		if mask(&l.Doubt); l.Doubt != "" {
			mask(&l.Host)
		}
		for j := range l.Causes {
			l.Causes[j].Why = redact.Line(l.Causes[j].Why)
		}
		for j := range l.Settings {
			s := &l.Settings[j]
			s.Value = redact.Value(s.Name, s.Value)
		}
	}
	for i := range c.Edges {
		e := &c.Edges[i]
		e.From, e.Host = redact.Line(e.From), redact.Line(e.Host)
	}
	for i := range c.Doubts {
		mask(&c.Doubts[i].Problem)
	}
	return c
}
