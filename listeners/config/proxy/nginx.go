package proxy

import (
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// An nginx is the configuration of nginx while it is read.
type nginx struct {
	c        listeners.Config
	tree     *source.Tree
	main     *source.File
	parsed   map[string][]*directive   // by file
	includes map[string][]*source.File // by what include names
	steps    int                       // how many directives were looked at
	full     bool                      // listeners or edges were left out

	sockets map[socket]int // the listener of each socket of a block
	owning  map[int]bool   // the listeners that get a socket of their own in any case
}

// maxSteps is how many directives of nginx are read, those of included files each time that
// they are included, and how many servers of HAProxy.
const maxSteps = 1_000_000

// A context is where a directive is: its block and those around it.
type context struct {
	block  string // "http", "mail" or "stream"; "" outside of them
	outer  *context
	own    []*directive // of the block itself, with those of included files
	byName map[string][]*directive
}

// newContext returns the context of the directives in a block.
func newContext(outer *context, block string, own []*directive) *context {
	c := &context{block: block, outer: outer, own: own, byName: map[string][]*directive{}}
	for _, d := range own {
		name := d.words[0].text
		c.byName[name] = append(c.byName[name], d)
	}
	return c
}

// Nginx reads nginx.conf and the files that it includes (nginx.org/en/docs). Without an
// address listen means each IPv4 address. A file with servers that are in no block is read
// as one that nginx.conf includes into http, or into what only its directives allow.
func Nginx(t *source.Tree, f *source.File) listeners.Config {
	n := &nginx{tree: t, main: f, parsed: map[string][]*directive{}, includes: map[string][]*source.File{}}
	top := n.flat(n.directives(f), 0)
	main := newContext(nil, "", top)
	var loose []*directive
	for _, d := range top {
		switch name := d.words[0].text; {
		case !d.isBlock:
		case name == "http", name == "mail", name == "stream":
			n.readBlock(main, name, n.flat(d.block, 0))
		case name == "server", name == "upstream":
			loose = append(loose, d)
		}
	}
	if len(loose) > 0 {
		n.readBlock(main, guess(loose), top)
	}
	return n.c
}

// guess returns the block in which servers are that stand alone.
func guess(list []*directive) string {
	for _, d := range list {
		for _, inner := range d.block {
			switch {
			case !d.is("server"):
			case inner.is("protocol"):
				return "mail"
			case inner.is("proxy_pass"):
				return "stream"
			}
		}
	}
	return "http"
}

// doubt adds a doubt.
func (n *nginx) doubt(problem string, at word) { n.c.AddDoubt(problem, at.place()) }

// directives returns the directives of a file.
func (n *nginx) directives(f *source.File) []*directive {
	list, ok := n.parsed[f.Name]
	if !ok {
		list = parseDirectives(f, n.doubt)
		n.parsed[f.Name] = list
	}
	return list
}

// maxIncludes is how many files may include each other.
const maxIncludes = 10

// flat returns the directives, with those of included files in place of include.
func (n *nginx) flat(list []*directive, depth int) []*directive {
	var all []*directive
	for _, d := range list {
		if n.steps++; n.steps > maxSteps || depth > maxIncludes {
			n.doubt("there are more directives than are read", d.words[0])
			return all
		}
		if !d.is("include") || d.isBlock || len(d.words) != 2 {
			all = append(all, d)
			continue
		}
		for _, f := range n.included(d.words[1]) {
			all = append(all, n.flat(n.directives(f), depth+1)...)
		}
	}
	return all
}

// included returns the files that an include means. A relative path is relative to the folder
// of nginx.conf.
func (n *nginx) included(w word) []*source.File {
	if files, ok := n.includes[w.text]; ok {
		return files
	}
	if n.tree == nil {
		return nil
	}
	from := n.main.Name
	names := n.tree.Find(from, w.text)
	if names == nil && !path.IsAbs(w.text) { // of a file in conf.d or sites-enabled
		names = n.tree.Find(path.Dir(from), w.text)
	}
	if names == nil {
		n.doubtMissing(w)
	}
	var files []*source.File
	for _, name := range names {
		f, err := n.tree.Include(name)
		switch {
		case err == nil:
			files = append(files, f)
		case path.Base(path.Dir(name)) != "modules-enabled": // which only load modules
			n.doubt("the included file "+n.tree.ShownName(name)+" cannot be read", w)
		}
	}
	n.includes[w.text] = files
	return files
}

// harmless are files of nginx's packages that only have parameters: it does not matter that
// they are not there.
var harmless = []string{
	"mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "proxy_params", "koi-utf", "koi-win",
	"win-utf", "fastcgi-php.conf", "snakeoil.conf",
}

// doubtMissing adds the doubt about an include that means no file. A pattern may mean none,
// if its folder is among the files.
func (n *nginx) doubtMissing(w word) {
	dir := path.Dir(w.text)
	switch pattern := strings.ContainsAny(w.text, "*?["); {
	case slices.Contains(harmless, path.Base(w.text)):
	case pattern && (path.Base(dir) == "modules-enabled" || n.tree.Find(n.main.Name, dir) != nil):
	default:
		n.doubt("no file of "+w.text+" is among the files", w)
	}
}
