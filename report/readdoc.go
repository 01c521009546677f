package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/mxsweep/mxsweep/internal/jsonfault"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
)

// A document is the document form as it is read. What is missing is nil. Records
// are played as they come where the members stand in the order in which a scan
// writes them, and are held until all is read where they do not.
type document struct {
	player  *player
	version string
	tool    *result.Tool
	run     *result.Run
	summary *result.Summary

	played   int // how many kinds of records, of those below, were played
	ports    held[result.Port]
	findings held[result.Finding]
	notices  held[result.Notice]

	ids findingIDs
}

// document plays the document form.
func (p *player) document(r io.Reader) error {
	lines := &lineCounter{r: r}
	dec := json.NewDecoder(lines)
	d := document{player: p}
	err := d.read(dec)
	line := lines.at(dec.InputOffset())
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case errors.As(err, new(tooLargeError)):
		return at(0, err)
	case errors.As(err, new(*outError)):
		return unwrapOut(err)
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
	if err := d.play(); err != nil {
		return at(0, err)
	}
	if cut {
		return p.cutShort(line)
	}
	return at(0, p.end(nil, d.summary))
}

// begin starts the run if it is known and was not started.
func (d *document) begin() error {
	if d.player.started || d.tool == nil || d.run == nil {
		return nil
	}
	return d.player.start(d.tool, d.run)
}

// play plays what was held of the document.
func (d *document) play() error {
	if err := d.begin(); err != nil {
		return err
	}
	if err := d.ports.play(d.player.port); err != nil {
		return err
	}
	if err := d.findings.play(d.player.finding); err != nil {
		return err
	}
	return d.notices.play(d.player.notice)
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
		return within(name, readWhole(dec, &d.tool))
	case "run":
		return within(name, readWhole(dec, &d.run))
	case "ports":
		return readRecords(d, dec, name, 0, &d.ports, nil, d.player.port)
	case "findings":
		return readRecords(d, dec, name, 1, &d.findings, d.ids.add, d.player.finding)
	case "notices":
		return readRecords(d, dec, name, 2, &d.notices, nil, d.player.notice)
	case "summary":
		return within(name, readWhole(dec, &d.summary))
	}
	var skip json.RawMessage
	return dec.Decode(&skip)
}

// within says in which member of the document an error is; nil stays nil.
func within(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

func readMember(dec *json.Decoder, v any) error {
	if err := jsonfault.Plain(dec.Decode(v)); err != nil {
		return err
	}
	return vet(v)
}

// readWhole sets *to only if the member is whole.
func readWhole[T any](dec *json.Decoder, to **T) error {
	v := new(T)
	if err := readMember(dec, v); err != nil {
		return err
	}
	*to = v
	return nil
}

// readRecords reads a list of records and plays each, or holds it if records
// that come first, of which there are so many kinds, were not played. Admit is
// asked about each; nil admits all.
func readRecords[T any](d *document, dec *json.Decoder, name string, kinds int, list *held[T], admit, play func(*T) error) error {
	if err := d.begin(); err != nil {
		return err
	}
	if err := expect(dec, '['); err != nil {
		return err
	}
	direct := d.player.started && d.played == kinds
	if direct {
		d.played++
	}
	for n := 0; dec.More(); n++ {
		v := new(T)
		err := readMember(dec, v)
		if err == nil && admit != nil {
			err = admit(v)
		}
		switch {
		case err == nil && direct:
			err = play(v)
		case err == nil:
			if list.add(v); list.n > maxRecords {
				err = errTooMany
			}
		}
		if err != nil {
			return fmt.Errorf("%s[%d]: %w", name, n, err)
		}
	}
	return expect(dec, ']')
}

// A held list keeps records until they are played, and lets go of them then.
type held[T any] struct {
	chunks [][]T
	n      int
}

const chunkLen = 1024

// add keeps one more record.
func (h *held[T]) add(v *T) {
	if h.n%chunkLen == 0 {
		h.chunks = append(h.chunks, make([]T, 0, chunkLen))
	}
	last := &h.chunks[len(h.chunks)-1]
	*last = append(*last, *v)
	h.n++
}

// play calls to for each record.
func (h *held[T]) play(to func(*T) error) error {
	for i, chunk := range h.chunks {
		for k := range chunk {
			if err := to(&chunk[k]); err != nil {
				return err
			}
		}
		h.chunks[i] = nil
	}
	return nil
}

func expect(dec *json.Decoder, want json.Delim) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%q is due, not %s", want.String(), sanitize.Clip(fmt.Sprint(t), 40))
	}
	return nil
}

// A lineCounter remembers where lines end, to turn an offset into a line.
type lineCounter struct {
	r    io.Reader
	n    int64
	ends []uint64 // a bit for each byte, set if it ends a line
}

// Read implements [io.Reader].
func (l *lineCounter) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	for _, c := range b[:n] {
		if l.n%64 == 0 {
			l.ends = append(l.ends, 0)
		}
		if c == '\n' {
			l.ends[l.n/64] |= 1 << (l.n % 64)
		}
		l.n++
	}
	return n, err
}

// at is the line, from 1, of the byte in front of offset.
func (l *lineCounter) at(offset int64) int {
	line := 1
	offset = max(offset-1, 0)
	for i, word := range l.ends[:min(offset/64+1, int64(len(l.ends)))] {
		if rest := offset - int64(i)*64; rest < 64 {
			word &= 1<<rest - 1
		}
		line += bits.OnesCount64(word)
	}
	return line
}
