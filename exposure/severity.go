package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/userfile"
)

// A Severity grades a finding. The order of the constants is the order of
// weight.
type Severity int

// The severities, lightest first.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

// Severities lists all of them, lightest first.
func Severities() []Severity {
	return []Severity{Info, Low, Medium, High, Critical}
}

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

// SeverityNames lists the words of all severities, lightest first.
func SeverityNames() []string { return slices.Clone(severityNames[:]) }

// String gives the word that flags, files and reports use.
func (s Severity) String() string {
	if s < Info || s > Critical {
		return fmt.Sprintf("severity(%d)", int(s))
	}
	return severityNames[s]
}

// ParseSeverity reads one of the five words. The error has a hint.
func ParseSeverity(word string) (Severity, error) {
	for i, name := range severityNames {
		if word == name {
			return Severity(i), nil
		}
	}
	return 0, &userfile.Error{
		Msg:      fmt.Sprintf("unknown severity %q", word),
		HintText: spelling.Hint(severityNames[:], word, "the severities are "+strings.Join(severityNames[:], ", ")),
	}
}

// MarshalText gives the word; a severity out of range is an error.
func (s Severity) MarshalText() ([]byte, error) {
	if s < Info || s > Critical {
		return nil, fmt.Errorf("marshaling severity %d: out of range", int(s))
	}
	return []byte(severityNames[s]), nil
}

// UnmarshalText reads the word.
func (s *Severity) UnmarshalText(text []byte) error {
	v, err := ParseSeverity(string(text))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

// has reports whether a score lies in the band of the severity.
func (s Severity) has(score float64) bool {
	lowest, highest := s.Scores()
	return lowest <= score && score <= highest
}

// Scores reports the lowest and highest score of a severity, as CVSS 4.0,
// Section 6, and GitHub's security-severity cut them. Info is 0 and nothing
// else.
func (s Severity) Scores() (lowest, highest float64) {
	switch s {
	case Critical:
		return 9.0, 10.0
	case High:
		return 7.0, 8.9
	case Medium:
		return 4.0, 6.9
	case Low:
		return 0.1, 3.9
	default:
		return 0, 0
	}
}
