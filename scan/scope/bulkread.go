package scope

import (
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// From this many entries on a list is long: entries that can be are stored in bulk,
// where bulkShare of them count as one of maxEntries.
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

// A formKey identifies a form.
type formKey struct {
	file   string
	base   int // lines read from other files before
	indent int
	size   uint32
	rest   string
}

// cut4 splits a text after the IPv4 address at its beginning, in the syntax of
// [net/netip].
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

// lengthOf parses a prefix length before a port, and returns how many addresses after
// the first one it covers.
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

// add stores an entry of a known form, or reports false.
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
		return false // no host has this address: see never
	}
	form, ok := b.known[formKey{like.file, like.base, like.indent, size, string(rest)}]
	if ok {
		b.rows = append(b.rows, bulkRow{first, uint32(line), form})
	}
	return ok
}

// addTarget stores a target if that is possible in bulk, or reports false.
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

// finish adds the stored entries to the other targets of a list.
func (b *bulkReader) finish(list []Target) []Target {
	if len(b.rows) == 0 {
		return list
	}
	bulk := newBulk(b.rows, b.forms)
	*b = bulkReader{}
	return append(list, Target{Bulk: bulk, Anchor: result.Anchor{File: bulk.form[0].file}})
}
