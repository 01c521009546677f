package result

import (
	"encoding/json"
	"time"

	"github.com/mxsweep/mxsweep/internal/jsonfault"
)

// A Time is a point in time, written in RFC 3339, in UTC with at most
// milliseconds. The zero Time is omitted.
type Time struct{ time.Time }

// NewTime returns t in UTC, truncated to milliseconds.
func NewTime(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Millisecond)}
}

const timeLayout = "2006-01-02T15:04:05.999Z07:00" // RFC 3339, Section 5.6

// String returns the time as written, "" for the zero Time.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Millisecond).Format(timeLayout)
}

// MarshalText implements [encoding.TextMarshaler].
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON implements [json.Marshaler].
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalJSON implements [json.Unmarshaler]. It accepts only UTC ("Z").
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := time.Parse(time.RFC3339, s)
	if err != nil || s[len(s)-1] != 'Z' {
		return &jsonfault.WordError{Word: s, Want: "a time of RFC 3339 in UTC"}
	}
	*t = NewTime(v)
	return nil
}
