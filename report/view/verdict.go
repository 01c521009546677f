package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// Verdict returns the result in one sentence. A run that fails may also have too
// little coverage.
func (v *View) Verdict() string {
	s := v.outcome()
	if v.Sum.Gate == result.GateFail && v.Sum.Partial() {
		why := "the coverage is too low to rule out more"
		switch cause := v.cause(); {
		case OfFiles(&v.Run):
			why = cause
		case cause != "":
			why = cause + ", so there may be more"
		}
		s = strings.TrimRight(s, ".") + "; " + why
	}
	return s
}

// outcome returns the result of what was seen.
func (v *View) outcome() string {
	switch r := v.Sum.Reason; {
	case r != "" && v.Sum.Gate == result.GatePass:
		return v.decision() + "; " + r
	case r != "":
		return r
	}
	return v.decision()
}

// decision returns the decision of the gate.
func (v *View) decision() string {
	gate := cmp.Or(v.Sum.FailOn, "the gate")
	switch v.Sum.Gate {
	case result.GatePass:
		if gate == "none" {
			return "no finding can fail this run: its gate is none"
		}
		return "no finding matches " + gate
	case result.GateFail:
		total := wording.Plural(v.Sum.BySeverity.Total(), "finding")
		if v.failing == 0 {
			return fmt.Sprintf("%s, at least one matches %s", total, gate)
		}
		return fmt.Sprintf("%d of %s %s %s", v.failing, total, map[bool]string{true: "matches", false: "match"}[v.failing == 1], gate)
	case result.GateIncomplete:
		switch cause := v.cause(); {
		case OfFiles(&v.Run):
			return cause
		case cause != "":
			return cause + ", so an exposure cannot be ruled out"
		}
		return "the coverage is too low to rule out an exposure"
	}
	return "the run was stopped, or an output could not be written"
}

// Drift returns the counts by drift, and the number of resolved findings.
func (v *View) Drift() string {
	d := v.Sum.ByDrift
	var words []string
	add := func(n int, word string) {
		if n > 0 {
			words = append(words, strconv.Itoa(n)+" "+word)
		}
	}
	add(d.New, string(result.DriftNew))
	add(d.Unchanged, string(result.DriftUnchanged))
	add(d.Updated, string(result.DriftUpdated))
	add(d.Fixed, string(result.DriftFixed))
	add(d.Unverified, string(result.DriftUnverified))
	add(d.Expired, string(result.DriftExpired))
	add(d.Reopened, string(result.DriftReopened))
	add(v.Sum.Accepted, "accepted")
	return strings.Join(words, ", ")
}

// Coverage says how much of the plan gave a conclusive result.
func (v *View) Coverage() string {
	c := v.Sum.Coverage
	if OfFiles(&v.Run) {
		return filesCoverage(&c)
	}
	if OfSockets(&v.Run) {
		return socketsCoverage(&c, v.apart())
	}
	var parts []string
	if c.HostsUp+c.HostsSilent > 0 || c.CoverageCounts != nil && c.Vacant > 0 {
		hosts := wording.Plural(c.HostsUp, "host") + " up"
		if c.CoverageCounts != nil && c.Vacant > 0 {
			hosts += ", " + words.Grouped(c.Vacant) + " vacant"
		}
		silent := " silent"
		if !v.Sum.Complete && c.HostsSilent > 0 {
			silent = " silent or not probed" // the run ended before it came to them
		}
		parts = append(parts, hosts+", "+words.Grouped(uint64(c.HostsSilent))+silent)
	}
	switch {
	case c.Planned > 0:
		parts = append(parts, fmt.Sprintf("%s of %s conclusive (%s)%s", words.Grouped(c.Answered), pairs(c.Planned), words.Percent(c.Ratio), countWords(&c)))
	case !v.Sum.Complete:
		parts = append(parts, pairs(c.Answered)+" conclusive, the total is not recorded")
	case c.CoverageCounts == nil || c.Vacant == 0 && acceptedPairs(&c) == 0:
		parts = append(parts, "no pairs planned")
	}
	if n := acceptedPairs(&c); n > 0 {
		parts = append(parts, pairs(n)+" accepted as unknown")
	}
	if c.CanariesOK != nil {
		parts = append(parts, map[bool]string{true: "canaries answer", false: canaryFailed}[*c.CanariesOK])
	}
	if !v.Sum.Complete {
		parts = append(parts, "the run is incomplete")
	}
	return strings.Join(parts, "; ")
}

