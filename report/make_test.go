package report

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

var when = time.Date(2026, 11, 20, 7, 0, 31, 4_000_001, time.FixedZone("CET", 3600))

func TestCleanPort(t *testing.T) {
	p := Clean((&exposure.Subject{
		Result: scan.Result{
			Target: netip.MustParseAddrPort("192.0.2.10:10027"),
			State:  result.StateOpen, Reason: result.ReasonSynAck,
			RTT: 1234567, Attempts: 1, Time: when,
		},
		Host:   "mx1\u202e",
		Anchor: &result.Anchor{File: "scope/edge.txt", Line: 4, EndColumn: 13, Text: "192.0.2.0/28"},
		Service: &fingerprint.Identification{
			Service: result.Service{
				Name:       "smtp",
				Product:    "DKIMproxy",
				Role:       "signing-proxy",
				Method:     "probed",
				Confidence: 9,
				Behind:     &result.Behind{Product: "Postfix\x1b"},
				Evidence:   []result.Evidence{{Probe: "smtp-quitx", Sent: "QUITX\r\n", Observed: "502 no\r\n", Shows: "x"}},
			},
			Banner: []byte("220 mx1 ESMTP\xff\r\n"),
			TLS:    &result.TLS{Version: "TLS 1.3", NotAfter: result.NewTime(when)},
		},
	}).Port(), "")
	got, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "port.json", append(got, '\n'))
	if err := checkPort(&p); err != nil {
		t.Error(err)
	}
}

func TestCleanPortWithoutAnswer(t *testing.T) {
	p := Clean((&exposure.Subject{Result: scan.Result{
		Target: netip.MustParseAddrPort("[2001:db8::1]:10031"), State: result.StateUnknown,
		Reason: result.ReasonUnknown, Time: when, Err: errors.New("connecting: no buffer\x00"),
	}}).Port(), "")
	if p.Service != nil || p.Banner != nil || p.Anchor != nil || p.RTT != 0 {
		t.Errorf("port is %+v", p)
	}
	if p.Error == nil || p.Error.Code != "local-error" || p.Error.Message != `connecting: no buffer\x00` {
		t.Errorf("error is %+v", p.Error)
	}
	p = Clean((&exposure.Subject{Result: scan.Result{
		Target: netip.MustParseAddrPort("192.0.2.1:25"), State: result.StateFiltered,
		Reason: result.ReasonAdminProhibited, Time: when, Err: errors.New("ICMP type 3 code 13"),
	}}).Port(), "")
	if p.Error == nil || p.Error.Code != "icmp" || p.Error.Message != "ICMP type 3 code 13" {
		t.Errorf("error is %+v", p.Error)
	}
	if s := p.Timestamp.String(); s != "2026-11-20T06:00:31.004Z" {
		t.Errorf("timestamp is %s", s)
	}
}

// TestCleanPortTranscript checks that an unidentified service has its transcript.
func TestCleanPortTranscript(t *testing.T) {
	s := &fingerprint.Identification{Service: result.Service{Role: "unknown"}, Transcript: &fingerprint.Transcript{Exchanges: []fingerprint.Exchange{
		{Probe: "z", Reply: []byte("\x00"), End: signatures.EndReply, Took: time.Second},
		{Probe: "a", End: signatures.EndSilence},
	}}}
	p := exposure.Subject{Result: scan.Result{Target: netip.MustParseAddrPort("192.0.2.1:1")}, Service: s}
	if got := Clean(p.Port(), "").Trail; len(got) != 2 || got[0].Probe != "a" || got[1].Reply != `\x00` || got[1].Took != 1000 {
		t.Errorf("transcript is %+v", got)
	}
	s.Product = "Postfix"
	if got := Clean(p.Port(), "").Trail; got != nil {
		t.Errorf("transcript of a known service is %+v", got)
	}
}

// TestEveryTextOfASubjectIsCleaned fills everything that a run knows about a
// port, and about a broken rule, with hostile text.
func TestEveryTextOfASubjectIsCleaned(t *testing.T) {
	const hostile = "\x1b[2J\u202epassword=hunter22 \xff\r\n"
	subject, violation := exposure.Subject{}, exposure.Violation{}
	fill(reflect.ValueOf(&subject).Elem(), hostile, 0)
	fill(reflect.ValueOf(&violation).Elem(), hostile, 0)
	subject.Err, subject.Service.SelfNamed = errors.New(hostile), true // with its transcript
	violation.Severity = result.SeverityHigh
	for _, v := range []any{Clean(subject.Port(), ""), Clean(violation.Finding(), "")} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var decoded map[string]any
		if err := json.Unmarshal(b, &decoded); err != nil {
			t.Fatal(err)
		}
		if n := wantClean(t, fmt.Sprintf("%T", v), decoded); n < 15 {
			t.Errorf("%T: %d texts came from the server: the test shows nothing", v, n)
		}
	}
}

