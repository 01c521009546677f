package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/mxsweep/mxsweep/internal/jsonfault"
	"github.com/mxsweep/mxsweep/internal/textfile"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// A place is the position of an error in a saved run. The zero place is the whole
// file.
type place struct {
	line, column int // from 1; a column of 0 is the whole line

	// part is the available part of the line, and before is how many bytes of the
	// line precede it.
	part   string
	before int
}

// wrong records an error at a place, and returns all errors so far. From then on
// nothing is passed on: the run will not be used.
func (p *player) wrong(at place, err error) error {
	var out *outError
	if errors.As(err, &out) {
		return unwrapOut(err)
	}
	e := &userfile.Error{File: p.file, Line: at.line, Column: at.column, Problem: err.Error(), Hint: savedHint}
	if errors.As(err, new(tooLargeError)) {
		e.Hint = fmt.Sprintf("saved runs are read up to %d MiB and %d records: save without --all-ports, or scan in parts with --shard", MaxRun>>20, maxRecords)
	}
	if errors.As(err, new(*versionError)) {
		e.Hint = "read it with the version of mxsweep that wrote it, or scan again with this one"
	}
	if errors.As(err, new(noPortError)) {
		e.Hint = "scan again; a run saved as jsonl is written line by line, and can be read from its first line on, but one saved as json only from its first port on"
	}
	e.SetPart(at.part, at.before)
	p.errs.Add(e)
	p.w = unused{}
	return p.errs.Err()
}

// schemaName matches the schema in a JSON file.
var schemaName = regexp.MustCompile(`"schema"\s*:\s*("[^"\\]{0,60}")`)

// notSaved returns the error for a file that is not a saved run; head is its beginning.
func (p *player) notSaved(head []byte) error {
	wrong := func(offset int, problem, hint string) error {
		line := head[bytes.LastIndexByte(head[:offset], '\n')+1:]
		column := 1 + offset - (len(head) - len(line))
		line, _, _ = bytes.Cut(line, []byte("\n"))
		e := &userfile.Error{File: p.file, Line: bytes.Count(head[:offset], []byte("\n")) + 1, Column: column,
			Problem: "not a saved run: " + problem, Hint: hint}
		e.SetSource(string(line))
		p.errs.Add(e)
		return p.errs.Err()
	}
	if len(bytes.TrimSpace(head)) == 0 {
		return p.wrong(place{}, errors.New("not a saved run: the file is empty"))
	}
	if f := textfile.Check(head); f != nil && f.Whole {
		return wrong(f.Offset, f.Text, f.Hint)
	}
	if e := userfile.WrongKind(p.file, head, userfile.SavedRun); e != nil {
		p.errs.Add(e)
		return p.errs.Err()
	}
	var value json.RawMessage
	err := json.NewDecoder(bytes.NewReader(head)).Decode(&value)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return wrong(jsonfault.Offset(head, err), jsonfault.Plain(err).Error(), savedHint)
	}
	m := schemaName.FindSubmatchIndex(head)
	if m == nil {
		first := len(head) - len(bytes.TrimLeft(head, " \t\r\n"))
		return wrong(first, `it has no "schema"`, savedHint)
	}
	return wrong(m[2], fmt.Sprintf("schema is %s, expected \"mxsweep.report\" or \"mxsweep.line\"", head[m[2]:m[3]]), savedHint)
}

// savedHint says where saved runs come from.
const savedHint = `a saved run is written by "mxsweep scan -o json=FILE" or "-o jsonl=FILE"`

// unused is a Writer that discards the records of a run that will not be used.
type unused struct{}

func (unused) Start(result.Tool, result.Run) error  { return nil }
func (unused) Port(result.Port) error               { return nil }
func (unused) Finding(result.Finding) error         { return nil }
func (unused) Notice(result.Notice) error           { return nil }
func (unused) End(result.Run, result.Summary) error { return nil }

var _ format.Writer = unused{}

// A jsonError is an error of encoding/json in plain words, with its position.
type jsonError struct {
	error
	offset int // from the beginning of the record
}

// decode parses one record.
func decode(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return &jsonError{jsonfault.Plain(err), jsonfault.Offset(b, err)}
	}
	return nil
}

// A valueError reports a member that violates the schema.
type valueError struct{ member, value, why string }

// Error returns the member and its value.
func (e *valueError) Error() string {
	return fmt.Sprintf("member %q is %s: %s", e.member, e.value, e.why)
}

// offsetIn returns the offset in a record that an error is about, 0 if it is not
// known.
func offsetIn(record []byte, err error) int {
	var syntax *jsonError
	var value *valueError
	switch {
	case errors.As(err, &syntax):
		return syntax.offset
	case errors.As(err, &value):
		return value.in(record)
	}
	return 0
}

// in returns the offset of the member's value in a record: of the value that was
// read, otherwise of the first member with that name.
func (e *valueError) in(record []byte) int {
	key, first := []byte(strconv.Quote(e.member)), -1
	for at := 0; ; {
		i := bytes.Index(record[at:], key)
		if i < 0 {
			return max(first, 0)
		}
		at += i + len(key)
		rest := bytes.TrimLeft(record[at:], " \t\r\n")
		if len(rest) == 0 || rest[0] != ':' {
			continue // a value
		}
		rest = bytes.TrimLeft(rest[1:], " \t\r\n")
		value := len(record) - len(rest)
		if bytes.HasPrefix(rest, []byte(e.value)) {
			return value
		}
		if first < 0 {
			first = value
		}
	}
}
