package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/jsonfault/faulttest"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// discard is a Writer that counts its calls.
type discard struct{ starts, ports, findings, notices, ends int }

func (d *discard) Start(result.Tool, result.Run) error  { d.starts++; return nil }
func (d *discard) Port(result.Port) error               { d.ports++; return nil }
func (d *discard) Finding(result.Finding) error         { d.findings++; return nil }
func (d *discard) Notice(result.Notice) error           { d.notices++; return nil }
func (d *discard) End(result.Run, result.Summary) error { d.ends++; return nil }

// TestCutAnywhere cuts both forms at many places: each gives an incomplete run,
// or the error that no run has started.
func TestCutAnywhere(t *testing.T) {
	for _, form := range []string{"json", "jsonl"} {
		whole := convert(t, "run.json", form, format.Options{})
		for n := 60; n < len(whole)-2; n += 97 {
			var d discard
			s, err := (Reader{}).Replay(bytes.NewReader(whole[:n]), &d)
			if err != nil {
				if !strings.Contains(err.Error(), "truncated here, before its first port") {
					t.Fatalf("%s cut at %d: %v", form, n, err)
				}
				continue
			}
			if s.Complete || s.Gate != result.GateError || d.starts != 1 || d.ends != 1 || d.notices == 0 {
				t.Fatalf("%s cut at %d: summary %+v, records %+v", form, n, s, d)
			}
		}
	}
}

// TestCutByOneLine checks that a run without its last line is explained by the
// built-in rules, and reports no more coverage than its ports.
func TestCutByOneLine(t *testing.T) {
	c := hugeRun(4, 2)
	first := c.Ports[0]
	first.Service = nil
	c.Ports = append([]result.Port{first}, c.Ports...)                          // repeated when more is known
	c.Ports[2].Service = &result.Service{Name: "smtp", Inconclusive: "cut-off"} // not assessed
	lines := bytes.SplitAfter(write(t, "jsonl", format.Options{}, c), []byte("\n"))
	cut := bytes.Join(lines[:len(lines)-2], nil)
	var out bytes.Buffer
	w, _ := New("text", &out, format.Options{})
	s, err := Reader{Rules: c.Run.Rules}.Replay(bytes.NewReader(cut), w)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n      why  "); n != 2 {
		t.Errorf("%d reasons, want one for each of 2 rules:\n%s", n, out.String())
	}
	if got := s.Coverage; !reflect.DeepEqual(got, result.Coverage{Answered: 7, HostsUp: 4}) {
		t.Errorf("coverage is %+v", got)
	}
	if !strings.Contains(out.String(), "4 hosts up, 0 silent; 7 pairs conclusive, the total is not") {
		t.Errorf("coverage is not told as it is:\n%s", out.String())
	}
	if s.Gate != result.GateError || s.ExitCode != 3 || s.BySeverity.Total() != 8 {
		t.Errorf("summary is %+v", s)
	}
}

// TestCutBeforeFirstPort checks that the error about a run of which nothing is left
// names the cut, and shows the line.
func TestCutBeforeFirstPort(t *testing.T) {
	doc := convert(t, "run.json", "json", format.Options{})
	lines := convert(t, "run.json", "jsonl", format.Options{})
	inRules := bytes.Index(doc, []byte(`"rules": [`)) + 400
	for _, tt := range []struct {
		name string
		in   []byte
	}{
		{"in the tool", doc[:bytes.Index(doc, []byte(`"tool"`))+20]},
		{"in the rules of the run", doc[:inRules]},
		{"in the first line", lines[:200]},
	} {
		_, err := (Reader{File: "h.json"}).Replay(bytes.NewReader(tt.in), &discard{})
		last := tt.in[bytes.LastIndexByte(tt.in, '\n')+1:]
		want := fmt.Sprintf("h.json:%d:%d: the run is truncated here", bytes.Count(tt.in, []byte("\n"))+1, len(bytes.TrimRight(last, " ")))
		var e *userfile.Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), want) || e.Source != string(last) || !strings.Contains(e.Hint, "jsonl") {
			t.Errorf("%s: got %v with the line %q, want %s with %q", tt.name, err, e.Source, want, last)
		}
	}
}

