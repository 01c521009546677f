package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"

	"github.com/mxsweep/mxsweep/result"
)

// maxCount is the maximum of a count: the largest integer that all JSON readers
// represent exactly (RFC 8259, Section 6).
const maxCount = 1 << 53

// A count is a number of a summary, with the name of its member.
type count struct {
	member string
	n      int
}

func checkSummary(s *result.Summary) error {
	c := &s.Coverage
	b, d := &s.BySeverity, &s.ByDrift
	for _, n := range []count{
		{"exit_code", s.ExitCode}, {"accepted", s.Accepted},
		{"acceptances_expired", s.AcceptancesExpired}, {"acceptances_unused", s.AcceptancesUnused},
		{"critical", b.Critical}, {"high", b.High}, {"medium", b.Medium}, {"low", b.Low}, {"info", b.Info},
		{"new", d.New}, {"unchanged", d.Unchanged}, {"updated", d.Updated}, {"fixed", d.Fixed},
		{"unverified", d.Unverified}, {"expired", d.Expired}, {"reopened", d.Reopened}, {"none", d.None},
		{"hosts_up", c.HostsUp},
	} {
		if n.n < 0 || int64(n.n) > maxCount {
			return badValue(n.member, n.n, "a count is from 0 to 2^53")
		}
	}
	if c.HostsSilent < 0 { // includes whole prefixes
		return badValue("hosts_silent", c.HostsSilent, "negative")
	}
	if err := checkCoverage(c); err != nil {
		return err
	}
	return inTable("gate", &s.Gate, result.ParseGateResult)
}

// checkCoverage checks that the numbers of the coverage are consistent.
func checkCoverage(c *result.Coverage) error {
	switch {
	case !(c.Ratio >= 0 && c.Ratio <= 1):
		return badValue("ratio", c.Ratio, "not from 0 to 1")
	case !(c.Loss >= 0 && c.Loss <= 1):
		return badValue("loss", c.Loss, "not from 0 to 1")
	case c.Answered > c.Planned && (c.Planned > 0 || c.CoverageCounts != nil): // a run that was cut short does not know its plan
		return badValue("answered", c.Answered, fmt.Sprintf("more than the %d that were planned", c.Planned))
	case c.CoverageCounts == nil:
		return nil
	}
	seen, over := total(c.Open, c.Closed, c.Filtered)
	switch {
	case over || min(seen, c.Planned) != c.Answered: // accepted pairs may have answered, but are not planned
		return badValue("answered", c.Answered, fmt.Sprintf("not the sum of %d open, %d closed and %d filtered", c.Open, c.Closed, c.Filtered))
	case c.Unknown != c.Planned-c.Answered:
		return badValue("planned", c.Planned, fmt.Sprintf("not the sum of %d conclusive and %d unknown", c.Answered, c.Unknown))
	case c.Planned > 0 && math.Abs(c.Ratio-float64(c.Answered)/float64(c.Planned)) > 0.001:
		return badValue("ratio", c.Ratio, fmt.Sprintf("not %d of %d", c.Answered, c.Planned))
	}
	return nil
}

// total returns the sum of numbers; over is set if it overflows.
func total(numbers ...uint64) (sum uint64, over bool) {
	for _, n := range numbers {
		var carry uint64
		sum, carry = bits.Add64(sum, n, 0)
		over = over || carry > 0
	}
	return sum, over
}

// findingIDs is the set of finding ids of a run. The zero findingIDs is empty.
type findingIDs map[[sha256.Size]byte]struct{}

// add adds the id of f, which must be valid. A duplicate is an error: a merge,
// which matches findings by id, would lose one.
func (s *findingIDs) add(f *result.Finding) error {
	var id [sha256.Size]byte
	if _, err := hex.Decode(id[:], []byte(f.ID)); err != nil {
		return badValue("id", f.ID, "not 64 lower-case hex digits")
	}
	if _, known := (*s)[id]; known {
		return badValue("id", f.ID, "another finding of the run has it")
	}
	if *s == nil {
		*s = findingIDs{}
	}
	(*s)[id] = struct{}{}
	return nil
}
