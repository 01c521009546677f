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

// Limits of a policy.
const (
	// MaxSize is the maximum size of a policy file, in bytes.
	MaxSize = 64 << 20

	// maxWhole is the maximum size of a file that is parsed as a whole, not list
	// by list. Together with the limit on its number of values
	// (strictyaml.MaxValues), this takes less than 256 MiB of memory.
	maxWhole = 16 << 20

	// maxKept is the maximum memory for the entries of a policy, in addition to
	// its text, in bytes.
	maxKept = 104 << 20

	// maxOtherLines is the maximum number of scope lines that are names or IPv6;
	// a run has no memory for more.
	maxOtherLines = 300_000

	// longFile is the minimum size of a file that is read list by list, in bytes.
	longFile = 256 << 10
)

// longLists are the lists that may be long.
var longLists = []string{"scope.files", "scope.targets", "scope.exclude", "canaries", "expect", "must_be_closed", "accept"}

// parse parses a policy. A file of at least long bytes is split at the items of
// its long lists, if possible.
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

// fitsWhole reports whether a policy can be parsed as a whole.
func fitsWhole(data []byte) bool { return len(data) <= maxWhole && strictyaml.Fits(data) }

// Memory that entries take, in bytes, each including its share of the unused
// capacity of the lists.
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

// weigh counts the memory of the entry at a node, and stops reading if it is too
// much.
func (l *loader) weigh(n *yaml.Node, bytes int) {
	if l.kept += bytes; l.kept <= maxKept || l.Stopped() {
		return
	}
	l.Fail(n, "combine adjacent addresses into prefixes or ranges, and ports into lists; move long lists of hosts to scope files",
		"the entries up to this one take more than %d MiB of memory", maxKept>>20)
	l.Stop()
}

// room returns for how many of the items of a list capacity can be reserved, if
// each takes the given number of bytes.
func (l *loader) room(n *yaml.Node, bytes int) int {
	if l.Lists == nil || l.Lists.List(n) == nil {
		return 0
	}
	return min(l.Lists.List(n).Len(), maxKept/bytes)
}

// sharedValues are values that several entries have in common, each kept once.
type sharedValues struct {
	texts    map[string]string
	hosts    map[string]Selector
	ports    map[string]PortSelector
	services map[expectedService]*expectedService
}

// entryFields are the variables into which entries are read, one after the other,
// with the keys that do so. They are reused, because allocated for each entry
// they would be most of the garbage.
type entryFields struct {
	accept  AcceptedRisk
	expect  Expectation
	service expectedService
	closed  Prohibition
	port    bool // the entry of accept has that key

	acceptFields, expectFields, closedFields []userfile.Field
}

// maxShared is the maximum number of values of a kind among which equal ones are
// searched. If there are more, most belong to one entry alone, and the search
// costs more than it saves.
const maxShared = 1 << 16

// share keeps a value for later entries with the same key.
func share[K comparable, V any](in *map[K]V, key K, value V) {
	if *in == nil {
		*in = map[K]V{}
	}
	if len(*in) < maxShared {
		(*in)[key] = value
	}
}

// sharedText returns a text of an entry, shared by entries with the same text.
func (l *loader) sharedText(n *yaml.Node, text string) string {
	if known, ok := l.shared.texts[text]; ok {
		return known
	}
	text = strings.Clone(text)
	l.weigh(n, 16+len(text))
	share(&l.shared.texts, text, text)
	return text
}

// An idIndex finds entries of accept by id, with about 20 bytes per entry. The
// zero idIndex is empty.
type idIndex struct {
	seed   maphash.Seed
	first  map[uint64]int32 // the entry whose id has that hash
	others map[string]int32 // entries whose hash is that of another id
}

// line returns the line of the entry with an id, 0 if there is none.
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

// add adds the id of entry number entry; the id must not be in the index.
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
