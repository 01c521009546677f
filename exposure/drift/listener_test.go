package drift

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// ofFile returns the findings of a re-injection listener of a file.
func ofFile(t testing.TB, file, name string) []exposure.Violation {
	t.Helper()
	j := &exposure.Judge{Rules: exposuretest.Rules(t), Knowledge: exposuretest.Ports(), Vantage: exposure.Vantage{Class: exposure.ClassConfig}}
	list := j.Findings(exposure.Subject{
		Result: scan.Result{Target: netip.MustParseAddrPort("0.0.0.0:10025"), State: result.StateOpen, Time: exposuretest.Time},
		Host:   file, Anchor: &result.Anchor{File: file, Line: 3}, Listener: &result.Configured{Name: name},
	})
	if len(list) != 1 {
		t.Fatalf("%d findings, want 1", len(list))
	}
	return list
}

// The listeners of files have the same address and port in each file: only the file and
// the name of the listener tell them apart.
func TestListenersOfFiles(t *testing.T) {
	t.Parallel()
	all := append(ofFile(t, "a/master.cf", "10025 inet"), ofFile(t, "b/master.cf", "10025 inet")...)
	data, err := NewBaseline(Header{Created: exposuretest.Time, Vantage: "config"}, nil, all).Encode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := Read("baseline.jsonl", data)
	if err != nil || len(b.Entries) != 2 {
		t.Fatalf("%s\n%v", data, err)
	}
	now := Conditions{Vantage: exposure.Vantage{Class: exposure.ClassConfig}, Gone: func(e *Entry) (bool, string) {
		return e.Host == "b/master.cf", "because"
	}}
	found := append(ofFile(t, "a/master.cf", "10025 inet"), ofFile(t, "c/master.cf", "10025 inet")...)
	list, notices := Compare(b, now, exposuretest.Rules(t)).Finish(found, nil, nil, exposuretest.Time)
	if len(notices) > 0 {
		t.Errorf("notices %+v", notices)
	}
	want := map[string]result.Drift{"a/master.cf": result.DriftUnchanged, "b/master.cf": result.DriftFixed, "c/master.cf": result.DriftNew}
	for i := range list {
		f := &list[i]
		if f.Drift != want[f.Host] || strings.Contains(f.Title, "exposed") || f.Listener == nil {
			t.Errorf("%s: %s %+v, want %s", f.Place(), f.Drift, f.Title, want[f.Host])
		}
	}
	if len(list) != len(want) {
		t.Errorf("%d findings, want %d", len(list), len(want))
	}

	// A scan proves nothing of files, and says so.
	for _, f := range mustCarry(t, b, Conditions{}) {
		if f.Drift != result.DriftUnverified || f.Evidence[0] != "this run did not read configuration files" {
			t.Errorf("%s: %s, %q", f.Place(), f.Drift, f.Evidence)
		}
	}

	// An entry whose id is that of another listener is refused.
	if _, err := Read("x", []byte(strings.Replace(string(data), `"listener":"10025 inet"`, `"listener":"10026 inet"`, 1))); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("error %v", err)
	}
}

// mustCarry returns the findings of a baseline in a run that found nothing.
func mustCarry(t *testing.T, b *Baseline, now Conditions) []exposure.Violation {
	t.Helper()
	list, _ := Compare(b, now, exposuretest.Rules(t)).Finish(nil, nil, nil, exposuretest.Time)
	if len(list) != len(b.Entries) {
		t.Fatalf("%d findings, want %d", len(list), len(b.Entries))
	}
	return list
}
