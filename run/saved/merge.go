package saved

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/redact"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A Merger merges several runs into one.
type Merger struct {
	Rules    *exposure.RuleSet // of this program
	Policy   *policy.Policy    // nil if there is none
	Baseline *drift.Baseline   // nil if there is none
	Gate     gate.Criteria
	Now      time.Time  // time at which accepted risks must be valid
	Runs     []*RunFile // in the order of the command line

	once bool // the findings of the runs are no longer needed after they were judged

	shards  map[sweepKey]int // number of shards of each sweep; 1 if it was not split
	differ  []result.Notice  // differences between the runs
	missing []result.Notice  // shards without a run
}

// A sweepKey identifies the sweep of which a run is a part.
type sweepKey struct{ scope, vantage string }

// keyOf returns the sweep of which a run is a part.
func keyOf(r *RunFile) sweepKey { return sweepKey{r.Record.Scope.SHA256, r.Record.Vantage} }

// Compared reports whether each run was compared with a baseline.
func (m *Merger) Compared() bool {
	return len(m.Runs) > 0 && !slices.ContainsFunc(m.Runs, func(r *RunFile) bool { return r.Record.Baseline == nil })
}

// Check returns an error for runs that cannot be merged, and records differences
// between the others and missing shards.
func (m *Merger) Check() error {
	distinct, errs := m.distinctRuns()
	for _, r := range distinct {
		if view.OfFiles(&r.Record) {
			errs = append(errs, fault.Usagef(`merge runs of "mxsweep scan"; give all files to one "mxsweep config"`, "merging %q: it is a run of configuration files", r.File))
		}
		if view.OfSockets(&r.Record) {
			errs = append(errs, fault.Usagef(`merge runs of "mxsweep scan"; report what listens on each machine on its own`, "merging %q: it is a run of mxsweep host", r.File))
		}
	}
	m.shards = map[sweepKey]int{}
	sweeps := map[sweepKey][]*RunFile{}
	var order []sweepKey
	for _, r := range distinct {
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
	errs = append(errs, checkShardPorts(distinct))
	m.noteDifferences()
	return errors.Join(errs...)
}

// distinctRuns returns the runs without those that are given twice, alone or as a part
// of a merged run. There is one error for each of the latter, because their other
// errors follow from that.
func (m *Merger) distinctRuns() (list []*RunFile, errs []error) {
	seen := map[string]*RunFile{}
	told := map[string]bool{}
	for _, r := range m.Runs {
		var first *RunFile
		for _, id := range append([]string{r.Record.ID}, r.Record.Merged...) {
			if seen[id] != nil && first == nil {
				first = seen[id]
			}
			seen[id] = cmp.Or(seen[id], r)
		}
		switch {
		case first == nil:
			list = append(list, r)
			continue
		case told[r.File]:
			continue
		case r.File == first.File:
			errs = append(errs, fault.Usagef("give each run only once", "merging %q: the file is given more than once", r.File))
		case r.Record.ID == first.Record.ID:
			errs = append(errs, fault.Usagef("give each run only once", "merging %q: it is the same run as %q", r.File, first.File))
		default:
			errs = append(errs, fault.Usagef("give each run only once, alone or as part of a merged run", "merging %q: it contains a run that %q also contains", r.File, first.File))
		}
		told[r.File] = true
	}
	return list, errs
}

// partOf returns the shard of a run: 1 of 1 for the whole sweep.
func partOf(r *RunFile) (index, count int) {
	i, n, ok := strings.Cut(r.Record.Shard, "/")
	index, err1 := strconv.Atoi(i)
	count, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || index < 1 || index > count {
		return 1, 1
	}
	return index, count
}

// maxMissing is the maximum number of missing shards that are listed.
const maxMissing = 100

// checkShards checks the runs of one sweep from one vantage point.
func (m *Merger) checkShards(runs []*RunFile) error {
	first := runs[0]
	_, count := partOf(first)
	have := map[int]*RunFile{}
	for _, r := range runs {
		i, n := partOf(r)
		switch before := have[i]; {
		case n != count:
			return fault.Usagef("merge the shards of one sweep: all I of the same N", "merging %q: it is shard %s, and %q is shard %s of the same sweep", r.File, shardName(r), first.File, shardName(first))
		case before != nil && n == 1:
			return fault.Usagef("merge only the newer one; scanners in different places need vantage points with different names", "merging %q: it is the same sweep as %q, from the same vantage point", r.File, before.File)
		case before != nil:
			return fault.Usagef("merge only the newer one", "merging %q: it is shard %s, as %q is", r.File, shardName(r), before.File)
		}
		have[i] = r
	}
	for i := 1; i <= count && len(m.missing) < maxMissing; i++ {
		if have[i] == nil {
			m.missing = append(m.missing, exposure.NewNotice(exposure.NoticeShardMissing, fmt.Sprintf("%d/%d", i, count), nil,
				"Shard %d/%d of the sweep of %s is missing.", i, count, first.Record.Scope.Name))
		}
	}
	return nil
}

// shardName returns the shard of a run as in the flag.
func shardName(r *RunFile) string {
	i, n := partOf(r)
	return fmt.Sprintf("%d/%d", i, n)
}

// checkShardPorts returns an error for shards of sweeps that differ only in their
// ports.
func checkShardPorts(runs []*RunFile) error {
	for i, r := range runs {
		for _, o := range runs[:i] {
			_, n := partOf(r)
			_, k := partOf(o)
			if n > 1 && n == k && r.Record.Scope.Name == o.Record.Scope.Name && r.Record.Scope.Addresses == o.Record.Scope.Addresses &&
				r.Record.Vantage == o.Record.Vantage && r.Record.Scope.Ports != o.Record.Scope.Ports {
				return fault.Usagef("scan all shards with the same ports", "merging %q: its shard has the %s %s, and that of %q the %s %s", r.File, wording.Ports(r.Record.Scope.Ports), r.Record.Scope.Ports, o.File, wording.Ports(o.Record.Scope.Ports), o.Record.Scope.Ports)
			}
		}
	}
	return nil
}

// noteDifferences records that runs have other ports or versions.
func (m *Merger) noteDifferences() {
	for _, what := range []struct {
		name string
		of   func(*RunFile) string
	}{
		{"ports", func(r *RunFile) string { return r.Record.Scope.Ports }},
		{"versions", func(r *RunFile) string { return r.tool.Version }},
		{"rules", func(r *RunFile) string { return r.tool.RulesVersion }},
		{"probes", func(r *RunFile) string { return r.tool.ProbesVersion }},
	} {
		var words []string
		values := map[string]bool{}
		for _, r := range m.Runs {
			value := what.of(r)
			values[value] = true
			words = append(words, fmt.Sprintf("%q %s", r.File, value))
		}
		if len(values) > 1 {
			m.differ = append(m.differ, exposure.NewNotice(exposure.NoticeRunsDiffer, "", nil, "The runs have different %s: %s.", what.name, strings.Join(words, "; ")))
		}
	}
}

// distinct returns the distinct values of the runs, in their order.
func (m *Merger) distinct(of func(*RunFile) []string) []string {
	var list []string
	for _, r := range m.Runs {
		for _, v := range of(r) {
			if v != "" && !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
	}
	return list
}

// one returns the distinct values of the runs as one string.
func (m *Merger) one(of func(*RunFile) string) string {
	return strings.Join(m.distinct(func(r *RunFile) []string { return []string{of(r)} }), "+")
}

// run returns what was scanned by all runs together, when and from where.
func (m *Merger) run(args []string) result.Run {
	run := result.Run{
		ID:            report.NewRunID(),
		Args:          append([]string{"mxsweep"}, redact.Args(args)...),
		Vantage:       m.one(func(r *RunFile) string { return r.Record.Vantage }),
		Authorization: m.one(func(r *RunFile) string { return r.Record.Authorization }),
		Mode:          m.one(func(r *RunFile) string { return r.Record.Mode }),
		Merged:        m.distinct(func(r *RunFile) []string { return append([]string{r.Record.ID}, r.Record.Merged...) }),
		Scope: result.Scope{
			Name:   m.one(func(r *RunFile) string { return r.Record.Scope.Name }),
			Files:  m.distinct(func(r *RunFile) []string { return r.Record.Scope.Files }),
			Asked:  m.askedHosts(),
			Ports:  scope.FormatPorts(m.ports()),
			SHA256: m.scopeSHA256(),
		},
	}
	if !slices.ContainsFunc(m.Runs, func(r *RunFile) bool { return r.Record.EndTime.IsZero() }) { // otherwise it is not known
		for _, r := range m.Runs {
			if r.Record.EndTime.After(run.EndTime.Time) {
				run.EndTime = r.Record.EndTime
			}
		}
	}
	scopes := map[string]bool{}
	for _, r := range m.Runs {
		if run.StartTime.IsZero() || r.Record.StartTime.Before(run.StartTime.Time) {
			run.StartTime = r.Record.StartTime
		}
		if !scopes[r.Record.Scope.SHA256] { // shards and vantage points share it
			scopes[r.Record.Scope.SHA256] = true
			run.Scope.Addresses += r.Record.Scope.Addresses
			run.Scope.Excluded += r.Record.Scope.Excluded
		}
		for _, rule := range r.Record.Rules {
			if !slices.ContainsFunc(run.Rules, func(o result.RuleInfo) bool { return o.ID == rule.ID }) {
				run.Rules = append(run.Rules, rule)
			}
		}
	}
	run.Rules = append(run.Rules, m.Rules.Infos(func(id string) bool {
		return !slices.ContainsFunc(run.Rules, func(o result.RuleInfo) bool { return o.ID == id })
	})...)
	if m.Baseline != nil {
		run.Baseline = &result.BaselineInfo{SHA256: m.Baseline.SHA256, Created: result.NewTime(m.Baseline.Created), Comparable: true}
	} else if m.Compared() {
		run.Baseline = m.Runs[0].Record.Baseline
	}
	return report.Clean(run, "")
}

// scopeSHA256 returns the hash of the runs' scope if they share it, otherwise a
// hash of all their hashes.
func (m *Merger) scopeSHA256() string {
	hashes := m.distinct(func(r *RunFile) []string { return []string{r.Record.Scope.SHA256} })
	if len(hashes) == 1 {
		return hashes[0]
	}
	slices.Sort(hashes)
	sum := sha256.Sum256([]byte(strings.Join(hashes, "\n")))
	return hex.EncodeToString(sum[:])
}

// ports returns the ports that at least one run probed.
func (m *Merger) ports() []uint16 {
	var all []uint16
	for _, r := range m.Runs {
		ports, err := scope.ParsePorts(r.Record.Scope.Ports, nil)
		if err != nil {
			continue // a run of another tool: its ports are reported as they are
		}
		all = append(all, ports...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
