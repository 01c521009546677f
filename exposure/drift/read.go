package drift

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/jsonfault"
	"github.com/mxsweep/mxsweep/internal/textfile"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// maxBaselineLine is the maximum length of a line, in bytes.
const maxBaselineLine = 16 << 10

// Read parses a file that Encode made; file is its name, for errors. A line that
// cannot be parsed, an id that does not belong to its finding, and a duplicate
// are errors. It returns all of them, each a *userfile.Error with its position.
func Read(file string, data []byte) (*Baseline, error) {
	sum := sha256.Sum256(data)
	r := &reader{file: file, baseline: &Baseline{SHA256: hex.EncodeToString(sum[:])}, lines: map[string]int{}}
	if len(data) > MaxSize {
		r.fail(0, nil, faultf("", "larger than %d MiB", MaxSize>>20))
		return nil, r.errs.Err()
	}
	data = textfile.UTF8(data)
	if f := textfile.Check(data[:min(len(data), maxBaselineLine)]); f != nil && f.Whole {
		r.errs.Add(textError(file, data, f))
		return nil, r.errs.Err()
	}
	if err := userfile.WrongKind(file, data, userfile.Baseline); err != nil {
		r.errs.Add(err)
		return nil, r.errs.Err()
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(make([]byte, 0, 4096), maxBaselineLine)
	number := 0
	for lines.Scan() {
		if number++; !r.line(number, lines.Bytes()) {
			return nil, r.errs.Err()
		}
	}
	switch {
	case lines.Err() != nil: // the only possible error
		line := bytes.SplitN(data, []byte("\n"), number+2)[number]
		r.fail(number+1, line, faultf("", "a line longer than %d bytes", maxBaselineLine))
	case number == 0:
		r.fail(0, nil, faultf("", "an empty baseline"))
	}
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.baseline.Entries, compareEntries)
	return r.baseline, nil
}

// A reader parses one baseline.
type reader struct {
	file     string
	baseline *Baseline
	lines    map[string]int // of the entries, by id
	errs     userfile.Collector
}

// A fault is an error in a line: at its member of that name or, if that is "", at
// an offset.
type fault struct {
	member string
	offset int
	text   string
	hint   string // "" is the usual one
}

// faultf returns a fault at a member; "" means the whole line.
func faultf(member, format string, args ...any) *fault {
	return &fault{member: member, text: fmt.Sprintf(format, args...)}
}

// notJSON returns the fault for an error that json.Unmarshal returned for a line.
func notJSON(line []byte, what string, err error) *fault {
	return &fault{offset: jsonfault.Offset(line, err), text: fmt.Sprintf("reading the %s: %v", what, jsonfault.Plain(err))}
}

// fail records a fault of the line with that number; 0 is the whole file.
func (r *reader) fail(number int, line []byte, f *fault) {
	e := &userfile.Error{File: r.file, Line: number, Column: 1 + f.offset, Problem: f.text,
		Hint: `do not edit baselines by hand; "mxsweep baseline write" creates a new one`}
	if r.baseline.Schema != Schema {
		e.Hint = `"mxsweep baseline write RUN -o FILE" creates a baseline from a saved run`
	}
	if f.hint != "" {
		e.Hint = f.hint
	}
	if f.member != "" {
		e.Column += jsonfault.Member(line, f.member)
	}
	e.SetSource(string(line))
	r.errs.Add(e)
}

// textError returns the error for a file that is not text.
func textError(file string, data []byte, f *textfile.Fault) *userfile.Error {
	e := &userfile.Error{File: file, Line: f.Line(data), Column: f.Column(data), Problem: "not a baseline: " + f.Text, Hint: f.Hint}
	line, _, _ := bytes.Cut(data[f.Offset+1-e.Column:], []byte("\n"))
	e.SetSource(string(line))
	return e
}

// line parses one line. It reports whether the file is a baseline, so that
// parsing should go on.
func (r *reader) line(number int, line []byte) bool {
	if number == 1 {
		if f := r.header(line); f != nil {
			r.fail(1, line, f)
			return r.baseline.Schema == Schema && strings.HasPrefix(r.baseline.SchemaVersion, "1.")
		}
		return true
	}
	e, f := readEntry(line)
	if f == nil && r.lines[e.ID] > 0 {
		f = faultf("id", "duplicate of the finding in line %d", r.lines[e.ID])
	}
	if f != nil {
		r.fail(number, line, f)
		return true
	}
	r.lines[e.ID] = number
	r.baseline.Entries = append(r.baseline.Entries, e)
	return true
}

// header parses the first line.
func (r *reader) header(line []byte) *fault {
	b := r.baseline
	err := json.Unmarshal(line, &b.Header)
	switch {
	case err != nil:
		return notJSON(line, "header", err)
	case b.Schema != Schema:
		return faultf("schema", "not a baseline: schema is %q, expected %q", b.Schema, Schema)
	case !strings.HasPrefix(b.SchemaVersion, "1."):
		f := faultf("schema_version", "schema version is %q, this program reads 1.x", b.SchemaVersion)
		f.hint = `read it with the version of mxsweep that wrote it, or create a new one from a run of this version: "mxsweep baseline write RUN -o FILE"`
		return f
	case b.Vantage == "":
		return faultf("vantage", "the header lacks vantage or created")
	case b.Created.IsZero():
		return faultf("created", "the header lacks vantage or created")
	}
	return nil
}

// readEntry parses any other line.
func readEntry(line []byte) (Entry, *fault) {
	var e Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return e, notJSON(line, "finding", err)
	}
	switch {
	case !e.IP.IsValid() || e.IP.Zone() != "":
		return e, faultf("ip", "ip is missing or not valid")
	case e.Port == 0:
		return e, faultf("port", "port is missing or not valid")
	case e.Protocol != "tcp":
		return e, faultf("protocol", "protocol is missing or not valid")
	case !exposure.ValidRuleID(e.Rule):
		return e, faultf("rule", "rule is missing or not valid")
	case !e.Severity.Valid():
		return e, faultf("severity", "severity is missing or not valid")
	case slices.ContainsFunc(e.Addresses, func(a netip.Addr) bool { return !a.IsValid() || a.Zone() != "" }):
		return e, faultf("addresses", "an entry of addresses is invalid")
	case e.Confidence != nil && (*e.Confidence < 0 || *e.Confidence > 10):
		return e, faultf("confidence", "confidence is %d, expected 0 to 10", *e.Confidence)
	case e.Status != "" && e.Status != result.StatusAccepted && e.Status != result.StatusExpected:
		return e, faultf("status", "status is %q, neither accepted nor expected", e.Status)
	case e.Listener != "" && e.ID != e.ownID():
		return e, faultf("id", "the id does not belong to rule %q on %q of %q", e.Rule, e.Listener, e.Host)
	case e.Listener == "" && e.ID != e.id(e.IP.String()) && !e.byName():
		return e, faultf("id", "the id does not belong to rule %q on %s from %q", e.Rule, e.target(), e.Vantage)
	}
	e.IP = e.IP.Unmap()
	for i := range e.Addresses {
		e.Addresses[i] = e.Addresses[i].Unmap()
	}
	return e, nil
}
