package signatures

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/jsonfault/faulttest"
)

// TestDefault tests the data: everything loads and every example matches.
func TestDefault(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	for _, p := range set.Check() {
		t.Error(fault.Explain(p))
	}
	if set.ProbesVersion == "" {
		t.Error("the probes have no version")
	}
}

// probesOnly is the source of the built-in probes, for tests to which the signatures
// make no difference.
var probesOnly = Source{"signatures", onlyProbes{builtin}}

type onlyProbes struct{ fs.FS }

// Glob implements [fs.GlobFS].
func (f onlyProbes) Glob(string) ([]string, error) { return []string{"probes.yaml"}, nil }

const good = `
signatures:
  - id: a
    product: A
    protocol: smtp
    role: mta
    confidence: 9
    source: test
    when:
      - {greeting: '^220 (?P<hostname>\S+) A (?P<version>\S+)\r\n'}
    examples:
      - seen: {greeting: "220 mx A 1.2\r\n"}
        want: {hostname: mx, version: "1.2"}
`

// TestLoadTellsOnce checks that a consequence of an error is not reported as
// another one, and that only missing keys are listed as missing.
func TestLoadTellsOnce(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"pattern":      {"'^220 ", "'(^220 ", "reading the pattern"},
		"probe":        {"{greeting: '^220 (?P<hostname>\\S+) A (?P<version>\\S+)\\r\\n'}", "{probe: [greeting], reply: x}", "probe is a list"},
		"conditions":   {"{greeting: '^220 (?P<hostname>\\S+) A (?P<version>\\S+)\\r\\n'}", "greeting", "expected a mapping"},
		"example":      {"{greeting: \"220 mx A 1.2\\r\\n\"}", "x", "expecting a mapping of probes"},
		"missing keys": {"    role: mta\n", "", `signature "a" lacks role`},
		"empty key":    {"source: test", "source: ''", `signature "a" lacks source`},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%s: the mistake is not in the text", name)
		}
		_, err := Load(probesOnly, Source{"my", fstest.MapFS{"a.yaml": {Data: []byte(text)}}})
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want one error with %q", name, err, c.want)
		}
	}
}

// TestLoadErrors checks the message of each error.
func TestLoadErrors(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":       {"product: A", "produkt: A", `my/a.yaml:4:5: unknown key "produkt"`},
		"no example":        {"    examples:\n      - seen: {greeting: \"220 mx A 1.2\\r\\n\"}\n        want: {hostname: mx, version: \"1.2\"}\n", "", `my/a.yaml:3:5: signature "a": no example`},
		"unknown probe":     {"{greeting: '^220 (?P<hostname>\\S+) A (?P<version>\\S+)\\r\\n'}", "{probe: nope, reply: x}", `my/a.yaml:10:9: signature "a": there is no probe "nope"`},
		"lookahead":         {"'^220 ", "'(?!x)^220 ", "reading the pattern"},
		"unnamed group":     {"'^220 ", "'^(220) ", "group 1 of the pattern has no name"},
		"unknown group":     {"(?P<hostname>", "(?P<host>", `unknown group "host"`},
		"role":              {"role: mta", "role: boss", `unknown role "boss"`},
		"protocol":          {"protocol: smtp", "protocol: smpt", `my/a.yaml:5:15: unknown protocol "smpt"`},
		"protocol wanted":   {"want: {", "want: {protocol: smpt, ", `unknown protocol "smpt"`},
		"confidence":        {"confidence: 9", "confidence: 11", "from 1 to 10"},
		"too sure":          {"confidence: 9", "confidence: 9\n    alternatives: [B]", `signature "a": confidence 9, and alternatives`},
		"twice":             {"protocol: smtp", "protocol: smtp\n    protocol: smtp", "appears again, first in line 5"},
		"alias":             {"source: test", "source: &x test\n    cpe: *x", "alias \"x\" is not allowed"},
		"two documents":     {"signatures:", "---\nsignatures: []\n---\nsignatures:", "a second document"},
		"broken second":     {"signatures:", "signatures: []\n---\nsignatures: [", `the "[" is not closed`},
		"not YAML":          {"signatures:", "signatures: [", `the "[" is not closed`},
		"condition empty":   {"{greeting: '^220 (?P<hostname>\\S+) A (?P<version>\\S+)\\r\\n'}", "{probe: greeting}", "without a criterion"},
		"greeting and more": {"{greeting:", "{probe: greeting, greeting:", "greeting and probe or reply"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatal("the mistake is not in the text")
			}
			fsys := fstest.MapFS{"a.yaml": {Data: []byte(text)}}
			_, err := Load(probesOnly, Source{"my", fsys})
			var problems Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q in it", err, c.want)
			}
		})
	}
}

