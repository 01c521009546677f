package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/mxsweep/mxsweep/internal/jsonfault"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
)

// A document is the document form while it is read. Missing members are nil.
// Records are passed on immediately if the members are in the order in which a
// scan writes them; otherwise they are kept until everything is read.
type document struct {
	player  *player
	version string
	tool    *result.Tool
	run     *result.Run
	summary *result.Summary

	played   int // how many kinds of records, of those below, were passed on
	ports    held[result.Port]
	findings held[result.Finding]
	notices  held[result.Notice]

	ids findingIDs

	lines     *lineCounter
	recordAt  int64 // offset of the member or record that is being read
	summaryAt int64
}

// document reads the document form.
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
			return p.cutShort(end.line, lines.place(lines.n-1))
		}
		return p.wrong(end, errors.New(`the document has no "tool" or no "run"`))
	}
	if err := d.play(); err != nil {
		return p.wrong(place{}, err)
	}
	if cut {
		return p.cutShort(end.line, lines.place(lines.n-1))
	}
	if err := p.end(nil, d.summary); err != nil {
		return p.wrong(lines.place(d.summaryAt), err)
	}
	return nil
}

// offset returns the position of an error after which nothing can be read.
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

// play passes on the records that were kept.
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

// read reads the members one by one, so that those before a cut are kept.
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

// readMember reads a value. An error in the value is recorded with its name and
// does not stop reading, unless the decoder cannot continue.
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
		// The player records the error and returns it at the end.
		_ = d.player.wrong(d.lines.place(from+int64(offsetIn(raw, err))), fmt.Errorf("%s: %w", name, err))
	}
	return err == nil, nil
}

// wholeButWrong reports whether the error is in a value that was read completely,
// so that the decoder can continue after it.
func wholeButWrong(err error) bool {
	var syntax *json.SyntaxError
	return !errors.As(err, &syntax) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.As(err, new(tooLargeError))
}

// readWhole sets *to only if the member is complete and valid.
func readWhole[T any](d *document, dec *json.Decoder, name string, to **T) error {
	v := new(T)
	ok, err := readMember(d, dec, name, v, nil)
	if ok {
		*to = v
	}
	return err
}

// readRecords reads a list of records. It passes each on or, unless all kinds of
// records before it were passed on (kinds is their number), keeps it. admit is
// called for each; nil admits all.
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

// A held list keeps records until they are passed on, and then releases them.
type held[T any] struct {
	chunks [][]T
	n      int
}

const chunkLen = 1024

// add adds one record.
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
		return fmt.Errorf("expected %q, not %s", want.String(), sanitize.Text(fmt.Sprint(t), 40))
	}
	return nil
}
