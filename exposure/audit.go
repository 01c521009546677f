package exposure

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// The events of an audit log.
const (
	AuditStart   = "run_start"   // with the command, the scope and who allowed it
	AuditEnd     = "run_end"     // with how it ended and what was seen
	AuditRefused = "run_refused" // with why; nothing was sent
)

// An AuditRecord is one line of an audit log. Each holds the hash of the line
// before it, so that a line that is changed, dropped or moved breaks the
// chain. Lines cut off at the end cannot be seen in the file alone: compare
// the last hash with that of a report.
type AuditRecord struct {
	Seq    uint64            `json:"seq"`  // from 1
	Time   time.Time         `json:"time"` // of the machine's clock, which may step back
	Event  string            `json:"event"`
	Fields map[string]string `json:"fields,omitempty"`
	Prev   string            `json:"prev"` // hash of the line before; 64 zeros in the first
}

// An AuditTail is the end of a verified audit log. The zero AuditTail is that
// of an empty one.
type AuditTail struct {
	Seq  uint64 // of the last line, 0 if there is none
	Hash string // of the last line, "" if there is none
	Time time.Time
}

// prev gives the hash that the next line must hold.
func (t AuditTail) prev() string {
	if t.Hash == "" {
		return strings.Repeat("0", 2*sha256.Size)
	}
	return t.Hash
}

// An AuditLog appends to an audit log. It is not safe for concurrent use.
type AuditLog struct {
	// W is where lines go: a file opened for appending. Each line is one
	// Write.
	W io.Writer

	// Tail is the end of what W already holds, from VerifyAudit.
	Tail AuditTail
}

// hashKey stands in front of the hash in a line. The hash covers the line up
// to it, closed with a brace.
const hashKey = `,"hash":"`

// Append writes one line.
func (l *AuditLog) Append(now time.Time, event string, fields map[string]string) error {
	r := AuditRecord{Seq: l.Tail.Seq + 1, Time: now.UTC(), Event: event, Fields: fields, Prev: l.Tail.prev()}
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding audit event %q: %w", event, err)
	}
	hash := hashOf(body)
	line := string(body[:len(body)-1]) + hashKey + hash + "\"}\n"
	if _, err := io.WriteString(l.W, line); err != nil {
		return fmt.Errorf("writing audit event %q: %w", event, err)
	}
	l.Tail = AuditTail{Seq: r.Seq, Hash: hash, Time: r.Time}
	return nil
}

// hashOf gives the lower-case hex SHA-256.
func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// maxAuditLine is the longest line of an audit log, in bytes.
const maxAuditLine = 1 << 20

// VerifyAudit reads a whole audit log and checks its chain. The error is a
// *UserError that names the first line that does not fit.
func VerifyAudit(file string, r io.Reader) (AuditTail, error) {
	var tail AuditTail
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxAuditLine)
	lines.Split(wholeLines)
	number := 0
	for lines.Scan() {
		number++
		next, err := tail.follow(lines.Bytes())
		if err != nil {
			return tail, auditError(file, number, err)
		}
		tail = next
	}
	if err := lines.Err(); err != nil {
		return tail, auditError(file, number+1, err)
	}
	return tail, nil
}

var errCutLine = errors.New("the line is cut off")

// wholeLines is a bufio.SplitFunc for lines that must all end.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, errCutLine
	}
	return 0, nil, nil
}

// auditError says which line does not fit.
func auditError(file string, line int, err error) error {
	return &UserError{File: file, Line: line, Column: 1, Msg: "verifying the audit log", Err: err,
		HintText: "the log was changed or damaged from this line on; keep it as evidence and begin a new file"}
}

// follow checks one line against the end of the log before it.
func (t AuditTail) follow(line []byte) (AuditTail, error) {
	at := bytes.LastIndex(line, []byte(hashKey))
	if at < 0 || !bytes.HasSuffix(line, []byte(`"}`)) || at+len(hashKey) > len(line)-2 {
		return t, errors.New("no hash at its end")
	}
	hash := string(line[at+len(hashKey) : len(line)-2])
	body := append(bytes.Clone(line[:at]), '}')
	var r AuditRecord
	if err := json.Unmarshal(body, &r); err != nil {
		return t, fmt.Errorf("reading the record: %w", err)
	}
	switch {
	case hash != hashOf(body):
		return t, errors.New("the line was changed: its hash is another one")
	case r.Prev != t.prev():
		return t, errors.New("a line before it was changed, dropped or moved")
	case r.Seq != t.Seq+1:
		return t, fmt.Errorf("number %d follows %d", r.Seq, t.Seq)
	}
	return AuditTail{Seq: r.Seq, Hash: hash, Time: r.Time}, nil
}

var (
	userInfo   = regexp.MustCompile(`(://)[^/@\s]+@`)
	secretKey  = regexp.MustCompile(`(?i)^(-{0,2}[a-z0-9_.-]*(?:password|passwd|secret|token|api[-_]?key|credential)[a-z0-9_.-]*)=.*$`)
	secretWord = regexp.MustCompile(`(?i)\b([a-z0-9_.-]*(?:password|passwd|secret|token|api[-_]?key|credential)[a-z0-9_.-]*)=[^\s,;&]+`)
	secretArg  = regexp.MustCompile(`(?i)^-{1,2}[a-z0-9-]*(?:password|passwd|secret|token|api-?key|credential)[a-z0-9-]*$`)
)

// RedactArgs gives a copy of a command line for reports and logs: passwords in
// web addresses and the values of keys that sound secret become "[REDACTED]".
func RedactArgs(args []string) []string {
	out := make([]string, len(args))
	hide := false
	for i, arg := range args {
		switch {
		case hide:
			out[i] = "[REDACTED]"
		default:
			arg = userInfo.ReplaceAllString(arg, "${1}[REDACTED]@")
			arg = secretKey.ReplaceAllString(arg, "${1}=[REDACTED]")
			out[i] = secretWord.ReplaceAllString(arg, "${1}=[REDACTED]")
		}
		hide = !hide && secretArg.MatchString(arg)
	}
	return out
}