// TestCheck checks the messages for examples that do not match.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"good":          {"source: test", "source: tests", ""},
		"no match":      {"220 mx A", "220 mx B", "does not meet the condition at my/a.yaml:10:9: the probe \"greeting\" got \"220 mx B"},
		"instead":       {"220 mx A", "* OK B", `"imap" at signatures/imap.yaml:`},
		"wrong value":   {"hostname: mx,", "hostname: my,", `yields hostname "mx", not "my"`},
		"value missing": {"hostname: mx,", "", `yields hostname "mx", not ""`},
		"shadowed":      {"signatures:", "signatures:\n  - {id: b, protocol: smtp, role: mta, confidence: 9, source: t, when: [{greeting: mx}], examples: [{seen: {greeting: mx}}]}", `also matches "b" at my/a.yaml:3:5, which has confidence 9`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			set, err := Load(Builtin(), Source{"my", fstest.MapFS{"a.yaml": {Data: []byte(text)}}})
			if err != nil {
				t.Fatal(err)
			}
			problems := set.Check()
			got := problems.Error()
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("problems are %q, want %q", got, c.want)
			}
			for _, p := range problems {
				if p.ErrorHint() == "" {
					t.Errorf("no hint goes with %q", p)
				}
			}
		})
	}
}

// TestProbeSafety checks that the loader rejects what no probe, or only an
// intrusive one, may send.
func TestProbeSafety(t *testing.T) {
	for _, tt := range []struct {
		send, safety string
		ok           bool
	}{
		{`NOOP\r\n`, Safe, true},
		{`PING SPAMC/1.5\r\n\r\n`, Safe, true},
		{`a1 CAPABILITY\r\n`, Safe, true},
		{`zVERSION\0`, Safe, true},
		{`request=delcache mxsweep.invalid\n\n`, Safe, true},
		{`MAIL FROM:<>\r\n`, Intrusive, true},
		{`MAIL FROM:<>\r\n`, Safe, false},
		{`RCPT TO:<a@example.com>\r\n`, Safe, false},
		{`request=smtpd_access_policy\nprotocol_state=RCPT\n\n`, Safe, false},
		{`DATAx\r\n`, Intrusive, false},
		{`NOOP\r\ndata\r\n`, Intrusive, false},
		{`BDAT 3 LAST\r\n`, Intrusive, false},
		{`AUTH PLAIN\r\n`, Intrusive, false},
		{`x7 LOGIN a b\r\n`, Intrusive, false},
		{`x7 AUTHENTICATE PLAIN\r\n`, Intrusive, false},
		{`PASS secret\r\n`, Intrusive, false},
		{`ETRN example.com\r\n`, Intrusive, false},
		{`TELL SPAMC/1.5\r\n`, Intrusive, false},
		{`SHUTDOWN\n`, Intrusive, false},
		{`zSHUTDOWN\0`, Intrusive, false},
		{`nRELOAD\n`, Intrusive, false},
		{`nSCAN /etc\n`, Intrusive, false},
		{`request=delrate x\n\n`, Intrusive, false},
		{`POST /learnspam HTTP/1.0\r\n\r\n`, Intrusive, false},
	} {
		text := `probes: [{id: p, why: w, send: "` + tt.send + `", read: {until: line, wait: 1s}, safety: ` + tt.safety + `}]`
		_, err := Load(probesOnly, Source{"my", fstest.MapFS{"probes.yaml": {Data: []byte(text)}}})
		if (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), `probe "p" sends a line`) {
			t.Errorf("a probe that is %s and sends %s: error %v", tt.safety, tt.send, err)
		}
	}
}