// filesCoverage says how much of what files configure they decide. Each file that was
// read, and each listener, is one of the planned pairs.
func filesCoverage(c *result.Coverage) string {
	parts := []string{wording.Plural(c.HostsUp, "configuration file") + " with includes"}
	if n := c.CoverageCounts; n != nil {
		parts = append(parts, wording.Plural(n.Open-min(n.Open, uint64(c.HostsUp)), "listener"), words.Grouped(n.Unknown)+" undecided")
	}
	if n := acceptedPairs(c); n > 0 {
		parts = append(parts, words.Grouped(n)+" accepted as undecided")
	}
	return strings.Join(parts, ", ")
}

// socketsCoverage says how much is known of what listens on a machine; apart is how many
// more ports only the networks of its containers reach.
func socketsCoverage(c *result.Coverage, apart int) string {
	var parts []string
	if n := c.CoverageCounts; n == nil || n.Open+n.Unknown > 0 {
		parts = append(parts, fmt.Sprintf("%s, %s of them judged (%s)", wording.Plural(c.Planned, "listening port"), words.Grouped(c.Answered), words.Percent(c.Ratio)))
	}
	if n := acceptedPairs(c); n > 0 {
		parts = append(parts, words.Grouped(n)+" accepted as unseen")
	}
	if len(parts) == 0 {
		parts = append(parts, "nothing listens")
	}
	if apart > 0 {
		parts = append(parts, fmt.Sprintf("%d more in other network namespaces, which are not judged", apart))
	}
	return strings.Join(parts, "; ")
}

// apart returns how many ports are in other network namespaces, and not passed on.
func (v *View) apart() int {
	n := 0
	for i := range v.Hosts {
		for j := range v.Hosts[i].Ports {
			if p := v.Hosts[i].Ports[j].Port; p != nil && p.Socket != nil && p.Socket.Apart() {
				n++
			}
		}
	}
	return n
}

