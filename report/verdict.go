package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// verdict says in one sentence what came out. A run that fails may have seen
// too little as well.
func (v *view) verdict() string {
	s := v.outcome()
	if v.sum.Gate == result.GateFail && v.sum.Partial() {
		s = strings.TrimRight(s, ".") + "; the run saw too little to say that this is all"
	}
	return s
}

// outcome is the verdict on what was seen.
func (v *view) outcome() string {
	switch r := v.sum.Reason; {
	case r != "" && v.sum.Gate == result.GatePass:
		return v.decision() + "; " + r
	case r != "":
		return r
	}
	return v.decision()
}

// decision is what the gate decided.
func (v *view) decision() string {
	gate := cmp.Or(v.sum.FailOn, "the gate")
	switch v.sum.Gate {
	case result.GatePass:
		if gate == "none" {
			return "no finding fails this run, as its gate is none"
		}
		return "no finding meets " + gate
	case result.GateFail:
		total := plural(v.sum.BySeverity.Total(), "finding")
		if v.failing == 0 {
			return fmt.Sprintf("%s, at least one meets %s", total, gate)
		}
		return fmt.Sprintf("%d of %s %s %s", v.failing, total, map[bool]string{true: "meets", false: "meet"}[v.failing == 1], gate)
	case result.GateIncomplete:
		return "the run did not see enough to say that nothing is exposed"
	}
	return "the run was stopped, or an output could not be written"
}

// drift lists the counts against the baseline, and the settled ones.
func (v *view) drift() string {
	d := v.sum.ByDrift
	var words []string
	add := func(n int, word string) {
		if n > 0 {
			words = append(words, itoa(n)+" "+word)
		}
	}
	add(d.New, string(result.DriftNew))
	add(d.Unchanged, string(result.DriftUnchanged))
	add(d.Updated, string(result.DriftUpdated))
	add(d.Fixed, string(result.DriftFixed))
	add(d.Unverified, string(result.DriftUnverified))
	add(d.Expired, string(result.DriftExpired))
	add(d.Reopened, string(result.DriftReopened))
	add(v.sum.Accepted, "accepted")
	return strings.Join(words, ", ")
}

// coverage says how much of what was planned gave a conclusive result.
func (v *view) coverage() string {
	c := v.sum.Coverage
	var parts []string
	if c.HostsUp+c.HostsSilent > 0 || c.CoverageCounts != nil && c.Vacant > 0 {
		hosts := plural(c.HostsUp, "host") + " up"
		if c.CoverageCounts != nil && c.Vacant > 0 {
			hosts += ", " + Grouped(c.Vacant) + " vacant"
		}
		silent := " silent"
		if !v.sum.Complete && c.HostsSilent > 0 {
			silent = " silent or not asked" // the run ended before it came to them
		}
		parts = append(parts, hosts+", "+Grouped(uint64(c.HostsSilent))+silent)
	}
	switch {
	case c.Planned > 0:
		parts = append(parts, fmt.Sprintf("%s of %s conclusive (%s)%s", Grouped(c.Answered), pairs(c.Planned), percent(c.Ratio), countWords(&c)))
	case !v.sum.Complete:
		parts = append(parts, pairs(c.Answered)+" conclusive, of how many is not recorded")
	case c.CoverageCounts == nil || c.Vacant == 0 && acceptedPairs(&c) == 0:
		parts = append(parts, "nothing was planned")
	}
	if n := acceptedPairs(&c); n > 0 {
		parts = append(parts, pairs(n)+" accepted as unknown")
	}
	if c.CanariesOK != nil {
		parts = append(parts, map[bool]string{true: "canaries answer", false: "a canary gave no answer"}[*c.CanariesOK])
	}
	if !v.sum.Complete {
		parts = append(parts, "the run is not complete")
	}
	return strings.Join(parts, "; ")
}

// acceptedPairs is how many pairs are left out because the policy accepts that their
// host cannot be judged, as far as it is recorded.
func acceptedPairs(c *result.Coverage) uint64 {
	if c.CoverageCounts == nil || c.CoverageCounts.Accepted == nil {
		return 0
	}
	return *c.CoverageCounts.Accepted
}

// countWords lists the numbers that are not 0.
func countWords(c *result.Coverage) string {
	if c.CoverageCounts == nil {
		return ""
	}
	var words []string
	for _, n := range []struct {
		count uint64
		word  string
	}{{c.Open, "open"}, {c.Closed, "closed"}, {c.Filtered, "filtered"}, {c.Unknown, "unknown"}} {
		if n.count > 0 {
			words = append(words, Grouped(n.count)+" "+n.word)
		}
	}
	if len(words) == 0 {
		return ""
	}
	return ": " + strings.Join(words, ", ")
}

// pairs is a number of pairs with the word.
func pairs(n uint64) string {
	if n == 1 {
		return "1 pair"
	}
	return Grouped(n) + " pairs"
}

