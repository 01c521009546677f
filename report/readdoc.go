package report

import (
	"bytes"
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

	lines     *lineCounter
	recordAt  int64 // where the member or record begins that is being read
	summaryAt int64
}

// document plays the document form.
func (p *player) document(r io.Reader) error {
	lines := &lineCounter{r: r}
	dec := json.NewDecoder(lines)
	d := document{player: p, lines: lines}
	err := d.read(dec)
	end := lines.place(dec.InputOffset() - 1)
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case errors.As(err, new(tooLargeError)):
		return p.wrong(place{}, err)
	case errors.As(err, new(*outError)):
		return unwrapOut(err)
	case err != nil && !cut:
		return p.wrong(d.lines.place(d.offset(dec, err)), jsonfault.Plain(err))
	case p.errs.Len() > 0:
		return p.errs.Err()
	case !cut && d.summary == nil:
		return p.wrong(end, errors.New(`the document has no "summary"`))
	case d.tool == nil || d.run == nil:
		if cut {
			return p.cutShort(end.line)
		}
		return p.wrong(end, errors.New(`the document has no "tool" or no "run"`))
	}
	if err := d.play(); err != nil {
		return p.wrong(place{}, err)
	}
	if cut {
		return p.cutShort(end.line)
	}
	if err := p.end(nil, d.summary); err != nil {
		return p.wrong(lines.place(d.summaryAt), err)
	}
	return nil
}

// offset is where an error behind which nothing can be read stands.
func (d *document) offset(dec *json.Decoder, err error) int64 {
	raw, from := d.lines.from(d.recordAt)
	var syntax *json.SyntaxError
	if bad := json.Unmarshal(raw, new(json.RawMessage)); errors.As(err, &syntax) && errors.As(bad, &syntax) {
		return from + int64(jsonfault.Offset(raw, bad))
	}
	return dec.InputOffset() - 1
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
		return errors.New("data follows the document")
	}
	return nil
}

func (d *document) member(dec *json.Decoder, name string) error {
	switch name {
	case "schema_version":
		if err := dec.Decode(&d.version); err != nil {
			return err
		}
		return checkVersion(d.version)
	case "tool":
		return readWhole(d, dec, name, &d.tool)
	case "run":
		return readWhole(d, dec, name, &d.run)
	case "ports":
		return readRecords(d, dec, name, 0, &d.ports, nil, d.player.port)
	case "findings":
		return readRecords(d, dec, name, 1, &d.findings, d.ids.add, d.player.finding)
	case "notices":
		return readRecords(d, dec, name, 2, &d.notices, nil, d.player.notice)
	case "summary":
		d.summaryAt = dec.InputOffset()
		return readWhole(d, dec, name, &d.summary)
	}
	var skip json.RawMessage
	return dec.Decode(&skip)
}

// readMember reads a value. What is wrong with it does not end reading: it is kept,
// with the name of the value, unless what follows cannot be read.
func readMember(d *document, dec *json.Decoder, name string, v any, admit func() error) (ok bool, err error) {
	d.recordAt = dec.InputOffset()
	d.lines.keep = d.recordAt
	if err = dec.Decode(v); err != nil && !wholeButWrong(err) {
		return false, err
	}
	raw, from := d.lines.from(d.recordAt)
	raw = raw[:max(min(dec.InputOffset()-from, int64(len(raw))), 0)]
	if err != nil {
		err = &jsonError{jsonfault.Plain(err), jsonfault.Offset(raw, json.Unmarshal(raw, v))}
	} else if err = vet(v); err == nil && admit != nil {
		err = admit()
	}
	if err != nil {
		// The player keeps the error and tells it at the end.
		_ = d.player.wrong(d.lines.place(from+int64(offsetIn(raw, err))), fmt.Errorf("%s: %w", name, err))
	}
	return err == nil, nil
}

// wholeButWrong reports whether a value was read whole that does not fit: the
// decoder goes on behind it.
func wholeButWrong(err error) bool {
	var syntax *json.SyntaxError
	return !errors.As(err, &syntax) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.As(err, new(tooLargeError))
}

// readWhole sets *to only if the member is whole and right.
func readWhole[T any](d *document, dec *json.Decoder, name string, to **T) error {
	v := new(T)
	ok, err := readMember(d, dec, name, v, nil)
	if ok {
		*to = v
	}
	return err
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
		var check func() error
		if admit != nil {
			check = func() error { return admit(v) }
		}
		ok, err := readMember(d, dec, fmt.Sprintf("%s[%d]", name, n), v, check)
		switch {
		case err != nil || !ok:
		case direct:
			err = play(v)
		default:
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
		return fmt.Errorf("expected %q, not %s", want.String(), sanitize.Clip(fmt.Sprint(t), 40))
	}
	return nil
}

// A lineCounter remembers where lines end, to turn an offset into a place, and what
// was read from an offset on.
type lineCounter struct {
	r    io.Reader
	n    int64
	ends []uint64 // a bit for each byte, set if it ends a line

	keep int64  // what is in front of it may be forgotten, but for a part of its line
	kept []byte // the last bytes that were read
}

// keptBefore is how much is kept in front of what must be.
const keptBefore = 4 << 10

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
	if old := l.keep - keptBefore - (l.n - int64(n) - int64(len(l.kept))); old > int64(len(l.kept))/2 {
		l.kept = append(l.kept[:0], l.kept[min(old, int64(len(l.kept))):]...)
	}
	l.kept = append(l.kept, b[:n]...)
	return n, err
}

// from gives what was read from the value on that begins behind an offset, and the
// offset of its first byte.
func (l *lineCounter) from(offset int64) ([]byte, int64) {
	start := l.n - int64(len(l.kept))
	raw := l.kept[max(min(offset-start, int64(len(l.kept))), 0):]
	raw = bytes.TrimLeft(raw, " \t\r\n:,")
	return raw, l.n - int64(len(raw))
}

// place is that of the byte at an offset.
func (l *lineCounter) place(offset int64) place {
	offset = max(min(offset, l.n-1), 0)
	begin := l.lineStart(offset)
	p := place{line: l.at(offset + 1), column: int(offset-begin) + 1}
	start := l.n - int64(len(l.kept))
	if offset < start {
		return p
	}
	from := max(begin, start)
	p.before = int(from - begin)
	part, _, _ := bytes.Cut(l.kept[from-start:], []byte("\n"))
	p.part = string(bytes.TrimRight(part[:min(int64(len(part)), offset-from+keptBefore)], "\r"))
	return p
}

// lineStart is the offset of the first byte of the line that holds an offset.
func (l *lineCounter) lineStart(offset int64) int64 {
	for at := offset - 1; at >= 0; {
		word := l.ends[at/64] & (1<<(at%64+1) - 1)
		if at%64 == 63 {
			word = l.ends[at/64]
		}
		if word != 0 {
			return at/64*64 + int64(bits.Len64(word))
		}
		at = at/64*64 - 1
	}
	return 0
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
