package report

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"

	"github.com/mxsweep/mxsweep/internal/textfile"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// MaxRun is the maximum size of a saved run that is read, in bytes. Together with
// the limit on the number of records, reading and writing it takes less than 256
// MiB.
const MaxRun = 64 << 20

// Further limits of a Reader: the size of a line, the total number of records,
// and where in a file the name of the form must be. A run of MaxRun bytes written
// by a scan has fewer records.
const (
	maxLine    = 16 << 20
	maxRecords = 350_000
	maxHead    = 64 << 10
)

// A Reader replays a saved run, in document or line form, to a [format.Writer].
// The zero Reader is ready to use.
type Reader struct {
	// Rules explain the findings of a run without rules of its own, such as one
	// that was cut short.
	Rules []result.RuleInfo

	// File is the name of the file in errors; "" is "-", the standard input.
	File string
}

// A tooLargeError reports that a saved run exceeds the maximum size or number of
// records.
type tooLargeError struct{ bound string }

func (e tooLargeError) Error() string { return "more than " + e.bound }

var (
	errTooLong = tooLargeError{fmt.Sprintf("%d MiB", MaxRun>>20)}
	errTooMany = tooLargeError{fmt.Sprintf("%d ports, findings and notices", maxRecords)}
)

var formName = regexp.MustCompile(`"schema"\s*:\s*"mxsweep\.(report|line)"`)

// IsSavedRun reports whether data starts like a saved run.
func IsSavedRun(data []byte) bool {
	return formName.Match(textfile.UTF8(data[:min(len(data), maxHead)]))
}

// Replay reads a saved run from r, writes it to w, from Start to End, and returns
// the summary that was passed to End. A run that was cut short, even in the
// middle of a line, is written as far as it goes: its summary is not complete,
// its gate is "error" and there is a notice about it. Every text is sanitized
// again.
//
// If the file is not a valid saved run, the error is a [userfile.Errors] with all
// its errors; otherwise it is that of r or w.
func (d Reader) Replay(r io.Reader, w format.Writer) (result.Summary, error) {
	br := bufio.NewReaderSize(textfile.Reader(&bounded{r: r, left: MaxRun}), maxHead)
	head, err := br.Peek(maxHead)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return result.Summary{}, fmt.Errorf("reading a saved run: %w", err)
	}
	p := &player{file: cmp.Or(d.File, "-"), w: w, rules: d.Rules, open: make(map[netip.AddrPort]bool), up: make(map[netip.Addr]bool)}
	form := formName.FindSubmatch(head)
	switch {
	case form == nil:
		return result.Summary{}, p.notSaved(head)
	case string(form[1]) == "line":
		err = p.lines(br)
	default:
		err = p.document(br)
	}
	return p.summary, err
}

// A player passes the records of a saved run to a Writer and counts them, so that
// it can end a run that was cut short.
type player struct {
	file    string
	errs    userfile.Collector // of the file; after the first one nothing is passed on
	w       format.Writer
	rules   []result.RuleInfo
	run     result.Run
	started bool
	ended   bool
	records int                     // ports, findings and notices passed on
	open    map[netip.AddrPort]bool // whether the port is assessed
	up      map[netip.Addr]bool
	ids     findingIDs // of the line form
	summary result.Summary
}

func (p *player) start(t *result.Tool, r *result.Run) error {
	if len(r.Rules) == 0 {
		r.Rules = p.rules
	}
	p.started, p.run = true, *r
	return p.out(p.w.Start(*t, *r))
}

// record counts a port, a finding or a notice.
func (p *player) record() error {
	if p.records++; p.records > maxRecords {
		return errTooMany
	}
	return nil
}

func (p *player) port(v *result.Port) error {
	if err := p.record(); err != nil {
		return err
	}
	p.count(v)
	return p.out(p.w.Port(*v))
}

// count computes the coverage of a run without an end. Only the end of a run says
// how much was planned.
func (p *player) count(v *result.Port) {
	c := &p.summary.Coverage
	switch v.State {
	case result.StateOpen: // may come again
		at := netip.AddrPortFrom(v.IP, v.Port)
		assessed := v.Service == nil || v.Service.Inconclusive == ""
		if p.open[at] {
			c.Answered--
		}
		p.open[at] = assessed
		if !assessed {
			break
		}
		fallthrough
	case result.StateClosed:
		c.Answered++
	default:
		return
	}
	p.up[v.IP] = true
	c.HostsUp = len(p.up)
}

func (p *player) finding(f *result.Finding) error {
	if err := p.record(); err != nil {
		return err
	}
	p.summary.Count(*f)
	return p.out(p.w.Finding(*f))
}

func (p *player) notice(n *result.Notice) error {
	if err := p.record(); err != nil {
		return err
	}
	return p.out(p.w.Notice(*n))
}

// end ends the run; r is nil if only the summary was saved.
func (p *player) end(r *result.Run, s *result.Summary) error {
	if r != nil {
		p.run.EndTime = r.EndTime
		p.run.Paths, p.run.Joined = r.Paths, r.Joined
		if len(r.Rules) > 0 {
			p.run.Rules = r.Rules
		}
	}
	if s.BySeverity != p.summary.BySeverity && p.errs.Len() == 0 {
		return fmt.Errorf("the summary counts %s, but the findings are %s: the file was edited",
			cmp.Or(view.SeverityWords(s.BySeverity), "no findings"), cmp.Or(view.SeverityWords(p.summary.BySeverity), "none"))
	}
	p.ended, p.summary = true, *s
	return p.out(p.w.End(p.run, *s))
}

// A noPortError reports that a saved run was cut so early that nothing is left of
// it.
type noPortError struct{}

func (noPortError) Error() string {
	return "the run is truncated here, before its first port: nothing is left of it"
}

// cutShort ends a run that was cut after the given line, which is the last one
// that is complete; end is the place of the cut.
func (p *player) cutShort(line int, end place) error {
	if err := p.errs.Err(); err != nil {
		return err
	}
	if !p.started {
		return p.wrong(end, noPortError{})
	}
	n := result.Notice{
		Code:    view.NoticeCutShort,
		Level:   "error",
		Message: fmt.Sprintf("The saved run is truncated after line %d: %s complete, the rest is lost.", line, wording.Amount(p.records, "record is", "records are")),
	}
	if err := p.out(p.w.Notice(n)); err != nil {
		return unwrapOut(err)
	}
	s := p.summary
	s.Complete, s.ExitCode, s.Gate = false, 3, result.GateError
	s.Reason = "the saved run is truncated"
	return unwrapOut(p.end(nil, &s))
}

// An outError is an error of the Writer, to distinguish it from those of the
// file.
type outError struct{ err error }

func (e *outError) Error() string { return e.err.Error() }

func (p *player) out(err error) error {
	if err != nil {
		return &outError{err}
	}
	return nil
}

func unwrapOut(err error) error {
	var out *outError
	if errors.As(err, &out) {
		return out.err
	}
	return err
}

// A bounded reads at most left bytes; more are an error.
type bounded struct {
	r    io.Reader
	left int64
}

// Read implements [io.Reader].
func (b *bounded) Read(to []byte) (int, error) {
	if int64(len(to)) > b.left+1 {
		to = to[:b.left+1] // one more byte shows whether there is more
	}
	n, err := b.r.Read(to)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLong
	}
	return n, err
}
