package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A merger makes one run of several.
type merger struct {
	rules    *exposure.RuleSet
	policy   *exposure.Policy   // nil if there is none
	baseline *exposure.Baseline // nil if there is none
	gate     exposure.Gate
	now      time.Time
	runs     []*savedRun // in the order of the command line
	once     bool        // the findings of the runs are not needed any more once they were judged

	shards  map[sweepKey]int  // how many shards each sweep has; 1 if it was not split
	differ  []exposure.Notice // in what the runs differ
	missing []exposure.Notice // shards that no run stands for
}

// A sweepKey tells the sweeps apart that runs are parts of.
type sweepKey struct{ scope, vantage string }

// keyOf is the sweep that a run is a part of.
func keyOf(r *savedRun) sweepKey { return sweepKey{r.run.Scope.SHA256, r.run.Vantage} }

// compared reports whether each run was compared with a baseline.
func (m *merger) compared() bool {
	return len(m.runs) > 0 && !slices.ContainsFunc(m.runs, func(r *savedRun) bool { return r.run.Baseline == nil })
}

// check refuses runs that are no parts of one, and notes in what the others
// differ and which shards are missing.
func (m *merger) check() error {
	const once = "name each run once"
	var errs []error
	seen := map[string]string{}
	for _, r := range m.runs {
		for _, id := range append([]string{r.run.ID}, r.run.Merged...) {
			if first, ok := seen[id]; ok {
				errs = append(errs, usagef(once, "merging %q: it holds run %s, which %q holds as well", r.file, id, first))
			}
			seen[id] = r.file
		}
	}
	m.shards = map[sweepKey]int{}
	sweeps := map[sweepKey][]*savedRun{}
	var order []sweepKey
	for _, r := range m.runs {
		key := keyOf(r)
		if len(sweeps[key]) == 0 {
			order = append(order, key)
		}
		sweeps[key] = append(sweeps[key], r)
		_, m.shards[key] = partOf(r)
	}
	for _, key := range order {
		errs = append(errs, m.checkShards(sweeps[key]))
	}
	errs = append(errs, m.checkShardPorts())
	m.noteDifferences()
	return errors.Join(errs...)
}

// partOf reads which shard a run is: 1 of 1 for the whole.
func partOf(r *savedRun) (index, count int) {
	i, n, ok := strings.Cut(r.run.Shard, "/")
	index, err1 := strconv.Atoi(i)
	count, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || index < 1 || index > count {
		return 1, 1
	}
	return index, count
}

// maxMissing is how many missing shards are named one by one.
const maxMissing = 100

// checkShards looks at the runs of one sweep, seen from one vantage point.
func (m *merger) checkShards(runs []*savedRun) error {
	first := runs[0]
	_, count := partOf(first)
	have := map[int]*savedRun{}
	for _, r := range runs {
		i, n := partOf(r)
		switch before := have[i]; {
		case n != count:
			return usagef("merge the shards of one sweep: all I of one N", "merging %q: it is shard %s, and %q is shard %s of the same sweep", r.file, shardName(r), first.file, shardName(first))
		case before != nil && n == 1:
			return usagef("merge the newer one alone; scanners at different places need vantage points of different names", "merging %q: it is the same sweep as %q, from the same vantage point", r.file, before.file)
		case before != nil:
			return usagef("merge the newer one alone", "merging %q: it is shard %s, as %q is", r.file, shardName(r), before.file)
		}
		have[i] = r
	}
	for i := 1; i <= count && len(m.missing) < maxMissing; i++ {
		if have[i] == nil {
			m.missing = append(m.missing, exposure.NewNotice(exposure.NoticeShardMissing, fmt.Sprintf("%d/%d", i, count), nil,
				"Shard %d/%d of the sweep of %s is missing.", i, count, first.run.Scope.Name))
		}
	}
	return nil
}

// shardName is the shard of a run as the flag has it.
func shardName(r *savedRun) string {
	i, n := partOf(r)
	return fmt.Sprintf("%d/%d", i, n)
}

// checkShardPorts refuses shards of what is one sweep but for its ports.
func (m *merger) checkShardPorts() error {
	for i, r := range m.runs {
		for _, o := range m.runs[:i] {
			_, n := partOf(r)
			_, k := partOf(o)
			if n > 1 && n == k && r.run.Scope.Name == o.run.Scope.Name && r.run.Scope.Addresses == o.run.Scope.Addresses &&
				r.run.Vantage == o.run.Vantage && r.run.Scope.Ports != o.run.Scope.Ports {
				return usagef("make all shards with the same ports", "merging %q: its shard asked the ports %s, and that of %q the ports %s", r.file, r.run.Scope.Ports, o.file, o.run.Scope.Ports)
			}
		}
	}
	return nil
}

