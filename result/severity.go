package result

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/jsonfault"
)

// A Severity grades a rule and its findings. Severities are ordered: a more
// severe one is larger. The zero Severity is none.
type Severity int

// The severities.
const (
	SeverityInfo Severity = 1 + iota
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

// severities are the names, by severity.
var severities = [...]string{SeverityInfo: "info", SeverityLow: "low", SeverityMedium: "medium", SeverityHigh: "high", SeverityCritical: "critical"}

// Severities returns all severities, the most severe first.
func Severities() []Severity {
	return []Severity{SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow, SeverityInfo}
}

// SeverityWords returns the names of all severities, the least severe first.
func SeverityWords() []string { return slices.Clone(severities[SeverityInfo:]) }

// ParseSeverity returns the severity with that name, and reports whether it
// exists.
func ParseSeverity(word string) (Severity, bool) {
	i := slices.Index(severities[SeverityInfo:], word)
	return SeverityInfo + Severity(i), i >= 0
}

// Valid reports whether s is one of the severities.
func (s Severity) Valid() bool { return SeverityInfo <= s && s <= SeverityCritical }

// String returns the name used in flags, files and reports, "" for none.
func (s Severity) String() string {
	if s != 0 && !s.Valid() {
		return fmt.Sprintf("severity(%d)", int(s))
	}
	return severities[s]
}

// MarshalText implements [encoding.TextMarshaler]. The zero Severity is an error.
func (s Severity) MarshalText() ([]byte, error) {
	if !s.Valid() {
		return nil, fmt.Errorf("marshaling severity %d: out of range", int(s))
	}
	return []byte(severities[s]), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Severity) UnmarshalText(text []byte) error {
	v, ok := ParseSeverity(string(text))
	if !ok {
		return &jsonfault.WordError{Word: string(text), Want: "a severity (" + strings.Join(SeverityWords(), ", ") + ")"}
	}
	*s = v
	return nil
}

// Scores returns the lowest and highest score of a severity, as defined by CVSS
// 4.0, Section 6, and used by GitHub's security-severity. The only score of Info
// is 0.
func (s Severity) Scores() (lowest, highest float64) {
	switch s {
	case SeverityCritical:
		return 9.0, 10.0
	case SeverityHigh:
		return 7.0, 8.9
	case SeverityMedium:
		return 4.0, 6.9
	case SeverityLow:
		return 0.1, 3.9
	}
	return 0, 0
}

// Has reports whether a score is in the band of the severity.
func (s Severity) Has(score float64) bool {
	lowest, highest := s.Scores()
	return lowest <= score && score <= highest
}
