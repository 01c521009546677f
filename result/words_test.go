package result

import (
	"encoding/json"
	"testing"
)

// Every word of a table is read as itself, and no other word is.
func TestWordsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	checkTable(t, states, ParseState)
	checkTable(t, reasons, ParseReason)
	checkTable(t, statuses, ParseStatus)
	checkTable(t, drifts, ParseDrift)
	checkTable(t, gateResults, ParseGateResult)
	checkTable(t, levels, ParseLevel)
	checkTable(t, []Verdict{"", VerdictFail, VerdictWarn, VerdictPass}, ParseVerdict)
	checkTable(t, []StepKind{StepPort, StepQueue, StepMailboxes, StepElsewhere}, ParseStepKind)
	checkTable(t, edgeBases, ParseEdgeBasis)
	checkTable(t, []Reachability{"", ReachabilityAssumed}, ParseReachability)
}

func checkTable[T ~string](t *testing.T, table []T, parse func(string) (T, bool)) {
	t.Helper()
	for i, word := range table {
		if got, ok := parse(string(word)); !ok || got != word {
			t.Errorf("%T %q is read as %q, %v", word, word, got, ok)
		}
		for _, other := range table[:i] {
			if other == word {
				t.Errorf("%T %q is in its table twice", word, word)
			}
		}
	}
	if got, ok := parse("no such word"); ok {
		t.Errorf("a word that is none is read as %T %q", got, got)
	}
}

// Of two bases the less sure one counts, in either order.
func TestWeakerBasis(t *testing.T) {
	t.Parallel()
	for i, a := range edgeBases {
		for j, b := range edgeBases {
			if got := a.Weaker(b); got != edgeBases[max(i, j)] {
				t.Errorf("of %s and %s the weaker one is %s", a, b, got)
			}
		}
	}
	if EdgeBasis("?").Weaker(BasisFile) != BasisFile {
		t.Error("a basis that does not exist is weaker")
	}
}

func TestSeverityWords(t *testing.T) {
	t.Parallel()
	words := SeverityWords()
	for i, s := range Severities() {
		if word := words[len(words)-1-i]; s.String() != word {
			t.Errorf("severity %d is %q, want %q", s, s, word)
		}
		text, err := json.Marshal(s)
		var back Severity
		if err != nil || json.Unmarshal(text, &back) != nil || back != s {
			t.Errorf("%v is written %s and read as %v, error %v", s, text, back, err)
		}
	}
	for _, s := range []Severity{-1, 0, SeverityCritical + 1} {
		if _, err := s.MarshalText(); err == nil || s.Valid() {
			t.Errorf("severity %d is written", s)
		}
	}
	if err := new(Severity).UnmarshalText([]byte("grave")); err == nil {
		t.Error("a severity that is none is read")
	}
}

// The bands of the scores are those of CVSS 4.0: they follow one another without
// a gap or an overlap of a tenth.
func TestScoreBands(t *testing.T) {
	t.Parallel()
	for tenths := range 101 {
		score := float64(tenths) / 10
		var in []Severity
		for _, s := range Severities() {
			if s.Has(score) {
				in = append(in, s)
			}
		}
		if len(in) != 1 {
			t.Errorf("score %.1f is in the bands %v", score, in)
		}
	}
	if !SeverityCritical.Has(9.0) || SeverityHigh.Has(9.0) {
		t.Error("9.0 is not critical")
	}
}

// FuzzParseSeverity sees to it that what is taken for a severity is written as it
// was read.
func FuzzParseSeverity(f *testing.F) {
	for _, text := range []string{"high", "info", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, ok := ParseSeverity(text); ok && s.String() != text {
			t.Errorf("severity %q is written %q", text, s)
		}
	})
}
