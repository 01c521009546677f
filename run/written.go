package run

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"time"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/redact"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// summary returns the summary of the run; up are the hosts that were up.
func (p *Plan) summary(v gate.Decision, facts gate.RunFacts, up []string) result.Summary {
	c := facts.Coverage
	s := result.Summary{
		Complete: v.Complete, Incomplete: v.Incomplete,
		ExitCode: int(v.Code),
		Gate:     v.Gate,
		FailOn:   p.gate.FailOn.String(),
		Reason:   v.Reason,
		Coverage: result.Coverage{
			Planned: c.Planned, Answered: c.Conclusive(), Ratio: c.Ratio(),
			HostsUp: int(c.HostsUp), HostsSilent: int(min(c.HostsSilent, math.MaxInt)),
			CoverageCounts: report.NewCoverageCounts(c), Parts: lineParts(facts.Parts), Up: up,
		},
	}
	if len(facts.Canaries) > 0 {
		s.Coverage.CanariesOK, s.Coverage.CanariesOwn = &v.CanariesOK, v.CanariesOwn
	}
	return s
}

// lineParts returns what a shard found in scope lines that it shares with others,
// as reports have it.
func lineParts(lines []gate.ScopeLine) []result.LinePart {
	var parts []result.LinePart
	for _, l := range lines {
		parts = append(parts, result.LinePart{Line: sanitize.Text(l.Text, maxLineText), Range: l.Range.String(), MinHosts: l.MinHosts, HostsUp: l.Up})
	}
	return parts
}

// maxLineText is the maximum length of a scope line in a report, in characters.
const maxLineText = 200

// reportTool returns the name and versions of this program for reports.
func (p *Plan) reportTool() result.Tool {
	tool := result.Tool{Name: "mxsweep", Version: p.opts.Version, RulesVersion: exposure.RulesVersion}
	if p.set != nil {
		tool.ProbesVersion = p.set.ProbesVersion
	}
	return tool
}

// reportRun returns what is scanned, when, from where and who authorized it.
func (p *Plan) reportRun(start time.Time, mode string) result.Run {
	name := "command-line"
	var files []string
	for _, f := range p.scopeFiles {
		if name = "stdin"; f != "-" {
			name = p.tree.Path(f)
			files = append(files, name)
		}
	}
	run := result.Run{
		ID:            report.NewRunID(),
		StartTime:     result.NewTime(start),
		Args:          p.opts.redacted(),
		Vantage:       p.vantage().String(),
		Authorization: redact.Args([]string{p.opts.Authorization})[0],
		Mode:          mode,
		Shard:         p.opts.Shard.part(),
		Scope: result.Scope{
			Name: name, SHA256: p.scopeSHA256, Files: files, Ports: scope.FormatPorts(p.sweptPorts()),
			Addresses: p.scope.Addresses(), Excluded: p.scope.Excluded(), TargetsSHA256: p.targetsSHA256(), Asked: p.askedHosts(),
		},
	}
	if !p.opts.Now.IsZero() {
		run.Now = result.NewTime(p.opts.Now)
	}
	if p.drift != nil {
		ok, why := p.drift.Comparable()
		run.Baseline = &result.BaselineInfo{SHA256: p.baseline.SHA256, Created: result.NewTime(p.baseline.Created), Comparable: ok, Why: why}
	}
	return report.Clean(run, "")
}

// targetsSHA256 returns the hash of the targets as named: targets on the command
// line, and names of files, so that editing a file does not change it. It is ""
// if the whole scope is swept.
func (p *Plan) targetsSHA256() string {
	var names []string
	for _, t := range p.asked {
		if t.Anchor.File == "" {
			names = append(names, t.Anchor.Text)
		}
	}
	if len(names) > 0 || len(p.scopeFiles) > 1 { // the name of the scope is that of one file
		for _, file := range p.opts.TargetFiles {
			names = append(names, p.tree.Path(file))
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(names), "\n")))
	return hex.EncodeToString(sum[:])
}

// sweptPorts returns the ports that are probed: those of the run, and those of
// targets with ports.
func (p *Plan) sweptPorts() []uint16 {
	all := scope.UnionPorts(func(yield func(scope.PortSet) bool) {
		for _, t := range p.asked {
			if t.Bulk != nil {
				for set := range t.Bulk.PortSets() {
					if !yield(set) {
						return
					}
				}
			} else if !yield(t.Ports) {
				return
			}
		}
	}).Ports()
	general := slices.ContainsFunc(p.asked, withoutPorts)
	if general || len(all) == 0 {
		all = append(all, p.ports...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// withoutPorts reports whether a target, or one of those stored in bulk, has no
// ports of its own.
func withoutPorts(t scope.Target) bool {
	if t.Bulk == nil {
		return t.Ports.Empty()
	}
	for set := range t.Bulk.PortSets() {
		if set.Empty() {
			return true
		}
	}
	return false
}

// vantage returns the vantage point: the host itself if only addresses of this
// machine are probed and there is no flag.
func (p *Plan) vantage() exposure.Vantage {
	host := len(p.asked) > 0 && p.judge.VantageOf != nil
	for _, t := range p.asked {
		for _, r := range t.Ranges {
			host = host && r.From() == r.To() && p.judge.VantageOf(r.From()).Class == exposure.ClassHost
		}
		host = host && (len(t.Ranges) > 0 || t.Bulk != nil)
		if host && t.Bulk != nil {
			for _, r := range t.Bulk.Ranges() {
				if host = host && r.From() == r.To() && p.judge.VantageOf(r.From()).Class == exposure.ClassHost; !host {
					break
				}
			}
		}
	}
	if host {
		return exposure.Vantage{Class: exposure.ClassHost}
	}
	return p.judge.Vantage
}

// askedHosts returns the addresses that the sweep probes, in all shards, and
// their names; nil if there are too many.
func (p *Plan) askedHosts() []string {
	var list []string
	for r := range p.wholeSpace.Ranges() {
		if len(list) == report.MaxHosts {
			return nil
		}
		list = append(list, result.FormatRange(r))
	}
	for name, a := range p.scope.Named() {
		if p.wholeSpace.HostsIn(netipx.IPRangeFrom(a, a)) == 0 || slices.Contains(list, name) {
			continue
		}
		if len(list) == report.MaxHosts {
			return nil
		}
		list = append(list, name)
	}
	return report.NewHosts(list)
}

// upHosts returns the hosts that are up; nil if there are none, or too many.
func (w *sweep) upHosts() []string {
	var list []string
	for r := range w.counter.UpRanges() {
		if len(list) == report.MaxHosts {
			return nil
		}
		list = append(list, result.FormatRange(r))
	}
	return list
}
