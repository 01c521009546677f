package result

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestTimesAreWrittenInUTC(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 7, 0, 0, 123456789, time.FixedZone("", 3600))
	for _, tt := range []struct{ got, want string }{
		{NewTime(at).String(), "2026-11-20T06:00:00.123Z"},
		{NewTime(time.Time{}).String(), ""},
		{NewDate(time.Date(2026, 11, 21, 0, 30, 0, 0, time.FixedZone("", 3600))).String(), "2026-11-20"},
		{NewDate(time.Time{}).String(), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestTimesThatAreRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 1000)
	for _, text := range []string{"", "2026-11-20", "2026-11-20T06:00:00+01:00", long} {
		if err := json.Unmarshal([]byte(`"`+text+`"`), new(Time)); err == nil || len(err.Error()) > 200 {
			t.Errorf("time %.20q: %v", text, err)
		}
	}
	for _, text := range []string{"", "2026-11-31", "20.11.2026", "2026-11-20T06:00:00Z", long} {
		if err := json.Unmarshal([]byte(`"`+text+`"`), new(Date)); err == nil || len(err.Error()) > 200 {
			t.Errorf("date %.20q: %v", text, err)
		}
	}
}

// An acceptance holds through the whole of its last day.
func TestAcceptanceHolds(t *testing.T) {
	t.Parallel()
	last := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	a := Acceptance{Expires: NewDate(last)}
	if !a.Holds(last.Add(24*time.Hour-1)) || a.Holds(last.Add(24*time.Hour)) {
		t.Error("the last day is not the last")
	}
}

// FuzzTimes sees to it that what is taken for a time or a date is written as what
// is read as the same.
func FuzzTimes(f *testing.F) {
	for _, text := range []string{"2026-11-20T06:00:00.123Z", "2026-11-20", "0000-01-01T00:00:00Z", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Skip(err)
		}
		var at, again Time
		if json.Unmarshal(quoted, &at) == nil {
			out, err := json.Marshal(at)
			if err != nil || !at.IsZero() && (json.Unmarshal(out, &again) != nil || !again.Equal(at.Time)) {
				t.Errorf("%q is written %s, which is read as %v, error %v", text, out, again, err)
			}
		}
		var day, same Date
		if json.Unmarshal(quoted, &day) == nil {
			out, err := json.Marshal(day)
			if err != nil || !day.IsZero() && (json.Unmarshal(out, &same) != nil || !same.Equal(day.Time)) {
				t.Errorf("%q is written %s, which is read as %v, error %v", text, out, same, err)
			}
		}
	})
}
