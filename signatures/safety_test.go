package signatures

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// TestProbeMayNotSend checks what no probe may send, and what only an intrusive
// one may, however it is spelled.
func TestProbeMayNotSend(t *testing.T) {
	for _, tt := range []struct {
		send, safety, want string
	}{
		{`EHLO x\r\nDATA\r\n`, "intrusive", `begins with "data"`},
		{`EHLO x\rDATA\r\n`, "intrusive", `begins with "data"`},
		{` \tdatabase\r\n`, "safe", `begins with "data"`},
		{`\nBDAT 0 LAST\r\n`, "safe", `begins with "bdat"`},
		{`AUTH PLAIN\r\n`, "safe", `begins with "auth"`},
		{`x1 LOGIN a b\r\n`, "safe", `begins with "login"`},
		{`zSHUTDOWN\0`, "safe", `begins with "zshutdown"`},
		{`MAIL FROM:<>\r\n`, "safe", "safety: intrusive"},
		{`mail  from:<>\r\n`, "safe", "safety: intrusive"},
		{` Rcpt\tTo:<x>\r\n`, "safe", "safety: intrusive"},
		{`MAIL FROM:<>\r\n`, "intrusive", ""},
		{`HELP MAIL\r\n`, "safe", ""},
		{`0:,`, "safe", "look up a name"},
		{`000:,`, "intrusive", "look up a name"},
		{`20:QUERY mx.example.org,`, "safe", "look up a name"},
		{`5:PURGE,`, "safe", "look up a name"},
		{`0:`, "safe", ""},
		{`8:x .probe,`, "safe", ""},
		{`PROXY\tUNKNOWN\r\n`, "intrusive", "Dovecot 2.3 aborts"},
		{`PROXYX UNKNOWN\r\n`, "safe", "Dovecot 2.3 aborts"},
		{`PROXY\r\n`, "safe", "Dovecot 2.3 aborts"},
		{`PROXY`, "safe", "Dovecot 2.3 aborts"},
		{`PROXY{ehlo} x\r\n`, "safe", "Dovecot 2.3 aborts"},
		{`x\r\nPROXY\0 x\r\n`, "safe", "Dovecot 2.3 aborts"},
		{`PROXY UNKNOWN mxsweep\r\n`, "safe", ""},
		{`PROX`, "safe", ""},
	} {
		file := `version: "1"
probes:
  - id: greeting
    why: a test
    read: {until: greeting, wait: 1s}
    safety: passive
    connection: own
  - id: odd
    why: a test
    send: "` + tt.send + `"
    read: {until: line, wait: 1s}
    safety: ` + tt.safety + `
    connection: own
`
		_, err := Load(Source{FS: fstest.MapFS{"probes.yaml": {Data: []byte(file)}}})
		text := ""
		if err != nil {
			text = err.Error()
			if p, ok := err.(Problems); ok {
				for _, one := range p {
					text += "\n" + one.ErrorHint()
				}
			}
		}
		if tt.want == "" && err != nil || !strings.Contains(text, tt.want) {
			t.Errorf("%q as %s: %q, want %q", tt.send, tt.safety, text, tt.want)
		}
	}
}

// TestNoBrokenHeader declares what makes Dovecot abort at each place where a file can
// declare bytes to send: of the built-in files, of a user's own, and of imported ones.
func TestNoBrokenHeader(t *testing.T) {
	probe := `version: "1"
probes:
  - id: odd
    why: a test
    read: {until: line, wait: 1s}
    safety: safe
    connection: own
`
	for name, file := range map[string]map[string]string{
		"send":           {"probes.yaml": probe + "    send: \"PROXY\\tUNKNOWN\\r\\n\"\n"},
		"send_hex":       {"probes.yaml": probe + "    send_hex: 50524f585909554e4b4e4f574e0d0a\n"},
		"close":          {"probes.yaml": probe + "    send: \"NOOP\\r\\n\"\n    close: \"PROXYX\\r\\n\"\n"},
		"close_hex":      {"probes.yaml": probe + "    send: \"NOOP\\r\\n\"\n    close_hex: 50524f58590d0a\n"},
		"send and close": {"probes.yaml": probe + "    send: \"PRO\"\n    close: \"XY\\tUNKNOWN\\r\\n\"\n"},
		"imported": {"recog.yaml": `imported: recog
probes:
  - id: odd
    why: a test
    send: "PROXYX\r\n"
    read: {until: line, wait: 1s}
    safety: safe
    connection: own
`},
	} {
		own := fstest.MapFS{}
		for path, text := range file {
			own[path] = &fstest.MapFile{Data: []byte(text)}
		}
		want := "Dovecot 2.3 aborts"
		if name == "imported" {
			want = "probes" // no file of signatures declares a probe
		}
		if _, err := Load(probesOnly, Source{Name: "own", FS: own}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want one about %q", name, err, want)
		}
	}
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	for _, p := range set.Probes {
		for _, sent := range sentBy(p) {
			for line := range lines(sent) {
				if word := brokenHeader(line); word != "" {
					t.Errorf("probe %q sends %q", p.ID, word)
				}
			}
		}
	}
}