// fill sets every text in v.
func fill(v reflect.Value, text string, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if depth < 6 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), text, depth+1)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]byte]() {
			v.SetBytes([]byte(text))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), text, depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type() != reflect.TypeFor[result.Time]() {
				fill(v.Field(i), text, depth+1)
			}
		}
	}
}

// wantClean reports unclean texts in v, decoded JSON, and returns the number of
// clean ones from the server.
func wantClean(t *testing.T, at string, v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			n += wantClean(t, at+"."+name, member)
		}
	case []any:
		for _, member := range v {
			n += wantClean(t, at, member)
		}
	case string:
		if strings.ContainsAny(v, "\x1b\u202e\ufffd\r") {
			t.Errorf("%s is %q", at, v)
		}
		bytes, _ := base64.StdEncoding.DecodeString(v)
		if !strings.HasSuffix(at, "remediation") && strings.Contains(v+string(bytes), "hunter22") {
			t.Errorf("%s tells the secret: %q", at, v)
		}
		if strings.Contains(v, `\x1b[2J`) {
			n++
		}
	}
	return n
}

func TestCleanFinding(t *testing.T) {
	f := Clean((&exposure.Violation{
		ID:   "a0aab64a0909a5b1acf3020e7a92992446a8393f9f374de536db93be003ae8a3",
		Rule: &exposure.Rule{RuleInfo: result.RuleInfo{ID: "MXS1004"}}, Title: "Signing proxy exposed",
		Severity: result.SeverityCritical, Score: 9.8,
		Target:   netip.MustParseAddrPort("192.0.2.10:10027"),
		Evidence: []string{"the greeting is \x1b[2J"}, Remediation: "a = b\nc = d",
		Anchor:     &result.Anchor{File: "-", Line: 1},
		Acceptance: &result.Acceptance{ID: "AR-1", Reason: "until the move", Expires: result.NewDate(when)},
	}).Finding(), "")
	if f.Severity != result.SeverityCritical || f.Status != "open" || f.Drift != "none" || f.Anchor != nil ||
		f.Evidence[0] != `the greeting is \x1b[2J` || f.Remediation != "a = b\nc = d" || f.Acceptance.Expires.String() != "2026-11-20" {
		t.Errorf("finding is %+v", f)
	}
	if err := checkFinding(&f); err != nil {
		t.Error(err)
	}
}

func TestTree(t *testing.T) {
	root := t.TempDir()
	tests := []struct {
		tree Tree
		file string
		want string
	}{
		{"", "scope.txt", "scope.txt"},
		{"", "./scope/a.txt", "scope/a.txt"},
		{"", "../scope.txt", "scope.txt"},
		{"", "/etc/mxsweep/scope.txt", "scope.txt"},
		{Tree(root), filepath.Join(root, "scope", "a.txt"), "scope/a.txt"},
		{Tree(root), "/etc/mxsweep/scope.txt", "scope.txt"},
		{"", `a\b.txt`, "a/b.txt"},
	}
	for _, tt := range tests {
		a := tt.tree.anchor(&result.Anchor{File: tt.file, Line: 3})
		if a == nil || a.File != tt.want || checkAnchor(a, "anchor") != nil {
			t.Errorf("%q.anchor(%q) = %+v, want %s", tt.tree, tt.file, a, tt.want)
		}
	}
}

// TestCleanRun checks that the command line and the policy are sanitized too,
// because the checked-out branch may be someone else's.
func TestCleanRun(t *testing.T) {
	raw := result.Run{
		Args: []string{"mxsweep", "-s", "a\n::error::x"}, Authorization: "CHG\n::error::x\x1b[2J",
		Scope: result.Scope{Name: "a\x1b]0;x\a", Files: []string{"a\u202eb"}, Asked: []string{"mx\u202e"}}, Baseline: &result.BaselineInfo{Why: "\x07"},
		Merged: []string{"\x07"},
	}
	got := Clean(raw, "")
	want := result.Run{
		Args: []string{"mxsweep", "-s", `a\n:\x3aerror::x`}, Authorization: `CHG\n:\x3aerror::x\x1b[2J`,
		Scope: result.Scope{Name: `a\x1b]0;x\x07`, Files: []string{`a\u202eb`}, Asked: []string{`mx\u202e`}}, Baseline: &result.BaselineInfo{Why: `\x07`},
		Merged: []string{`\x07`},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if raw.Args[2] != "a\n::error::x" || raw.Scope.Files[0] != "a\u202eb" || raw.Baseline.Why != "\x07" || raw.Merged[0] != "\x07" || raw.Scope.Asked[0] != "mx\u202e" {
		t.Errorf("the argument was changed: %+v", raw)
	}
}

// TestCleanRules checks that the texts of rules are complete.
func TestCleanRules(t *testing.T) {
	set, err := exposure.Builtin()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	rules := set.Infos(nil)
	for i, got := range Clean(rules, "") {
		if !reflect.DeepEqual(got, rules[i]) {
			t.Errorf("%s is written as %+v", rules[i].ID, got)
		}
	}
}
