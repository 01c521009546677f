package auditlog

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/internal/jsonfault"
	"github.com/mxsweep/mxsweep/internal/textfile"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/internal/wording"
)

// The events of an audit log.
const (
	RunStart   = "run_start"   // with the command, the scope and who allowed it
	RunEnd     = "run_end"     // with how it ended and what was seen
	RunRefused = "run_refused" // with why; nothing was sent
)

// A Record is one line of an audit log. It contains the hash of the previous
// line, so that changing, removing or reordering lines breaks the chain. Lines
// removed at the end cannot be detected from the file alone: compare the last
// hash with that in a report.
type Record struct {
	Seq    uint64            `json:"seq"`  // from 1
	Time   time.Time         `json:"time"` // of the machine's clock, which may step back
	Event  string            `json:"event"`
	Fields map[string]string `json:"fields,omitempty"`
	Prev   string            `json:"prev"` // hash of the line before; 64 zeros in the first
}

// A Tail is the end of a verified audit log. The zero Tail is the end of an empty
// one.
type Tail struct {
	Seq  uint64 // of the last line, 0 if there is none
	Hash string // of the last line, "" if there is none
	Time time.Time
}

// prev returns the hash that the next line must contain.
func (t Tail) prev() string {
	if t.Hash == "" {
		return strings.Repeat("0", 2*sha256.Size)
	}
	return t.Hash
}

// A Log appends to an audit log. It is not safe for concurrent use.
type Log struct {
	// W receives the lines: a file opened for appending. Each line is one Write.
	W io.Writer

	// Tail is the end of the existing content of W, from Verify.
	Tail Tail
}

// hashKey precedes the hash in a line. The hash is computed over the line up to
// hashKey, closed with a brace.
const hashKey = `,"hash":"`

// Append writes one line.
func (l *Log) Append(now time.Time, event string, fields map[string]string) error {
	r := Record{Seq: l.Tail.Seq + 1, Time: now.UTC(), Event: event, Fields: fields, Prev: l.Tail.prev()}
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding audit event %q: %w", event, err)
	}
	hash := hashOf(body)
	line := string(body[:len(body)-1]) + hashKey + hash + "\"}\n"
	if _, err := io.WriteString(l.W, line); err != nil {
		return fmt.Errorf("writing audit event %q: %w", event, err)
	}
	l.Tail = Tail{Seq: r.Seq, Hash: hash, Time: r.Time}
	return nil
}

// hashOf returns the lower-case hex SHA-256.
func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// maxLine is the maximum length of a line, in bytes.
const maxLine = 1 << 20

// Verify reads a whole audit log and verifies its chain; file is its name, for
// errors. The error is a *userfile.Error about the first line that does not
// continue the chain, or is incomplete.
func Verify(file string, r io.Reader) (Tail, error) {
	tail, tear, err := Read(file, r)
	if err == nil && tear != nil {
		e := lineError(file, tear.line, errCutLine)
		e.Hint = "a run was killed while it wrote this line; the next run with --audit-log repairs the file and records that in its own line"
		return tail, e
	}
	return tail, err
}

// A Tear is an incomplete last line: a run was killed while it wrote it, or the
// disk was full.
type Tear struct {
	// At is the offset of the line, in bytes.
	At int64

	// Line is the existing part of the line.
	Line []byte

	// Whole is set if only the line feed is missing: the record is valid, and
	// included in the tail.
	Whole bool

	line int // its number, from 1
}

// Fix describes the repair of the tear, for the field "repaired" of the next
// record.
func (t *Tear) Fix() string {
	if t.Whole {
		return "a missing line feed was added to the line before"
	}
	return fmt.Sprintf("%s removed, with SHA-256 %s", wording.Amount(len(t.Line), "byte of an unfinished line was", "bytes of an unfinished line were"), hashOf(t.Line))
}

// Number returns the number of the line, from 1.
func (t *Tear) Number() int { return t.line }