// TestOnlyThere holds that a probe for some ports alone names them.
func TestOnlyThere(t *testing.T) {
	for ports, ok := range map[string]bool{"ports: [10055]": true, "ports: []": false} {
		text := `probes: [{id: p, why: w, send: "PING\n\n", only_there: true, ` + ports + `, read: {until: close, wait: 1s}, safety: safe}]`
		_, err := Load(probesOnly, Source{"my", fstest.MapFS{"probes.yaml": {Data: []byte(text)}}})
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "only_there without ports") {
			t.Errorf("only_there with %s: error %v", ports, err)
		}
	}
}

// TestOnlyElsewhere holds that a probe for ports that none names does not name any.
func TestOnlyElsewhere(t *testing.T) {
	for ports, ok := range map[string]bool{"": true, "ports: [10055], ": false} {
		text := `probes: [{id: p, why: w, send: "PING\n\n", only_elsewhere: true, ` + ports + `read: {until: close, wait: 1s}, safety: safe}]`
		_, err := Load(probesOnly, Source{"my", fstest.MapFS{"probes.yaml": {Data: []byte(text)}}})
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "only_elsewhere with ports") {
			t.Errorf("only_elsewhere with %q: error %v", ports, err)
		}
	}
}

// TestFirstOn holds that the ports on which a probe is asked alone are among its ports.
func TestFirstOn(t *testing.T) {
	for keys, want := range map[string]string{
		"quiet: 1s, ports: [783, 784], first_on: [783]": "",
		"quiet: 1s, ports: [784], first_on: [783]":      "first_on has ports that ports lacks",
		"ports: [783], first_on: [783]":                 "first_on without quiet",
	} {
		text := `probes: [{id: p, why: w, send: "PING\r\n", ` + keys + `, read: {until: close, wait: 1s}, safety: safe}]`
		_, err := Load(Builtin(), Source{"my", fstest.MapFS{"probes.yaml": {Data: []byte(text)}}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", keys, err, want)
		}
	}
}

// TestTranscriptErrorMessages breaks every value of a transcript: no error has
// words from the program's source.
func TestTranscriptErrorMessages(t *testing.T) {
	const whole = `{"exchanges": [{"probe": "greeting", "sent": "x", "reply_base64": "AP8=", "ended": "reply", "first_ms": 1, "tls": true}]}`
	for place, broken := range faulttest.Broken(t, []byte(whole)) {
		if _, err := readTranscript(bytes.NewReader(broken)); err != nil && faulttest.GoWords(err.Error()) != "" {
			t.Errorf("%s: %v", place, err)
		}
	}
}

// TestReadTranscriptErrors checks the messages for ambiguous transcripts.
func TestReadTranscriptErrors(t *testing.T) {
	for in, want := range map[string]string{
		`{"exchanges":[{"probe":"greeting","ended":"clsoed"}]}`:                        `ended is "clsoed"`,
		`{"exchanges":[{"probe":"greeting"}]}`:                                         `ended is ""`,
		`{"exchanges":[{"ended":"reply"}]}`:                                            "exchange 1 names no probe",
		`{"exchanges":[{"probe":"a","ended":"reply"},{"probe":"a","ended":"closed"}]}`: `duplicate probe "a"`,
		`{"exchanges":[{"probe":"a","ended":"reply","handshake":"maybe"}]}`:            `unknown handshake "maybe"`,
		`{"exchanges":[]} {}`:                                                          "data after its end",
		`{"exchanges":[{"probe":"a","ended":"reply","color":"red"}]}`:                  `unknown member "color"`,
	} {
		if _, err := readTranscript(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
}
