package scope

import (
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// A list is long from so many entries on; then those that can be are kept in
// bulk. So many of these count as one of maxEntries.
const (
	longList  = 1 << 14
	bulkShare = 28
	maxForms  = 1 << 16 // different ports, lengths and indents, each some 400 bytes
)

// A bulkReader collects the entries of a Bulk.
type bulkReader struct {
	rows  []bulkRow
	forms []bulkForm
	known map[formKey]uint32
}

// A formKey is what tells forms apart.
type formKey struct {
	file   string
	base   int // lines read of other files before
	indent int
	size   uint32
	rest   string
}

// cut4 cuts a text behind the IPv4 address that it begins with, written as
// [net/netip] reads it.
func cut4(text []byte) (n uint32, rest []byte, ok bool) {
	i := 0
	for part := range 4 {
		if part > 0 {
			if i >= len(text) || text[i] != '.' {
				return 0, nil, false
			}
			i++
		}
		from, octet := i, uint32(0)
		for i < len(text) && i-from < 4 && '0' <= text[i] && text[i] <= '9' {
			octet = octet*10 + uint32(text[i]-'0')
			i++
		}
		if i == from || octet > 255 || text[from] == '0' && i-from > 1 {
			return 0, nil, false
		}
		n = n<<8 | octet
	}
	return n, text[i:], true
}

// lengthOf reads the length of a prefix in front of a port, and how many
// addresses behind the first one it covers.
func lengthOf(rest []byte) (size uint32, ok bool) {
	if len(rest) < 2 || rest[0] != '/' {
		return 0, false
	}
	bits := 0
	for i, c := range rest[1:] {
		if c == ':' && i > 0 {
			break
		}
		if c < '0' || c > '9' || i > 1 || i == 1 && bits == 0 {
			return 0, false
		}
		bits = bits*10 + int(c-'0')
	}
	return uint32(1<<(32-uint(bits)) - 1), bits <= 32
}

// add keeps an entry that was met before in this form, or reports false.
func (b *bulkReader) add(like formKey, line int, text []byte) bool {
	first, rest, ok := cut4(text)
	if !ok {
		return false
	}
	size := uint32(0)
	if len(rest) > 0 && rest[0] != ':' {
		if size, ok = lengthOf(rest); !ok || first&size != 0 {
			return false
		}
	}
	if size == 0 && (first>>24 == 0 || first>>28 == 0xe || first == 1<<32-1) {
		return false // no host's: see never
	}
	form, ok := b.known[formKey{like.file, like.base, like.indent, size, string(rest)}]
	if ok {
		b.rows = append(b.rows, bulkRow{first, uint32(line), form})
	}
	return ok
}

// addTarget keeps a target that can be kept so, or reports false.
func (b *bulkReader) addTarget(t *Target, line int) bool {
	if t.Name != "" || t.Zone != "" || len(t.Ranges) != 1 || !t.Ranges[0].From().Is4() || t.Anchor.Line <= 0 || t.Anchor.EndColumn <= len(t.Anchor.Text) {
		return false
	}
	r, mark := of4(t.Ranges[0]), ""
	text, excluded := strings.CutPrefix(t.Anchor.Text, "!")
	if excluded {
		mark = "!"
	}
	first, rest, ok := cut4([]byte(text))
	if !ok || first != r.first {
		return false
	}
	key := formKey{t.Anchor.File, line - t.Anchor.Line, t.Anchor.EndColumn - 1 - len(t.Anchor.Text), r.last - r.first, string(rest)}
	form, ok := b.known[key]
	if !ok {
		if len(b.forms) == maxForms {
			return false
		}
		if b.known == nil {
			b.known = map[formKey]uint32{}
		}
		form = uint32(len(b.forms))
		b.known[key] = form
		b.forms = append(b.forms, bulkForm{key.file, key.base, mark, key.indent, key.rest, key.size, t.Ports})
	}
	b.rows = append(b.rows, bulkRow{r.first, uint32(line), form})
	return true
}

// finish adds what was kept to the other targets of a list.
func (b *bulkReader) finish(list []Target) []Target {
	if len(b.rows) == 0 {
		return list
	}
	bulk := newBulk(b.rows, b.forms)
	*b = bulkReader{}
	return append(list, Target{Bulk: bulk, Anchor: result.Anchor{File: bulk.form[0].file}})
}
