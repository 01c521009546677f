// Package words formats counts, times, lists and sentences for reports, and wraps
// text for a terminal.
package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
)

// IsAre returns "1 port is" or "5 ports are".
func IsAre(n int, one string) string {
	return wording.Plural(n, one) + map[bool]string{true: " is", false: " are"}[n == 1]
}

// Sentence appends a period to s if it does not end with punctuation.
func Sentence(s string) string {
	if s == "" || strings.ContainsRune(".!?", rune(s[len(s)-1])) {
		return s
	}
	return s + "."
}

// CommandLine joins arguments to a command line, quoted for a POSIX shell.
func CommandLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		if a != "" && strings.Trim(a, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+") == "" {
			quoted[i] = a
		} else {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// Shorten cuts s at a blank before n bytes, if it is longer.
func Shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if i := strings.LastIndexByte(s[:n+1], ' '); i > n/2 {
		return s[:i] + " …"
	}
	return sanitize.Text(s, n)
}

// Period returns "2026-11-20 06:00 UTC, 1m42s".
func Period(start, end result.Time) string {
	s := wording.Moment(start.Time)
	if !end.IsZero() {
		s += ", " + end.Sub(start.Time).Round(100*time.Millisecond).String()
	}
	return s
}

// Grouped returns a number with a comma before each group of three digits.
func Grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Percent rounds down, as the gate does: a ratio below the minimum is never
// displayed as the minimum, and one below 1 never as 100%.
func Percent(ratio float64) string {
	s := fmt.Sprintf("%.1f", math.Floor(ratio*1000)/10)
	return strings.TrimSuffix(s, ".0") + "%"
}
