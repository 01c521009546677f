package auditlog

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/userfile"
)

var auditTime = time.Date(2026, 11, 20, 6, 0, 31, 0, time.UTC)

func testAudit(t testing.TB) string {
	t.Helper()
	var out bytes.Buffer
	l := &Log{W: &out}
	for i, event := range []string{RunStart, RunEnd, RunRefused} {
		fields := map[string]string{"command": "mxsweep scan \"x\"", "hash": `","hash":"`}
		if err := l.Append(auditTime.Add(time.Duration(i)*time.Minute), event, fields); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func TestAudit(t *testing.T) {
	good := testAudit(t)
	lines := strings.SplitAfter(good, "\n")
	for _, tt := range []struct{ name, text, want string }{
		{"good", good, ""},
		{"empty", "", ""},
		{"changed", strings.Replace(good, "mxsweep scan", "mxsweep swap", 1), "log.jsonl:1:1: verifying the audit log: the line was changed"},
		{"first dropped", lines[1] + lines[2], "log.jsonl:1:1: verifying the audit log: an earlier line"},
		{"middle dropped", lines[0] + lines[2], "log.jsonl:2:1: verifying the audit log: an earlier line"},
		{"moved", lines[1] + lines[0] + lines[2], "log.jsonl:1:1:"},
		{"twice", lines[0] + lines[0], "log.jsonl:2:1:"},
		{"cut off", strings.TrimSuffix(good, "\n"), "the line is truncated"},
		{"first without its hash", strings.Replace(good, hashKey, `,"hush":"`, 2), "log.jsonl:1:1: verifying the audit log: no hash at the end of the line"},
		{"first replaced", "{}\n" + lines[1], "log.jsonl:1:1: verifying the audit log: no hash at the end of the line"},
		{"some other JSON", "{}\n", "log.jsonl:1:1: not an audit log"},
		{"a saved run", "{\n  \"schema\": \"mxsweep.report\"\n}\n", "log.jsonl:1:1: not an audit log"},
		{"a policy", "version: 1\nports: [25]", "log.jsonl:1:1: not an audit log"},
		{"a text without a line end", "dear diary", "log.jsonl:1:1: not an audit log"},
		{"one long line", strings.Repeat("x", maxLine+1), "log.jsonl:1:1: not an audit log"},
		{"gzip", "\x1f\x8b\x08\x00\n", "log.jsonl:1:1: not an audit log: the file is compressed with gzip"},
		{"no hash", "{\"seq\":1}\n", "no hash at the end of the line"},
		{"no record", `x,"hash":"y"}` + "\n", "reading the record"},
	} {
		tail, err := Verify("log.jsonl", strings.NewReader(tt.text))
		if tt.want == "" {
			if err != nil || int(tail.Seq) != strings.Count(tt.text, "\n") {
				t.Errorf("%s: %v, %+v", tt.name, err, tail)
			}
			continue
		}
		var e *userfile.Error
		if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.As(err, &e) || e.ErrorHint() == "" || strings.Contains(e.ErrorHint(), "evidence") != strings.Contains(e.Error(), ": verifying") && tt.name != "cut off" {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestAuditContinues(t *testing.T) {
	text := testAudit(t)
	tail, err := Verify("a", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.NewBufferString(text)
	l := &Log{W: out, Tail: tail}
	if err := l.Append(auditTime.Add(time.Hour), RunStart, nil); err != nil {
		t.Fatal(err)
	}
	if tail, err := Verify("a", out); err != nil || tail != l.Tail || tail.Seq != 4 {
		t.Errorf("%v, %+v", err, tail)
	}
}

// TestAuditIncompleteLine cuts a log at every byte: it can be continued from each
// place except those that may be the beginning of some other file.
func TestAuditIncompleteLine(t *testing.T) {
	good := testAudit(t)
	for cut := range len(good) + 1 {
		text := good[:cut]
		tail, tear, err := Read("a", strings.NewReader(text))
		lines, rest := strings.Count(text, "\n"), text[strings.LastIndex(text, "\n")+1:]
		if lines == 0 && rest != "" && len(rest) < len(`{"seq":1,"time":"`) {
			if err == nil {
				t.Errorf("%q is taken for the beginning of a log", text)
			}
			continue
		}
		if err != nil || (tear != nil) != (rest != "") {
			t.Fatalf("cut at %d: %v, %+v", cut, err, tear)
		}
		if rest != "" {
			if _, err := Verify("a", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "the line is truncated") {
				t.Errorf("cut at %d is verified: %v", cut, err)
			}
		}
		fixed := bytes.NewBufferString(text)
		switch {
		case tear == nil:
		case tear.Whole:
			fixed.WriteByte('\n')
		default:
			fixed.Truncate(int(tear.At))
		}
		l := &Log{W: fixed, Tail: tail}
		if err := l.Append(auditTime, RunStart, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := Verify("a", fixed); err != nil || got != l.Tail {
			t.Errorf("cut at %d and repaired: %v", cut, err)
		}
	}
	for _, other := range []string{"dear diary", "{", `{"seq":7,"time":"`, good + `{"seq":9`, good + "x"} {
		if _, _, err := Read("a", strings.NewReader(other)); err == nil {
			t.Errorf("%q is taken for a torn log", other)
		}
	}
}

func FuzzVerifyAudit(f *testing.F) {
	good := testAudit(f)
	f.Add([]byte(good))
	f.Add([]byte(`{"seq":1,"hash":""}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, tear, err := Read("a", bytes.NewReader(data)); err == nil && tear != nil && (tear.At < 0 || tear.At+int64(len(tear.Line)) != int64(len(data))) {
			t.Fatalf("a tear of %d bytes at %d of %d", len(tear.Line), tear.At, len(data))
		}
		tail, err := Verify("a", bytes.NewReader(data))
		if err == nil && int(tail.Seq) != bytes.Count(data, []byte("\n")) {
			t.Fatalf("%d lines passed as %d", bytes.Count(data, []byte("\n")), tail.Seq)
		}
	})
}
