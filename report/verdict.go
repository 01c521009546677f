package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// verdict says in one sentence what came out. A run that fails may have seen
// too little as well.
func (v *view) verdict() string {
	s := v.outcome()
	if v.sum.Gate == GateFail && v.sum.partial() {
		s = strings.TrimRight(s, ".") + "; the run saw too little to say that this is all"
	}
	return s
}

func (v *view) outcome() string {
	if r := v.sum.Reason; r != "" {
		return r
	}
	gate := cmp.Or(v.sum.FailOn, "the gate")
	switch v.sum.Gate {
	case GatePass:
		if gate == "none" {
			return "no finding fails this run, as its gate is none"
		}
		return "no finding meets " + gate
	case GateFail:
		total := plural(v.sum.BySeverity.Total(), "finding")
		if v.failing == 0 {
			return fmt.Sprintf("%s, at least one meets %s", total, gate)
		}
		return fmt.Sprintf("%d of %s %s %s", v.failing, total, map[bool]string{true: "meets", false: "meet"}[v.failing == 1], gate)
	case GateIncomplete:
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
	add(d.New, driftNew)
	add(d.Unchanged, driftUnchanged)
	add(d.Updated, driftUpdated)
	add(d.Fixed, driftFixed)
	add(d.Unverified, driftUnverified)
	add(d.Expired, driftExpired)
	add(d.Reopened, driftReopened)
	add(v.sum.Accepted, "accepted")
	return strings.Join(words, ", ")
}

// coverage says how much of what was planned was answered.
func (v *view) coverage() string {
	c := v.sum.Coverage
	var s string
	switch {
	case c.Planned > 0:
		s = fmt.Sprintf("%d of %d ports answered (%s)", c.Answered, c.Planned, percent(c.Ratio))
	case !v.sum.Complete:
		s = fmt.Sprintf("%s answered, of how many is not recorded", plural(int(c.Answered), "port"))
	default:
		s = "nothing was planned"
	}
	if c.HostsUp+c.HostsSilent > 0 {
		s += fmt.Sprintf(", %s up, %d silent", plural(c.HostsUp, "host"), c.HostsSilent)
	}
	if c.CanariesOK != nil {
		s += map[bool]string{true: ", canaries answer", false: ", a canary is silent"}[*c.CanariesOK]
	}
	if !v.sum.Complete {
		s += "; the run is not complete"
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
	s := "mxsweep " + v.tool.Version + ", vantage " + v.run.Vantage
	if v.run.Scope.Name != "" {
		s += ", scope " + v.run.Scope.Name
	}
	if n := v.run.Scope.Addresses; n == 1 {
		s += ", 1 address"
	} else {
		s += fmt.Sprintf(", %d addresses", n)
	}
	switch ports := v.run.Scope.Ports; {
	case len(ports) > briefPorts:
		s += ", " + plural(countPorts(ports), "port")
	case ports != "":
		s += ", ports " + ports
	}
	return s + ", " + period(v.run.StartTime, v.run.EndTime)
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
	level string
	text  string
}

// unseen lists what was not seen, and the notices, errors first.
func (v *view) unseen() []remark {
	var list []remark
	for _, why := range sortedKeys(v.unjudged) {
		list = append(list, remark{"warning", fmt.Sprintf("%s could not be judged: %s", v.unjudged[why], why)})
	}
	for _, n := range v.notices {
		text := n.Code + " " + n.Message
		if n.Anchor != nil {
			text += fmt.Sprintf(" (%s:%d)", n.Anchor.File, n.Anchor.Line)
		}
		list = append(list, remark{n.Level, text})
	}
	slices.SortStableFunc(list, func(a, b remark) int {
		return cmp.Compare(slices.Index(knownLevels, b.level), slices.Index(knownLevels, a.level))
	})
	return list
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