func TestReadErrors(t *testing.T) {
	lines := string(convert(t, "run.json", "jsonl", format.Options{}))
	first, rest, _ := strings.Cut(lines, "\n")
	second, _, _ := strings.Cut(rest, "\n")
	doc := string(convert(t, "run.json", "json", format.Options{}))
	swap := func(s, old, new string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("%q is not in the run", old)
		}
		return strings.Replace(s, old, new, 1)
	}
	ids := regexp.MustCompile(`"id": ?"([0-9a-f]{64})"`).FindAllStringSubmatch(doc, 2)
	id, otherID := ids[0][1], ids[1][1]
	tests := []struct{ name, in, want string }{
		{"empty", " \n", "not a saved run: the file is empty"},
		{"other", `{"a":1}`, `not a saved run: it has no "schema"`},
		{"no start", second + "\n", `line 1: the run begins with "port", not with "run_start"`},
		{"two runs", first + "\n" + first + "\n", "line 2: a second run begins: convert one run at a time"},
		{"gap", first + "\n" + swap(second, `"seq":1`, `"seq":2`) + "\n", `line 2: member "seq" is 2: 1 was expected: lines are missing or out of order`},
		{"other run", first + "\n" + swap(second, `"run_id":"7`, `"run_id":"8`) + "\n", `line 2: member "run_id" is "8f6f0d8e-3f0b-4c6a-9d9f-0a3f4f6f1c11": a line of another run`},
		{"version", swap(first, `"schema_version":"1.0"`, `"schema_version":"2.0"`) + "\n", `line 1: member "schema_version" is "2.0": this program reads 1.x`},
		{"type", first + "\n" + swap(second, `"port","seq"`, `"prot","seq"`) + "\n", `line 2: member "type" is "prot": not a value of the schema`},
		{"address", first + "\n" + swap(second, `"ip":"192.0.2.10"`, `"ip":"192.0.2"`) + "\n", `line 2: "192.0.2" is not an IP address: IPv4 address too short`},
		{"port", first + "\n" + swap(second, `"port":25,`, `"port":70000,`) + "\n", `line 2: member "port" cannot be the number 70000: expecting a whole number from 0 to 65535`},
		{"broken", first + "\n{]\n" + second + "\n", `line 2: not JSON: unexpected character ']' where a key in double quotes should start`},
		{"after end", lines + first + "\n", "the run continues after its end"},
		{"document", swap(doc, "\n      \"ip\": \"192.0.2.10\"", "\n      \"ip\": 7"), `ports[0]: member "ip" cannot be a number`},
		{"document run", swap(doc, `"run": {`, `"run": 5, "other": {`), `run: expecting an object, not a number`},
		{"document edge", swap(doc, `"to": 3`, `"to": 99`), `run: member "edges" is 99: not the index of a step`},
		{"document basis", swap(doc, `"basis": "table"`, `"basis": "hearsay"`), `run: member "basis" is "hearsay": not a value of the schema`},
		{"document run member", swap(doc, `"vantage": "`, `"vantage": 5, "other": "`), `run: member "vantage" cannot be a number: expecting a string`},
		{"document state", swap(doc, `"state": "open"`, `"state": "ajar"`), `ports[0]: member "state" is "ajar": not a value of the schema`},
		{"document tail", doc + "x", "data follows the document"},
		{"severity lowered", swap(doc, "\"rule\": \"MXS1004\",\n      \"severity\": \"critical\"", "\"rule\": \"MXS1004\",\n      \"severity\": \"info\""), "the findings are 3 high, 1 medium, 1 low, 1 info: the file was edited"},
		{"one id twice", swap(doc, otherID, id), `findings[1]: member "id" is "` + id + `": another finding of the run has it`},
		{"one id twice on lines", swap(lines, otherID, id), `member "id" is "` + id + `": another finding of the run has it`},
		{"id", swap(doc, id, "9"+id), `findings[0]: member "id" is "9`},
		{"id of other digits", swap(lines, id, strings.Repeat("G", 64)), `": not 64 lower-case hex digits`},
		{"rule", swap(doc, `"rule": "MXS1004"`, `"rule": "MXS104"`), `member "rule" is "MXS104": not of the form MXSnnnn`},
		{"shard beyond the last", swap(first, `"vantage":`, `"shard":"9/2","vantage":`) + "\n", `line 1: member "shard" is "9/2": there is no such shard`},
		{"shard without end", swap(first, `"vantage":`, `"shard":"1/99999999999999999999","vantage":`) + "\n", "there is no such shard"},
		{"more answered than planned", swap(doc, `"answered": 238`, `"answered": 253`), `member "answered" is 253: more than the 252 that were planned`},
		{"more planned", swap(doc, `"planned": 252`, `"planned": 250`), `not the sum of 238 conclusive and 14 unknown`},
		{"more open", swap(doc, `"open": 21`, `"open": 22`), `not the sum of 22 open, 186 closed and 31 filtered`},
		{"sum that wraps", swap(swap(doc, `"open": 21`, `"open": 18446744073709551615`), `"filtered": 31`, `"filtered": 53`), `not the sum of`},
		{"ratio", swap(doc, `"ratio": 0.9444`, `"ratio": 0.99`), `member "ratio" is 0.99: not 238 of 252`},
		{"negative unknown", swap(doc, `"unknown": 14`, `"unknown": -14`), `cannot be the number -14`},
		{"negative hosts", swap(doc, `"hosts_up": 17`, `"hosts_up": -17`), `member "hosts_up" is -17: a count is from 0 to 2^53`},
		{"negative silent", swap(doc, `"hosts_silent": 1`, `"hosts_silent": -1`), `member "hosts_silent" is -1: negative`},
		{"huge drift", swap(doc, `"new": 4`, `"new": 9007199254740993`), `member "new" is 9007199254740993: a count is from 0 to 2^53`},
		{"anchor", swap(doc, `"file": "scope/edge-dc1.txt"`, `"file": "../x"`), `member "anchor" is "../x": not a relative path with slashes`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := (Reader{}).Replay(strings.NewReader(tt.in), &discard{})
			var re userfile.Errors
			want := regexp.MustCompile(`^line (\d+): `).ReplaceAllString(tt.want, "-:$1:@: ")
			got := regexp.MustCompile(`(?m)^-:(\d+):\d+: `).ReplaceAllString(fmt.Sprint(err), "-:$1:@: ")
			if !errors.As(err, &re) || !strings.Contains(got, want) {
				t.Errorf("error is %v (%T), want %s", err, err, tt.want)
			}
		})
	}
}

