package policy

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/strictyaml"
	"github.com/mxsweep/mxsweep/internal/userfile"
)

// Bounds of a policy.
const (
	// MaxSize is the largest policy that is read, in bytes.
	MaxSize = 64 << 20

	// maxWhole is the largest one that is read otherwise than list by list. With the
	// bound on how many values it may have (strictyaml.MaxValues), it takes less than
	// 256 MiB of memory.
	maxWhole = 16 << 20

	// maxKept is how much memory what is kept of a policy may take, beside its text.
	maxKept = 104 << 20

	// maxOtherLines is how many lines of a scope may be names or IPv6. A run has no
	// room for more.
	maxOtherLines = 300_000

	// longFile is the size from which on a policy is read list by list.
	longFile = 256 << 10
)

// longLists are the lists of a policy that may be long.
var longLists = []string{"scope.files", "scope.targets", "scope.exclude", "canaries", "expect", "must_be_closed", "accept"}

// parse parses a policy. From so many bytes on, it is cut at the items of its
// long lists where it can be.
func parse(file string, data []byte, long int) (*userfile.Document, *yaml.Node) {
	if len(data) < long {
		return userfile.ParseYAML(file, data)
	}
	d := &userfile.Document{Source: userfile.NewSource(file, data)}
	cut, fault := strictyaml.Split(data, longLists)
	switch {
	case cut != nil:
		d.Lists = cut
		return d, cut.Root
	case fitsWhole(data) || fault == nil && len(data) <= maxWhole:
		return userfile.ParseYAML(file, data)
	}
	d.Syntax(cmp.Or(fault, &strictyaml.Fault{Line: 1, Column: 1, Text: fmt.Sprintf("larger than %d MiB, and not written as lists with one entry after each dash", maxWhole>>20),
		Hint: "put each of the keys scope, expect, must_be_closed and accept on a line of its own, and its entries below, each after a dash"}))
	return d, nil
}

// fitsWhole reports whether a policy can be read otherwise than list by list.
func fitsWhole(data []byte) bool { return len(data) <= maxWhole && strictyaml.Fits(data) }

// What entries take, each with its part of what the lists leave unused.
const (
	acceptBytes  = 136
	expectBytes  = 48
	closedBytes  = 40
	canaryBytes  = 256
	lineBytes    = 12
	anchorBytes  = 96
	lineUpBytes  = 96
	hostSetBytes = 176
	portsBytes   = 96
	serviceBytes = 80
)

// weigh counts what is kept of the entry at a node, and ends reading where it is
// too much.
func (l *loader) weigh(n *yaml.Node, bytes int) {
	if l.kept += bytes; l.kept <= maxKept || l.Stopped() {
		return
	}
	l.Fail(n, "combine adjacent addresses into prefixes or ranges, and ports into lists; move long lists of hosts to scope files",
		"the entries up to this one take more than %d MiB of memory", maxKept>>20)
	l.Stop()
}

// room is how many of the items of a list need room, if each takes so many bytes.
func (l *loader) room(n *yaml.Node, bytes int) int {
	if l.Lists == nil || l.Lists.List(n) == nil {
		return 0
	}
	return min(l.Lists.List(n).Len(), maxKept/bytes)
}

// sharedValues are what entries of a policy say alike, each kept once.
type sharedValues struct {
	texts    map[string]string
	hosts    map[string]Selector
	ports    map[string]PortSelector
	services map[expectedService]*expectedService
}

// entryFields are what entries are read into one after the other, and the keys
// that do so: made anew for each, they would be most of what reading leaves behind.
type entryFields struct {
	accept  AcceptedRisk
	expect  Expectation
	service expectedService
	closed  Prohibition
	port    bool // the entry of accept has that key

	acceptFields, expectFields, closedFields []userfile.Field
}

// maxShared is how many values of a kind are looked for in those before. Where
// there are more, most are of one entry alone, and looking for them costs more than
// it spares.
const maxShared = 1 << 16

// share keeps a value for entries that say the same.
func share[K comparable, V any](in *map[K]V, key K, value V) {
	if *in == nil {
		*in = map[K]V{}
	}
	if len(*in) < maxShared {
		(*in)[key] = value
	}
}

// sharedText gives a text of an entry that many may have.
func (l *loader) sharedText(n *yaml.Node, text string) string {
	if known, ok := l.shared.texts[text]; ok {
		return known
	}
	text = strings.Clone(text)
	l.weigh(n, 16+len(text))
	share(&l.shared.texts, text, text)
	return text
}

// An idIndex finds entries of accept by their ids, in some 20 bytes each. The zero
// idIndex is empty.
type idIndex struct {
	seed   maphash.Seed
	first  map[uint64]int32 // the entry with an id of that hash
	others map[string]int32 // entries whose hash was taken by another id
}

// line gives the line of the entry with an id, 0 if there is none.
func (x *idIndex) line(list []AcceptedRisk, id string) int {
	i, ok := x.others[id]
	if !ok && x.first != nil {
		i, ok = x.first[maphash.String(x.seed, id)]
		ok = ok && list[i].ID == id
	}
	if !ok {
		return 0
	}
	return int(list[i].number)
}

// add takes in the id of the entry that has that number, which no entry has yet.
func (x *idIndex) add(id string, entry int) {
	if x.first == nil {
		x.seed, x.first, x.others = maphash.MakeSeed(), map[uint64]int32{}, map[string]int32{}
	}
	h := maphash.String(x.seed, id)
	if _, taken := x.first[h]; taken {
		x.others[id] = int32(entry)
		return
	}
	x.first[h] = int32(entry)
}
