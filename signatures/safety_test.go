package signatures

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestProbeMayNotSend holds what a probe sends against what no probe may, and
// what only an intrusive one may, however it is spelt.
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
