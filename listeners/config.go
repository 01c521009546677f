package listeners

import (
	"fmt"
	"net/netip"

	"github.com/mxsweep/mxsweep/result"
)

// The bounds of what one file configures, which no daemon reaches.
const (
	MaxListeners = 10_000
	MaxEdges     = 10_000
	MaxDoubts    = 1_000
)

// ofAll is how many times as much all files may configure as one.
const ofAll = 10

// A Config is what files configure. Its methods keep it in its bounds: what is beyond them
// is left out, and one Doubt for each kind says so.
type Config struct {
	Listeners []Listener
	Edges     []Edge
	Doubts    []Doubt
	Mounts    []Mount // the files of containers
	Filters   []Filter

	seen    map[any]bool             // what was added, so that nothing is added twice
	name    map[string]int           // how many listeners wanted a name
	entries map[string]result.Anchor // of the names of entries

	left map[string]bool // the kinds of which something was left out

	inside map[place]int // see Inside
	mounts *mounts       // see InContainer
}

// AddListener adds a listener of the file. If another listener has its name, it gets one of
// its own, which l has then as well. It reports false if there is no room for it.
func (c *Config) AddListener(l *Listener) bool {
	if len(c.Listeners) < MaxListeners {
		l.Service = c.unique(l.Service)
		if l.Entry != "" {
			l.Entry = c.uniqueEntry(l)
		}
	}
	return add(c, &c.Listeners, *l, nil, bound{"listeners", MaxListeners, l.At})
}

// maxEntries is how many lines may have an entry of one name: what is beyond has the name of
// the last.
const maxEntries = 100

// uniqueEntry returns the name of an entry that no other line has.
func (c *Config) uniqueEntry(l *Listener) string {
	if c.entries == nil {
		c.entries = map[string]result.Anchor{}
	}
	name := l.Entry
	for n := 2; n < maxEntries; n++ {
		if at, ok := c.entries[name]; !ok || at == l.At {
			break
		}
		name = fmt.Sprintf("%s, number %d", l.Entry, n)
	}
	c.entries[name] = l.At
	return name
}

// unique returns a name for a listener that no other has.
func (c *Config) unique(name string) string {
	if c.name == nil {
		c.name = map[string]int{}
	}
	for {
		c.name[name]++
		n := c.name[name]
		if n == 1 {
			return name
		}
		name = fmt.Sprintf("%s, number %d", name, n)
	}
}

// AddEdge adds an edge of the file, unless it is there. It reports false if there is no
// room for it.
func (c *Config) AddEdge(e Edge) bool {
	return add(c, &c.Edges, e, e, bound{"edges", MaxEdges, e.At})
}

// AddDoubt adds a doubt about the file, unless it is there or there is no room for it.
func (c *Config) AddDoubt(problem string, at result.Anchor) {
	d := Doubt{Problem: problem, At: at}
	add(c, &c.Doubts, d, d, bound{"doubts", MaxDoubts, at})
}

// OnlyEdges marks the doubts from an index on: they are about edges.
func (c *Config) OnlyEdges(from int) {
	for i := from; i < len(c.Doubts); i++ {
		c.Doubts[i].OfEdge = true
	}
}

// Add adds what a further file configures, as far as it is not there, up to ten times what
// one file may configure.
func (c *Config) Add(more Config) {
	for _, l := range more.Listeners {
		same := opened{l.At, l.Address, l.Port, l.Service}
		add(c, &c.Listeners, l, same, bound{"listeners", MaxListeners * ofAll, l.At})
	}
	for _, e := range more.Edges {
		add(c, &c.Edges, e, e, bound{"edges", MaxEdges * ofAll, e.At})
	}
	for _, m := range more.Mounts {
		add(c, &c.Mounts, m, m, bound{"mounts", MaxListeners * ofAll, result.Anchor{File: m.Name, Line: 1}})
	}
	for _, f := range more.Filters {
		add(c, &c.Filters, f, f, bound{"rules of packet filters", MaxListeners * ofAll, f.At})
	}
	for _, d := range more.Doubts {
		add(c, &c.Doubts, d, d, bound{"doubts", MaxDoubts * ofAll, d.At})
	}
}

// opened identifies a listener among those of all files: a file that several others
// include opens it once.
type opened struct {
	at      result.Anchor
	address netip.Addr
	port    uint16
	service string
}

// A bound is how much of a kind there may be, and where there is more.
type bound struct {
	kind string
	most int
	at   result.Anchor
}

// add adds one of a kind to a list, unless what identifies it was added before; nil
// identifies nothing. It reports false if the list is full.
func add[T any](c *Config, list *[]T, one T, same any, b bound) bool {
	switch {
	case same != nil && c.seen[same]:
		return true
	case len(*list) < b.most:
		if c.seen == nil {
			c.seen = map[any]bool{}
		}
		if same != nil {
			c.seen[same] = true
		}
		*list = append(*list, one)
		return true
	case !c.left[b.kind]:
		if c.left == nil {
			c.left = map[string]bool{}
		}
		c.left[b.kind] = true
		c.Doubts = append(c.Doubts, Doubt{Problem: fmt.Sprintf("there are more than %d %s; the rest is left out", b.most, b.kind), At: b.at})
	}
	return false
}
