package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"mxsweep/internal/jsonfault"
)

// A document is the document form as it is read. What is missing is nil.
type document struct {
	version  string
	tool     *Tool
	run      *Run
	ports    []Port
	findings []Finding
	notices  []Notice
	summary  *Summary

	ids findingIDs
}

// document plays the document form. Its members may stand in any order, so
// it is read as a whole before it is played.
func (p *player) document(r io.Reader) error {
	lines := &lineCounter{r: io.LimitReader(r, maxDocument+1)}
	dec := json.NewDecoder(lines)
	var d document
	err := d.read(dec)
	line := lines.at(dec.InputOffset())
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case lines.n > maxDocument:
		return at(0, fmt.Errorf("the document is larger than %d MiB", maxDocument>>20))
	case err != nil && !cut:
		return at(line, jsonfault.Plain(err))
	case !cut && d.summary == nil:
		return at(line, errors.New(`the document has no "summary"`))
	case d.tool == nil || d.run == nil:
		if cut {
			return p.cutShort(line)
		}
		return at(line, errors.New(`the document has no "tool" or no "run"`))
	}
	if err := d.play(p); err != nil {
		return at(0, err)
	}
	if cut {
		return p.cutShort(line)
	}
	return at(0, p.end(nil, d.summary))
}

// play plays all of the document but its end.
func (d *document) play(p *player) error {
	if err := p.start(d.tool, d.run); err != nil {
		return err
	}
	for i := range d.ports {
		if err := p.port(&d.ports[i]); err != nil {
			return err
		}
	}
	for i := range d.findings {
		if err := p.finding(&d.findings[i]); err != nil {
			return err
		}
	}
	for i := range d.notices {
		if err := p.notice(&d.notices[i]); err != nil {
			return err
		}
	}
	return nil
}

// read reads the members one by one, so that what came before a cut is kept.
func (d *document) read(dec *json.Decoder) error {
	if err := expect(dec, '{'); err != nil {
		return err
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if err := d.member(dec, name); err != nil {
			return err
		}
	}
	if err := expect(dec, '}'); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something follows the document")
	}
	return nil
}

func (d *document) member(dec *json.Decoder, name string) error {
	switch name {
	case "schema_version":
		if err := dec.Decode(&d.version); err != nil {
			return err
		}
		if !versionKnown(d.version) {
			return badValue(name, d.version, "this program reads 1.x")
		}
		return nil
	case "tool":
		return readWhole(dec, &d.tool)
	case "run":
		return readWhole(dec, &d.run)
	case "ports":
		return readList(dec, name, &d.ports, nil)
	case "findings":
		return readList(dec, name, &d.findings, d.ids.add)
	case "notices":
		return readList(dec, name, &d.notices, nil)
	case "summary":
		return readWhole(dec, &d.summary)
	}
	var skip json.RawMessage
	return dec.Decode(&skip)
}

func readMember(dec *json.Decoder, v record) error {
	if err := jsonfault.Plain(dec.Decode(v)); err != nil {
		return err
	}
	return vet(v)
}

// readWhole sets *to only if the member is whole.
func readWhole[T any, P interface {
	*T
	record
}](dec *json.Decoder, to *P) error {
	v := P(new(T))
	if err := readMember(dec, v); err != nil {
		return err
	}
	*to = v
	return nil
}

// readList reads a list of records. Admit is asked about each of them; nil admits
// all.
func readList[T any, P interface {
	*T
	record
}](dec *json.Decoder, name string, list *[]T, admit func(P) error) error {
	if err := expect(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		v := P(new(T))
		err := readMember(dec, v)
		if err == nil && admit != nil {
			err = admit(v)
		}
		if err != nil {
			return fmt.Errorf("%s[%d]: %w", name, len(*list), err)
		}
		*list = append(*list, *v)
	}
	return expect(dec, ']')
}

func expect(dec *json.Decoder, want json.Delim) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%q is due, not %s", want.String(), clip(fmt.Sprint(t), 40))
	}
	return nil
}

// A lineCounter remembers where lines end, to turn an offset into a line.
type lineCounter struct {
	r    io.Reader
	n    int64
	ends []int64 // offset behind each line end
}

// Read implements [io.Reader].
func (l *lineCounter) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	for i, c := range b[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.n+int64(i)+1)
		}
	}
	l.n += int64(n)
	return n, err
}

// at is the line, from 1, of the byte at offset.
func (l *lineCounter) at(offset int64) int {
	i, _ := slices.BinarySearch(l.ends, offset)
	return i + 1
}
