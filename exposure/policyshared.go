package exposure

import (
	"hash/maphash"
	"strings"

	"go.yaml.in/yaml/v3"
)

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

	acceptFields, expectFields, closedFields []field
}

// maxShared is how many values of a kind are looked for in those before. Where
// there are more, most are of one entry alone, and looking for them costs more than
// it spares.
const maxShared = 1 << 14

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
func (l *policyLoader) sharedText(n *yaml.Node, text string) string {
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
