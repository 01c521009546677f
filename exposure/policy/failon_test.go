package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/result"
)

func TestParseFailOn(t *testing.T) {
	rules := exposuretest.Rules(t)
	for _, tt := range []struct{ in, out, err string }{
		{"", "any:high", ""},
		{"none", "none", ""},
		{"new:high, any:critical", "new:high,any:critical", ""},
		{"rule:MXS1002,rule:MXS1002", "rule:MXS1002", ""},
		{"unverified:low", "unverified:low", ""},
		{"high", "", "needs a colon"},
		{"old:high", "", `"old" is not a drift state`},
		{"fixed:high", "", `"fixed" is not a drift state`},
		{"any:severe", "", `unknown severity "severe"`},
		{"rule:MXS8888", "", `no rule "MXS8888"`},
		{"rule:x", "", `no rule "x"`},
		{"any:high,", "", `an empty entry`},
		{"new:hig,ay:high,rule:MXS9999", "", "\"new:hig\": unknown severity \"hig\"\n\"ay:high\": \"ay\" is not a drift state\n\"rule:MXS9999\": no rule \"MXS9999\""},
	} {
		f, err := ParseFailOn(tt.in, rules)
		if tt.err != "" {
			var hinted interface{ ErrorHint() string }
			if err == nil || !strings.Contains(err.Error(), tt.err) || !errors.As(err, &hinted) || hinted.ErrorHint() == "" {
				t.Errorf("%q: got %v, want an error with a hint and %q", tt.in, err, tt.err)
			}
			continue
		}
		if err != nil || f.String() != tt.out {
			t.Errorf("%q: got %q, %v, want %q", tt.in, f, err, tt.out)
		}
	}
}

func TestFailOnMatch(t *testing.T) {
	for _, tt := range []struct {
		on     string
		rule   string
		change func(*exposure.Violation)
		want   bool
	}{
		{"", "MXS1002", nil, true},
		{"", "MXS1201", nil, false},
		{"none", "MXS1004", nil, false},
		{"any:medium", "MXS1201", nil, true},
		{"new:high", "MXS1002", nil, true}, // no baseline: all is new
		{"new:high", "MXS1002", func(f *exposure.Violation) { f.Drift = result.DriftUnchanged }, false},
		{"new:high,any:critical", "MXS1004", func(f *exposure.Violation) { f.Drift = result.DriftUnchanged }, true},
		{"rule:MXS1901", "MXS1901", nil, true},
		{"any:info", "MXS1002", func(f *exposure.Violation) { f.Status = result.StatusAccepted }, false},
		{"any:info", "MXS1002", func(f *exposure.Violation) { f.Status = result.StatusExpected }, false},
		{"any:info", "MXS1002", func(f *exposure.Violation) { f.Drift = result.DriftFixed }, false},
		{"any:info", "MXS1002", func(f *exposure.Violation) { f.Drift = result.DriftUnverified }, true},
	} {
		on, err := ParseFailOn(tt.on, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := exposuretest.Finding(t, tt.rule, tt.change)
		if got := on.Match(&f); got != tt.want {
			t.Errorf("%q on %s (%s, %s): got %v", tt.on, tt.rule, f.Status, f.Drift, got)
		}
	}
}

func TestDriftConditions(t *testing.T) {
	for list, want := range map[string]string{
		"":                                     "",
		"any:high,rule:MXS1002":                "",
		"new:high,any:critical,unverified:low": "new:high unverified:low",
		"expired:info,reopened:high":           "expired:info reopened:high",
		"none":                                 "",
	} {
		f, err := ParseFailOn(list, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(f.Drifts(), " "); got != want || f.None() != (list == "none") {
			t.Errorf("%q: got %q, none %v", list, got, f.None())
		}
	}
}