// TestReadErrorMessages breaks every value of a saved run: no error has words
// from the program's source.
func TestReadErrorMessages(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(convert(t, "run.json", "json", format.Options{}), &doc); err != nil {
		t.Fatal(err)
	}
	for name, v := range doc {
		if list, ok := v.([]any); ok {
			doc[name] = list[:min(len(list), 1)]
		}
	}
	small, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	for place, broken := range faulttest.Broken(t, small) {
		_, err := (Reader{}).Replay(bytes.NewReader(broken), &discard{})
		var re *userfile.Error
		if err != nil && (!errors.As(err, &re) || re.ErrorHint() == "" || faulttest.GoWords(err.Error()) != "") {
			t.Errorf("%s: %v (%T)", place, err, err)
		}
	}
}

// TestReadForeignText checks that a saved run is sanitized, because anyone may
// have changed it.
func TestReadForeignText(t *testing.T) {
	doc := convert(t, "run.json", "json", format.Options{})
	doc = bytes.Replace(doc, []byte(`"220 mx1.example.org ESMTP Postfix"`), []byte(`"\u001b[2J::error::\u202e"`), 1)
	var out bytes.Buffer
	w, _ := New("json", &out, format.Options{})
	if _, err := (Reader{}).Replay(bytes.NewReader(doc), w); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out.Bytes(), []byte(`\\x1b[2J::error::\\u202e`)) {
		t.Error("the text came through as it was")
	}
}

func TestLongLine(t *testing.T) {
	endless := io.MultiReader(strings.NewReader(`{"schema":"mxsweep.line","x":"`), endlessReader{})
	_, err := (Reader{}).Replay(endless, &discard{})
	if err == nil || !strings.Contains(err.Error(), "-:1:1: the line is longer than 16 MiB") {
		t.Errorf("error is %v", err)
	}
}

type endlessReader struct{}

func (endlessReader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	return len(b), nil
}

type failing struct{ discard }

var errFull = errors.New("disk full")

func (*failing) Port(result.Port) error { return errFull }

func TestReplayWriterError(t *testing.T) {
	for _, form := range []string{"json", "jsonl"} {
		run := convert(t, "run.json", form, format.Options{})
		if _, err := (Reader{}).Replay(bytes.NewReader(run), &failing{}); err != errFull {
			t.Errorf("%s: error is %v, want that of the writer", form, err)
		}
	}
}

func FuzzReplay(f *testing.F) {
	lines := bytes.SplitAfter(convert(f, "run.json", "jsonl", format.Options{}), []byte("\n"))
	f.Add(lines[0])
	f.Add(append(lines[0][:len(lines[0]):len(lines[0])], lines[1][:len(lines[1])/2]...))
	f.Add([]byte(`{"schema":"mxsweep.report","ports":[{}]}`))
	f.Add(write(f, "json", format.Options{}, hugeRun(1, 1)))
	schema := compile(f, Schema())
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		w, _ := New("json", &out, format.Options{})
		if _, err := (Reader{}).Replay(bytes.NewReader(b), w); err != nil {
			return
		}
		obey(t, schema, out.Bytes())
		if _, err := (Reader{}).Replay(&out, &discard{}); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}

// BenchmarkReplay reads 25,000 findings on 5,000 hosts.
func BenchmarkReplay(b *testing.B) {
	for _, form := range []string{"json", "jsonl"} {
		var run bytes.Buffer
		w, err := New(form, &run, format.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := play(hugeRun(5000, 5), w); err != nil {
			b.Fatal(err)
		}
		b.Run(form, func(b *testing.B) {
			b.SetBytes(int64(run.Len()))
			for b.Loop() {
				if _, err := (Reader{}).Replay(bytes.NewReader(run.Bytes()), &discard{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestLastRecordOfAPortHolds checks that the last record of a port replaces
// earlier ones.
func TestLastRecordOfAPortHolds(t *testing.T) {
	first := result.Port{IP: netip.MustParseAddr("192.0.2.1"), Port: 25, Protocol: "tcp", State: result.StateOpen, Service: &result.Service{Name: "smtp"}}
	last := first
	last.Service = &result.Service{Name: "smtp", Stack: "Zimbra"}
	other := result.Port{IP: netip.MustParseAddr("192.0.2.1"), Port: 26, Protocol: "tcp", State: result.StateOpen}
	c := view.Collector{Ports: []result.Port{first, other, last}}
	c.Finish(result.Run{})
	if len(c.Ports) != 2 || c.Ports[0].Service.Stack != "Zimbra" || c.Ports[1].Port != 26 {
		t.Errorf("ports are %+v", c.Ports)
	}
}
