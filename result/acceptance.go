package result

import (
	"encoding/json"
	"time"

	"github.com/mxsweep/mxsweep/internal/jsonfault"
)

// An Acceptance is a risk that someone accepted until a day.
type Acceptance struct {
	ID      string `json:"id" clean:"field"`
	Reason  string `json:"reason"`
	Owner   string `json:"owner,omitempty" clean:"field"`
	Expires Date   `json:"expires"` // the last day on which it holds
}

// Holds reports whether the acceptance is valid at the given time. It is valid to
// the end of its last day, in UTC.
func (a *Acceptance) Holds(now time.Time) bool { return now.Before(a.Expires.AddDate(0, 0, 1)) }

// A Date is a day, written "2006-01-02", in UTC. The zero Date means none.
type Date struct{ time.Time }

// NewDate returns the day of t in UTC.
func NewDate(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	return Date{t.UTC().Truncate(24 * time.Hour)}
}

// String returns the date as written, "" for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.UTC().Format(time.DateOnly)
}

// MarshalText implements [encoding.TextMarshaler].
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalJSON implements [json.Marshaler].
func (d Date) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON implements [json.Unmarshaler].
func (d *Date) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return &jsonfault.WordError{Word: s, Want: "a date (2006-01-02)"}
	}
	*d = Date{t}
	return nil
}