// acceptedPairs returns how many pairs are not counted because the policy accepts
// that their host cannot be assessed, as far as recorded.
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
	var list []string
	for _, n := range []struct {
		count uint64
		word  string
	}{{c.Open, "open"}, {c.Closed, "closed"}, {c.Filtered, "filtered"}, {c.Unknown, "unknown"}} {
		if n.count > 0 {
			list = append(list, words.Grouped(n.count)+" "+n.word)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return ": " + strings.Join(list, ", ")
}

// pairs returns a number of pairs with the unit.
func pairs(n uint64) string {
	if n == 1 {
		return "1 pair"
	}
	return words.Grouped(n) + " pairs"
}

// briefPorts is the maximum length of a list of ports, in bytes; a longer one is
// replaced by its count.
const briefPorts = 60

// Provenance says which program scanned what, when and from where.
func (v *View) Provenance() string {
	s := "mxsweep " + v.Tool.Version + ", vantage " + v.Run.Vantage + v.Loopback()
	if OfFiles(&v.Run) {
		return s + ", paths " + v.Run.Scope.Name + ", " + words.Period(v.Run.StartTime, v.Run.EndTime) + v.asOf()
	}
	if OfSockets(&v.Run) {
		return s + ", machine " + v.Run.Scope.Name + ", " + words.Period(v.Run.StartTime, v.Run.EndTime) + v.asOf()
	}
	if v.Run.Scope.Name != "" {
		s += ", scope " + v.Run.Scope.Name
	}
	if n := v.Run.Scope.Addresses; n == 1 {
		s += ", 1 address"
	} else {
		s += ", " + words.Grouped(n) + " addresses"
	}
	if index, count, ok := strings.Cut(v.Run.Shard, "/"); ok {
		s += ", shard " + index + " of " + count
	}
	switch ports := v.Run.Scope.Ports; {
	case len(ports) > briefPorts:
		s += ", " + wording.Plural(CountPorts(ports), "port")
	case ports != "":
		s += ", " + wording.Ports(ports) + " " + ports
	}
	s += ", " + words.Period(v.Run.StartTime, v.Run.EndTime)
	return s + v.asOf()
}

// asOf says at which time accepted risks had to be valid, "" if it is that of the run.
func (v *View) asOf() string {
	if v.Run.Now.IsZero() {
		return ""
	}
	return ", assessed as of " + wording.Moment(v.Run.Now.Time) + " (--now)"
}

// Loopback says from which vantage point findings on loopback were judged, if
// that is not the host; "" if there are none. It counts findings that are not
// shown, too.
func (v *View) Loopback() string {
	const host, internet = string(exposure.ClassHost), string(exposure.ClassInternet)
	if slices.Contains(strings.Split(v.Run.Vantage, "+"), host) {
		return ""
	}
	for i := range v.findings {
		f := &v.findings[i]
		if !f.IP.IsLoopback() {
			continue
		}
		switch f.Vantage {
		case host:
			return " (loopback addresses as " + host + ")"
		case internet: // the demo; the advice to bind 127.0.0.1 else reads as if it were done
			return " (" + f.IP.String() + " stands for a public address)"
		}
	}
	return ""
}

// Baseline says with what the run was compared; "" without a baseline.
func (v *View) Baseline() string {
	b := v.Run.Baseline
	s := b.SHA256[:min(12, len(b.SHA256))]
	if !b.Created.IsZero() {
		s += " of " + wording.Moment(b.Created.Time)
	}
	if !b.Comparable {
		s += ", not comparable"
		if b.Why != "" {
			s += ": " + b.Why
		}
	}
	return s
}

// A Caveat is one line about what the run does not know.
type Caveat struct {
	Level result.Level
	Text  string
}

// Unseen returns what was not seen, and the notices, errors first.
func (v *View) Unseen() []Caveat {
	var list []Caveat
	routed := !slices.ContainsFunc(v.notices, func(n result.Notice) bool { return n.Code == exposure.NoticeNoRoute })
	for _, why := range sortedKeys(v.unassessed) {
		if v.unassessed[why].unrouted && !routed || why == unassessedSkipped && v.explainedByNotice(v.unassessed[why].hosts) {
			continue // there is a notice about it
		}
		list = append(list, Caveat{result.LevelWarning, fmt.Sprintf("%s could not be assessed: %s", v.unassessed[why], why)})
	}
	for _, n := range v.notices {
		text := n.Code + " " + n.Message
		if n.Anchor != nil {
			text += fmt.Sprintf(" (%s:%d)", n.Anchor.File, n.Anchor.Line)
		}
		list = append(list, Caveat{n.Level, text})
	}
	slices.SortStableFunc(list, func(a, b Caveat) int {
		return b.Level.Compare(a.Level)
	})
	return list
}

// Obstacle returns the code of the first notice that makes the run incomplete; ""
// if it is complete.
func (v *View) Obstacle() string {
	if !v.Sum.Partial() {
		return ""
	}
	for _, n := range v.notices {
		if n.Level == result.LevelError {
			return n.Code
		}
	}
	return ""
}

// explainedByNotice reports whether each host has a notice that explains its unknown ports.
func (v *View) explainedByNotice(hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(host string) bool {
		return !slices.ContainsFunc(v.notices, func(n result.Notice) bool {
			return n.Target == host && (n.Code == exposure.NoticeWildcard || n.Code == exposure.NoticeUnresponsiveHost)
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

// Example returns the rule and the port for an example in a hint: those of the
// most urgent finding, otherwise the first open port.
func (v *View) Example() (rule string, port uint16) {
	if len(v.Hosts) == 0 {
		return "", 0
	}
	p := &v.Hosts[0].Ports[0]
	if len(p.Findings) > 0 {
		if rule = p.Findings[0].Rule; p.Findings[0].OfRecords() {
			return rule, 0
		}
	}
	return rule, p.Num
}

// CountPorts returns the number of ports in a list such as "25,10024-10031"; 0 if
// it is invalid.
func CountPorts(spec string) int {
	n := 0
	for part := range strings.SplitSeq(spec, ",") {
		from, to, _ := strings.Cut(part, "-")
		a, err1 := strconv.ParseUint(from, 10, 16)
		b, err2 := strconv.ParseUint(cmp.Or(to, from), 10, 16)
		if err1 != nil || err2 != nil || b < a {
			return 0
		}
		n += int(b-a) + 1
	}
	return n
}