// Grouped writes a number with a comma behind each three digits.
func Grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// percent rounds down, as the gate does: a ratio below the floor never reads as
// the floor, and one below 1 never as 100%.
func percent(ratio float64) string {
	s := fmt.Sprintf("%.1f", math.Floor(ratio*1000)/10)
	return strings.TrimSuffix(s, ".0") + "%"
}

// briefPorts is how long a list of ports may be before it is only counted.
const briefPorts = 60

// provenance says which program looked at what, when and from where.
func (v *view) provenance() string {
	s := "mxsweep " + v.tool.Version + ", vantage " + v.run.Vantage + v.loopback()
	if v.run.Scope.Name != "" {
		s += ", scope " + v.run.Scope.Name
	}
	if n := v.run.Scope.Addresses; n == 1 {
		s += ", 1 address"
	} else {
		s += ", " + Grouped(n) + " addresses"
	}
	if index, count, ok := strings.Cut(v.run.Shard, "/"); ok {
		s += ", shard " + index + " of " + count
	}
	switch ports := v.run.Scope.Ports; {
	case len(ports) > briefPorts:
		s += ", " + plural(countPorts(ports), "port")
	case ports != "":
		s += ", ports " + ports
	}
	s += ", " + period(v.run.StartTime, v.run.EndTime)
	if !v.run.Now.IsZero() {
		s += ", judged as of " + v.run.Now.UTC().Format("2006-01-02 15:04 UTC") + " (--now)"
	}
	return s
}

// loopback says, of a run from elsewhere with findings on loopback, as what they
// were judged; "" where there are none.
func (v *view) loopback() string {
	const host, internet = string(exposure.ClassHost), string(exposure.ClassInternet)
	if slices.Contains(strings.Split(v.run.Vantage, "+"), host) {
		return ""
	}
	for i := range v.hosts {
		if !v.hosts[i].addr.IsLoopback() {
			continue
		}
		for _, p := range v.hosts[i].ports {
			for _, f := range p.findings {
				switch f.Vantage {
				case host:
					return " (loopback addresses as " + host + ")"
				case internet: // the demo; the advice to bind 127.0.0.1 else reads as if it were done
					return " (" + v.hosts[i].ip + " stands for a public address)"
				}
			}
		}
	}
	return ""
}

func (v *view) baseline() string {
	b := v.run.Baseline
	s := b.SHA256[:min(12, len(b.SHA256))]
	if !b.Created.IsZero() {
		s += " of " + b.Created.UTC().Format("2006-01-02 15:04 UTC")
	}
	if !b.Comparable {
		s += ", not comparable"
		if b.Why != "" {
			s += ": " + b.Why
		}
	}
	return s
}

// A remark is one line on what the run does not know.
type remark struct {
	level result.Level
	text  string
}

// unseen lists what was not seen, and the notices, errors first.
func (v *view) unseen() []remark {
	var list []remark
	routed := !slices.ContainsFunc(v.notices, func(n result.Notice) bool { return n.Code == exposure.NoticeNoRoute })
	for _, why := range sortedKeys(v.unjudged) {
		if v.unjudged[why].unrouted && !routed || why == unjudgedSkipped && v.aside(v.unjudged[why].hosts) {
			continue // which a notice tells
		}
		list = append(list, remark{result.LevelWarning, fmt.Sprintf("%s could not be judged: %s", v.unjudged[why], why)})
	}
	for _, n := range v.notices {
		text := n.Code + " " + n.Message
		if n.Anchor != nil {
			text += fmt.Sprintf(" (%s:%d)", n.Anchor.File, n.Anchor.Line)
		}
		list = append(list, remark{n.Level, text})
	}
	slices.SortStableFunc(list, func(a, b remark) int {
		return b.level.Compare(a.level)
	})
	return list
}

// obstacle is the code of the first notice that keeps the run from being whole; ""
// if it is whole.
func (v *view) obstacle() string {
	if !v.sum.Partial() {
		return ""
	}
	for _, n := range v.notices {
		if n.Level == result.LevelError {
			return n.Code
		}
	}
	return ""
}

// aside reports whether a notice tells of each host that its ports do not speak
// for themselves.
func (v *view) aside(hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(host string) bool {
		return !slices.ContainsFunc(v.notices, func(n result.Notice) bool {
			return n.Target == host && (n.Code == exposure.NoticeWildcard || n.Code == exposure.NoticeCrowded)
		})
	})
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// example is the rule and the port that a hint is best given on: those of the
// most urgent finding, else the first open port.
func (v *view) example() (rule string, port uint16) {
	if len(v.hosts) == 0 {
		return "", 0
	}
	p := &v.hosts[0].ports[0]
	if len(p.findings) > 0 {
		rule = p.findings[0].Rule
	}
	return rule, p.num
}
