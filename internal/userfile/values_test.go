package userfile

import "testing"

func TestDateHint(t *testing.T) {
	for text, want := range map[string]string{
		"2027-02-30":           "the last day of that month is 2027-02-28; write a day",
		"2028-02-30T06:00:00Z": "the last day of that month is 2028-02-29; write a day",
		"2027-31-12":           "the year comes first, and then the month, 01 to 12; write a day",
		"2027-01-31":           "write a day",
		"31.12.2027":           "write a day",
		"tomorrow":             "write a day",
		"":                     "write a day",
	} {
		if got := DateHint(text, "write a day"); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestFractionHint(t *testing.T) {
	const usual = "use a fraction from 0 to 1, such as 0.95"
	for n, want := range map[float64]string{95: "write 0.95 for 95 %; it is a fraction from 0 to 1", 1.5: "write 0.015 for 1.5 %; it is a fraction from 0 to 1", -1: usual, 101: usual} {
		if got := FractionHint(n); got != want {
			t.Errorf("%g: got %q, want %q", n, got, want)
		}
	}
}