// noteDifferences notes where runs were made with other ports or versions.
func (m *merger) noteDifferences() {
	for _, what := range []struct {
		name string
		of   func(*savedRun) string
	}{
		{"ports", func(r *savedRun) string { return r.run.Scope.Ports }},
		{"versions", func(r *savedRun) string { return r.tool.Version }},
		{"rules", func(r *savedRun) string { return r.tool.RulesVersion }},
		{"probes", func(r *savedRun) string { return r.tool.ProbesVersion }},
	} {
		var words []string
		values := map[string]bool{}
		for _, r := range m.runs {
			value := what.of(r)
			values[value] = true
			words = append(words, fmt.Sprintf("%q %s", r.file, value))
		}
		if len(values) > 1 {
			m.differ = append(m.differ, exposure.NewNotice(exposure.NoticeRunsDiffer, "", nil, "The runs have different %s: %s.", what.name, strings.Join(words, "; ")))
		}
	}
}

// distinct gives the different values that the runs have, in their order.
func (m *merger) distinct(of func(*savedRun) []string) []string {
	var list []string
	for _, r := range m.runs {
		for _, v := range of(r) {
			if v != "" && !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
	}
	return list
}

// one gives the different values that the runs have as one word.
func (m *merger) one(of func(*savedRun) string) string {
	return strings.Join(m.distinct(func(r *savedRun) []string { return []string{of(r)} }), "+")
}

// run says what was scanned, when and from where, all runs together.
func (m *merger) run(args []string) result.Run {
	run := result.Run{
		ID:            report.NewRunID(),
		Args:          append([]string{"mxsweep"}, exposure.RedactArgs(args)...),
		Vantage:       m.one(func(r *savedRun) string { return r.run.Vantage }),
		Authorization: m.one(func(r *savedRun) string { return r.run.Authorization }),
		Mode:          m.one(func(r *savedRun) string { return r.run.Mode }),
		Merged:        m.distinct(func(r *savedRun) []string { return append([]string{r.run.ID}, r.run.Merged...) }),
		Scope: result.Scope{
			Name:   m.one(func(r *savedRun) string { return r.run.Scope.Name }),
			Files:  m.distinct(func(r *savedRun) []string { return r.run.Scope.Files }),
			Asked:  m.askedHosts(),
			Ports:  scope.FormatPorts(m.ports()),
			SHA256: m.scopeSHA256(),
		},
	}
	scopes := map[string]bool{}
	for _, r := range m.runs {
		if run.StartTime.IsZero() || r.run.StartTime.Before(run.StartTime.Time) {
			run.StartTime = r.run.StartTime
		}
		if r.run.EndTime.After(run.EndTime.Time) {
			run.EndTime = r.run.EndTime
		}
		if !scopes[r.run.Scope.SHA256] { // shards and vantage points share theirs
			scopes[r.run.Scope.SHA256] = true
			run.Scope.Addresses += r.run.Scope.Addresses
			run.Scope.Excluded += r.run.Scope.Excluded
		}
		for _, rule := range r.run.Rules {
			if !slices.ContainsFunc(run.Rules, func(o result.Rule) bool { return o.ID == rule.ID }) {
				run.Rules = append(run.Rules, rule)
			}
		}
	}
	run.Rules = append(run.Rules, slices.DeleteFunc(report.NewRules(m.rules), func(rule result.Rule) bool {
		return slices.ContainsFunc(run.Rules, func(o result.Rule) bool { return o.ID == rule.ID })
	})...)
	if m.baseline != nil {
		run.Baseline = &result.Baseline{SHA256: m.baseline.SHA256, Created: result.NewTime(m.baseline.Created), Comparable: true}
	} else if m.compared() {
		run.Baseline = m.runs[0].run.Baseline
	}
	return report.NewRun(run)
}

// scopeSHA256 is that of the runs where they share it, else one that is made of
// all of theirs.
func (m *merger) scopeSHA256() string {
	hashes := m.distinct(func(r *savedRun) []string { return []string{r.run.Scope.SHA256} })
	if len(hashes) == 1 {
		return hashes[0]
	}
	slices.Sort(hashes)
	sum := sha256.Sum256([]byte(strings.Join(hashes, "\n")))
	return hex.EncodeToString(sum[:])
}

// ports are those that at least one run asked.
func (m *merger) ports() []uint16 {
	var all []uint16
	for _, r := range m.runs {
		ports, err := scope.ParsePorts(r.run.Scope.Ports, nil)
		if err != nil {
			continue // a run of another tool: it is told as it is
		}
		all = append(all, ports...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
