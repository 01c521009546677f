package exposure

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func testAudit(t testing.TB) string {
	t.Helper()
	var out bytes.Buffer
	l := &AuditLog{W: &out}
	for i, event := range []string{AuditStart, AuditEnd, AuditRefused} {
		fields := map[string]string{"command": "mxsweep scan \"x\"", "hash": `","hash":"`}
		if err := l.Append(testTime.Add(time.Duration(i)*time.Minute), event, fields); err != nil {
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
		{"first dropped", lines[1] + lines[2], "log.jsonl:1:1: verifying the audit log: a line before it"},
		{"middle dropped", lines[0] + lines[2], "log.jsonl:2:1: verifying the audit log: a line before it"},
		{"moved", lines[1] + lines[0] + lines[2], "log.jsonl:1:1:"},
		{"twice", lines[0] + lines[0], "log.jsonl:2:1:"},
		{"cut off", strings.TrimSuffix(good, "\n"), "the line is cut off"},
		{"no hash", "{}\n", "no hash at its end"},
		{"no record", `x,"hash":"y"}` + "\n", "reading the record"},
	} {
		tail, err := VerifyAudit("log.jsonl", strings.NewReader(tt.text))
		if tt.want == "" {
			if err != nil || int(tail.Seq) != strings.Count(tt.text, "\n") {
				t.Errorf("%s: %v, %+v", tt.name, err, tail)
			}
			continue
		}
		var e *UserError
		if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.As(err, &e) || e.Hint() == "" {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestAuditGoesOn(t *testing.T) {
	text := testAudit(t)
	tail, err := VerifyAudit("a", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.NewBufferString(text)
	l := &AuditLog{W: out, Tail: tail}
	if err := l.Append(testTime.Add(time.Hour), AuditStart, nil); err != nil {
		t.Fatal(err)
	}
	if tail, err := VerifyAudit("a", out); err != nil || tail != l.Tail || tail.Seq != 4 {
		t.Errorf("%v, %+v", err, tail)
	}
}

func TestRedactArgs(t *testing.T) {
	got := RedactArgs([]string{"scan", "--api-token", "s3cret", "--webhook=https://u:p@example.org/x", "PASSWORD=x", "-p", "10025",
		"CHG-1, password=hunter2 of ops", "https://example.org/?token=abc&x=1"})
	want := []string{"scan", "--api-token", "[REDACTED]", "--webhook=https://[REDACTED]@example.org/x", "PASSWORD=[REDACTED]", "-p", "10025",
		"CHG-1, password=[REDACTED] of ops", "https://example.org/?token=[REDACTED]&x=1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzVerifyAudit(f *testing.F) {
	good := testAudit(f)
	f.Add([]byte(good))
	f.Add([]byte(`{"seq":1,"hash":""}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tail, err := VerifyAudit("a", bytes.NewReader(data))
		if err == nil && int(tail.Seq) != bytes.Count(data, []byte("\n")) {
			t.Fatalf("%d lines passed as %d", bytes.Count(data, []byte("\n")), tail.Seq)
		}
	})
}
