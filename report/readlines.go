package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
	var h lineHead
	if err := decode(b, &h); err != nil {
		return err
	}
	switch {
	case h.Schema != schemaLine:
		return badValue("schema", h.Schema, `not "mxsweep.line"`)
	case !versionKnown(h.SchemaVersion):
		return badValue("schema_version", h.SchemaVersion, "this program reads 1.x")
	case p.ended:
		return fmt.Errorf("the run goes on after its end")
	case !p.started && h.Type != lineRunStart:
		return fmt.Errorf("the run begins with %q, not with %q", clip(h.Type, 20), lineRunStart)
	case p.started && h.Type == lineRunStart:
		return fmt.Errorf("a second run begins: convert one run at a time")
	case p.started && h.RunID != p.run.ID:
		return badValue("run_id", h.RunID, "a line of another run")
	case h.Seq != *next:
		return badValue("seq", h.Seq, fmt.Sprintf("%d is due, so lines are missing or moved", *next))
	}
	*next++
	return p.record(h.Type, b)
}

// record plays what stands on a line of the given type.
func (p *player) record(kind string, b []byte) error {
	switch kind {
	case lineRunStart:
		var l startLine
		if err := decode(b, &l); err != nil {
			return err
		}
		if err := first(vet(&l.Tool), vet(&l.Run)); err != nil {
			return err
		}
		return p.start(&l.Tool, &l.Run)
	case linePort:
		var v Port
		if err := read(b, &v); err != nil {
			return err
		}
		return p.port(&v)
	case lineFinding:
		var f Finding
		if err := read(b, &f); err != nil {
			return err
		}
		return p.finding(&f)
	case lineNotice:
		var n Notice
		if err := read(b, &n); err != nil {
			return err
		}
		return p.notice(&n)
	case lineRunEnd:
		var l endLine
		if err := decode(b, &l); err != nil {
			return err
		}
		if l.Run == nil {
			l.Run = &p.run
		}
		if err := first(vet(l.Run), vet(&l.Summary)); err != nil {
			return err
		}
		return p.end(l.Run, &l.Summary)
	}
	return badValue("type", kind, "not a value of the schema")
}

// read parses and vets one record.
func read[T any, P interface {
	*T
	record
}](b []byte, v P) error {
	if err := decode(b, v); err != nil {
		return err
	}
	return vet(v)
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
