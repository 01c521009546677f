package zonefile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/internal/userfile"
)

// The limits of a zone file. They are far above those of any domain that has its mail described.
const (
	maxSize    = 16 << 20 // bytes
	maxRecords = 500_000  // of all lines together; $GENERATE makes many of one
)

// A Record is one record of a zone, and the line on which it begins.
type Record struct {
	dns.RR
	Line int
}

// A Zone is what a zone file says.
type Zone struct {
	File    string // as the user named it
	Origin  string // the apex, in canonical form
	SHA256  string // of the file, in lower-case hex
	lines   []string
	records map[string][]Record // by owner in canonical form
	exist   map[string]bool     // owners, and the names between them and the origin (RFC 8020)
}

// Read reads a zone file. Origin is that of the names without a dot at their end, up to a line with
// $ORIGIN. $INCLUDE is refused: what another file has would have no line here. Its errors are of
// userfile.
func Read(name, origin string) (*Zone, error) {
	data, err := userfile.ReadLimited(name, maxSize)
	if err != nil {
		return nil, err
	}
	return parse(name, data, origin)
}

// parse reads the records of a zone.
func parse(name string, data []byte, origin string) (*Zone, error) {
	sum := sha256.Sum256(data)
	z := &Zone{File: name, Origin: dns.CanonicalName(origin), SHA256: hex.EncodeToString(sum[:]), lines: strings.Split(string(data), "\n"), records: map[string][]Record{}, exist: map[string]bool{}}
	r := &lineReader{data: data}
	p := dns.NewZoneParser(r, z.Origin, "")
	p.SetDefaultTTL(3600) // a file of somebody who only checks needs no $TTL
	count, before, line := 0, 0, 0
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		if count++; count > maxRecords {
			return nil, &userfile.Error{File: name, Line: max(line, 1), Problem: fmt.Sprintf("the zone has more than %d records", maxRecords), Hint: "give a file with the records of the mail alone"}
		}
		if first := z.begins(before, r.lines); first > 0 {
			line = first
		}
		before = r.lines
		z.add(Record{rr, max(line, 1)})
	}
	if err := p.Err(); err != nil {
		return nil, z.mistake(err)
	}
	if count == 0 {
		return nil, &userfile.Error{File: name, Problem: "the file contains no records", Hint: "give a zone file in the syntax of BIND"}
	}
	return z, nil
}

// begins returns the number of the first line after before, and up to the one that the parser has read,
// on which a record can begin; 0 if there is none, as for the further records of $GENERATE.
func (z *Zone) begins(before, read int) int {
	for n := before; n < read && n < len(z.lines); n++ {
		text, _, _ := strings.Cut(z.lines[n], ";")
		text = strings.TrimSpace(text)
		if text != "" && !strings.HasPrefix(text, "$ORIGIN") && !strings.HasPrefix(text, "$TTL") {
			return n + 1
		}
	}
	return 0
}

// add adds a record whose owner is in the zone; others are not the zone's to say (RFC 1035, Section
// 5.2), and are left out.
func (z *Zone) add(r Record) {
	owner := dns.CanonicalName(r.Header().Name)
	if !dns.IsSubDomain(z.Origin, owner) || r.Header().Class != dns.ClassINET {
		return
	}
	z.records[owner] = append(z.records[owner], r)
	for name := owner; !z.exist[name]; {
		z.exist[name] = true
		if name == z.Origin || name == "." {
			return
		}
		next, end := dns.NextLabel(name, 0)
		if name = name[next:]; end {
			name = "."
		}
	}
}

// place is where a parse error of package dns says that it is.
var place = regexp.MustCompile(` at line: (\d+):(\d+)$`)

// mistake is the error of a line that cannot be read.
func (z *Zone) mistake(err error) error {
	e := &userfile.Error{File: z.File, Problem: strings.TrimPrefix(err.Error(), "dns: "), Hint: "give a zone file in the syntax of BIND, without $INCLUDE"}
	if m := place.FindStringSubmatch(e.Problem); m != nil {
		e.Line, _ = strconv.Atoi(m[1]) // digits
		e.Problem = strings.TrimSuffix(e.Problem, m[0])
	}
	return e
}

// A lineReader reads bytes one at a time, so that the parser reads no further than it has to, and counts
// the lines that were read.
type lineReader struct {
	data  []byte
	lines int
}

// Read implements [io.Reader]; the parser calls ReadByte instead.
func (r *lineReader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c, err := r.ReadByte()
	if err != nil {
		return 0, err
	}
	b[0] = c
	return 1, nil
}

// ReadByte implements [io.ByteReader].
func (r *lineReader) ReadByte() (byte, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	c := r.data[0]
	if r.data = r.data[1:]; c == '\n' {
		r.lines++
	}
	return c, nil
}
