package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"

	"github.com/mxsweep/mxsweep/report/sanitize"
)

// lines plays the line form. Only the last line may be broken, and only if
// its line end is missing: that is how a run looks that was cut short.
func (p *player) lines(r *bufio.Reader) error {
	next := 0 // the sequence number that is due
	for n := 1; ; n++ {
		line, whole, err := readLine(r)
		if err == io.EOF {
			if p.ended {
				return nil
			}
			return p.cutShort(n - 1)
		}
		if err != nil {
			return at(n, err)
		}
		if len(line) == 0 {
			continue
		}
		if !whole && !json.Valid(line) {
			if p.ended {
				return at(n, fmt.Errorf("the run goes on after its end"))
			}
			return p.cutShort(n - 1)
		}
		if err := p.line(line, &next); err != nil {
			return at(n, err)
		}
	}
}

// line plays one line.
func (p *player) line(b []byte, next *int) error {
	v, err := parseLine(b)
	if err != nil {
		return err
	}
	switch h := v.head(); {
	case h.Schema != schemaLine:
		return badValue("schema", h.Schema, `not "mxsweep.line"`)
	case !versionKnown(h.SchemaVersion):
		return badValue("schema_version", h.SchemaVersion, "this program reads 1.x")
	case p.ended:
		return fmt.Errorf("the run goes on after its end")
	case !p.started && h.Type != lineRunStart:
		return fmt.Errorf("the run begins with %q, not with %q", sanitize.Clip(h.Type, 20), lineRunStart)
	case p.started && h.Type == lineRunStart:
		return fmt.Errorf("a second run begins: convert one run at a time")
	case p.started && h.RunID != p.run.ID:
		return badValue("run_id", h.RunID, "a line of another run")
	case h.Seq != *next:
		return badValue("seq", h.Seq, fmt.Sprintf("%d is due, so lines are missing or moved", *next))
	}
	*next++
	return p.play(v)
}

// A savedLine is a line of any type.
type savedLine interface{ head() *lineHead }

func (h *lineHead) head() *lineHead { return h }

// newLine is an empty line of the given type; nil if there is no such type.
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

// parseLine parses a line as what it seems to be, which spares a second pass
// over nearly every line, and if it is not that, as what it is.
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

// play vets what stands on a line and plays it.
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

// readLine reads one line, its end and blanks removed. whole tells whether
// the line end was there. After the last line the error is io.EOF.
func readLine(r *bufio.Reader) (line []byte, whole bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, false, fmt.Errorf("the line is longer than %d MiB", maxLine>>20)
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimSpace(line), true, nil
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(line) > 0:
			return bytes.TrimSpace(line), false, nil
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
