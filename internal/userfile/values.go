package userfile

import (
	"fmt"
	"time"
)

// DateHint says why a text in the form of a date, YYYY-MM-DD with or without a
// time after it, is not a valid date; otherwise it returns rest.
func DateHint(text, rest string) string {
	const day = len(time.DateOnly)
	if len(text) < day {
		return rest
	}
	var year, month, last int
	if n, err := fmt.Sscanf(text[:day], "%04d-%02d-%02d", &year, &month, &last); err != nil || n != 3 {
		return rest
	}
	if month < 1 || month > 12 {
		return fmt.Sprintf("the year comes first, and then the month, 01 to 12; %s", rest)
	}
	if end := time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC); last > end.Day() {
		return fmt.Sprintf("the last day of that month is %s; %s", end.Format(time.DateOnly), rest)
	}
	return rest
}

// FractionHint returns a hint for a number that should be from 0 to 1, and may be
// a percentage.
func FractionHint(n float64) string {
	if n > 1 && n <= 100 {
		return fmt.Sprintf("write %g for %g %%; it is a fraction from 0 to 1", n/100, n)
	}
	return "use a fraction from 0 to 1, such as 0.95"
}
