package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/mxsweep/mxsweep/report/sanitize"
)

// lines reads the line form. Only the last line may be incomplete, and only if
// its line end is missing: such a run was cut short. An error in one record does
// not stop reading.
func (p *player) lines(r *bufio.Reader) error {
	next := 0 // the expected sequence number
	for n := 1; ; n++ {
		line, whole, err := readLine(r)
		switch {
		case err == io.EOF && p.ended:
			return p.errs.Err()
		case err == io.EOF:
			return p.cutShort(n-1, place{line: n, column: 1})
		case err != nil:
			return p.wrong(place{line: n, column: 1}, err)
		case len(line) == 0:
			continue
		case !whole && !json.Valid(line) && !p.ended:
			return p.cutShort(n-1, place{line: n, column: max(len(line), 1), part: string(line)})
		}
		if err := p.line(line, &next); err != nil {
			err, goesOn := err, true
			var end *endError
			if errors.As(err, &end) {
				err, goesOn = end.error, false
			}
			all := p.wrong(place{line: n, column: 1 + offsetIn(line, err), part: string(line)}, err)
			if !goesOn || errors.As(err, new(*outError)) || errors.As(err, new(tooLargeError)) {
				return all
			}
			p.started, next = true, anySeq
		}
	}
}

// anySeq is the expected sequence number after a line that could not be read.
const anySeq = -1

// An endError is an error after which reading makes no sense: what follows is
// another run, or not a run.
type endError struct{ error }

// line handles one line.
func (p *player) line(b []byte, next *int) error {
	if p.ended {
		return &endError{errors.New("the run continues after its end")}
	}
	v, err := parseLine(b)
	if err != nil {
		return err
	}
	if err := p.fits(v.head(), *next); err != nil {
		return &endError{err}
	}
	*next = v.head().Seq + 1
	return p.play(v)
}

// fits checks that a line is the expected one.
func (p *player) fits(h *lineHead, next int) error {
	version := checkVersion(h.SchemaVersion)
	switch {
	case h.Schema != schemaLine:
		return badValue("schema", h.Schema, `not "mxsweep.line"`)
	case version != nil:
		return version
	case !p.started && h.Type != lineRunStart:
		return fmt.Errorf("the run begins with %q, not with %q", sanitize.Text(h.Type, 20), lineRunStart)
	case p.started && h.Type == lineRunStart:
		return errors.New("a second run begins: convert one run at a time")
	case p.started && p.run.ID != "" && h.RunID != p.run.ID:
		return badValue("run_id", h.RunID, "a line of another run")
	case h.Seq != next && next != anySeq:
		return badValue("seq", h.Seq, fmt.Sprintf("%d was expected: lines are missing or out of order", next))
	}
	return nil
}

// A savedLine is a line of any type.
type savedLine interface{ head() *lineHead }

func (h *lineHead) head() *lineHead { return h }

// newLine returns an empty line of the given type; nil if there is no such type.
func newLine(kind string) savedLine {
	switch kind {
	case lineRunStart:
		return new(startLine)
	case linePort:
		return new(portLine)
	case lineFinding:
		return new(findingLine)
	case lineNotice:
		return new(noticeLine)
	case lineRunEnd:
		return new(endLine)
	}
	return nil
}

var lineType = regexp.MustCompile(`"type"\s*:\s*"([a-z_]+)"`)

// parseLine parses a line as the type that it seems to have, which saves a second
// pass over nearly every line, and if that is wrong, as the type that it has.
func parseLine(b []byte) (savedLine, error) {
	if m := lineType.FindSubmatch(b[:min(len(b), 200)]); m != nil {
		if v := newLine(string(m[1])); v != nil {
			if err := decode(b, v); err == nil && v.head().Type == string(m[1]) {
				return v, nil
			}
		}
	}
	var h lineHead
	if err := decode(b, &h); err != nil {
		return nil, err
	}
	v := newLine(h.Type)
	if v == nil {
		return nil, badValue("type", h.Type, "not a value of the schema")
	}
	return v, decode(b, v)
}

// play checks the record of a line and passes it on.
func (p *player) play(v savedLine) error {
	switch l := v.(type) {
	case *startLine:
		if err := first(vet(&l.Tool), vet(&l.Run)); err != nil {
			return err
		}
		return p.start(&l.Tool, &l.Run)
	case *portLine:
		if err := vet(&l.Port); err != nil {
			return err
		}
		return p.port(&l.Port)
	case *findingLine:
		if err := vet(&l.Finding); err != nil {
			return err
		}
		if err := p.ids.add(&l.Finding); err != nil {
			return err
		}
		return p.finding(&l.Finding)
	case *noticeLine:
		if err := vet(&l.Notice); err != nil {
			return err
		}
		return p.notice(&l.Notice)
	case *endLine:
		if l.Run == nil {
			l.Run = &p.run
		}
		if err := first(vet(l.Run), vet(&l.Summary)); err != nil {
			return err
		}
		return p.end(l.Run, &l.Summary)
	}
	return nil
}

// readLine reads one line, without its end and trailing white space. whole
// reports whether it had a line end. After the last line the error is io.EOF.
func readLine(r *bufio.Reader) (line []byte, whole bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, false, fmt.Errorf("the line is longer than %d MiB", maxLine>>20)
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimRight(line, " \t\r\n"), true, nil
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(line) > 0:
			return bytes.TrimRight(line, " \t\r\n"), false, nil
		default:
			return nil, false, err
		}
	}
}

// versionKnown reports whether a schema version is 1.x.
func versionKnown(v string) bool {
	return len(v) >= 3 && len(v) <= 8 && v[:2] == "1." && bytes.Trim([]byte(v[2:]), "0123456789") == nil ||
		v == SchemaVersion
}