// Read is Verify for a caller that will append: an incomplete last line is not an
// error if it is the beginning of the next record. The tear is nil if there is
// none.
func Read(file string, r io.Reader) (Tail, *Tear, error) {
	var tail Tail
	var at int64
	var torn []byte
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	lines.Split(func(data []byte, atEOF bool) (advance int, token []byte, err error) {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return i + 1, data[:i], nil
		}
		if atEOF && len(data) > 0 {
			torn = bytes.Clone(data)
			return len(data), nil, nil
		}
		return 0, nil, nil
	})
	number := 0
	for lines.Scan() {
		number++
		next, err := tail.follow(lines.Bytes())
		if err != nil && number == 1 {
			return tail, nil, firstError(file, lines, err)
		}
		if err != nil {
			return tail, nil, lineError(file, number, err)
		}
		tail, at = next, at+int64(len(lines.Bytes()))+1
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) && number == 0 {
			return tail, nil, notLog(file, nil)
		}
		return tail, nil, lineError(file, number+1, err)
	}
	if torn == nil {
		return tail, nil, nil
	}
	tear := &Tear{At: at, Line: torn, line: number + 1}
	if next, err := tail.follow(torn); err == nil {
		tear.Whole = true
		return next, tear, nil
	}
	if !tail.begins(torn) {
		if number == 0 && !isRecord(torn) {
			return tail, nil, notLog(file, torn)
		}
		return tail, nil, lineError(file, number+1, errCutLine)
	}
	return tail, tear, nil
}

// begins reports whether an incomplete line is the beginning of the next record,
// and not something else that a file may contain.
func (t Tail) begins(torn []byte) bool {
	head := fmt.Appendf(nil, `{"seq":%d,"time":"`, t.Seq+1)
	return bytes.HasPrefix(torn, head) || t.Seq > 0 && bytes.HasPrefix(head, torn)
}

// firstError returns the error about the first line, from which lines has just
// read it. A file without any record is some other file, not a log that was
// changed.
func firstError(file string, lines *bufio.Scanner, err error) *userfile.Error {
	first := bytes.Clone(lines.Bytes())
	for records := isRecord(first); !records; records = isRecord(lines.Bytes()) {
		if !lines.Scan() {
			return notLog(file, first)
		}
	}
	return lineError(file, 1, err)
}

// isRecord reports whether a line was a record, or a part of one, before it was
// changed.
func isRecord(line []byte) bool {
	return bytes.HasPrefix(line, []byte(`{"seq":`)) || bytes.Contains(line, []byte(`,"prev":"`)) || bytes.Contains(line, []byte(hashKey))
}

// notLog returns the error for a file that is not an audit log; first is its first
// line, nil if that is too long.
func notLog(file string, first []byte) *userfile.Error {
	e := &userfile.Error{File: file, Line: 1, Column: 1, Problem: "not an audit log",
		Hint: `an audit log is written by "mxsweep scan --audit-log FILE"; for a new one, name a file that does not exist`}
	if f := textfile.Check(first); f != nil && f.Whole {
		e.Problem, e.Hint = e.Problem+": "+f.Text, f.Hint
	}
	e.SetSource(string(first))
	return e
}

var errCutLine = errors.New("the line is truncated")

// lineError returns the error about a line.
func lineError(file string, line int, err error) *userfile.Error {
	return &userfile.Error{File: file, Line: line, Column: 1, Problem: "verifying the audit log", Err: err,
		Hint: "the log was changed or damaged from this line on; keep it as evidence and start a new file"}
}

// follow verifies one line against the end of the log before it.
func (t Tail) follow(line []byte) (Tail, error) {
	at := bytes.LastIndex(line, []byte(hashKey))
	if at < 0 || !bytes.HasSuffix(line, []byte(`"}`)) || at+len(hashKey) > len(line)-2 {
		return t, errors.New("no hash at the end of the line")
	}
	hash := string(line[at+len(hashKey) : len(line)-2])
	body := append(bytes.Clone(line[:at]), '}')
	var r Record
	if err := json.Unmarshal(body, &r); err != nil {
		return t, fmt.Errorf("reading the record: %w", jsonfault.Plain(err))
	}
	switch {
	case hash != hashOf(body):
		return t, errors.New("the line was changed: its hash does not match")
	case r.Prev != t.prev():
		return t, errors.New("an earlier line was changed, removed or moved")
	case r.Seq != t.Seq+1:
		return t, fmt.Errorf("sequence number %d follows %d", r.Seq, t.Seq)
	}
	return Tail{Seq: r.Seq, Hash: hash, Time: r.Time}, nil
}
