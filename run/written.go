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

// summary closes the report of a run in which these hosts were up.
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

// lineParts makes the written form of what a shard saw of lines that it shares
// with others.
func lineParts(lines []gate.ScopeLine) []result.LinePart {
	var parts []result.LinePart
	for _, l := range lines {
		parts = append(parts, result.LinePart{Line: sanitize.Text(l.Text, maxLineText), Range: l.Range.String(), MinHosts: l.MinHosts, HostsUp: l.Up})
	}
	return parts
}

// maxLineText is how much of a line of the scope a report tells, in characters.
const maxLineText = 200

// reportTool names this program in reports.
func (p *Plan) reportTool() result.Tool {
	tool := result.Tool{Name: "mxsweep", Version: p.opts.Version, RulesVersion: p.judge.Rules.Version}
	if p.set != nil {
		tool.ProbesVersion = p.set.ProbesVersion
	}
	return tool
}

// reportRun says what is scanned, when, from where and who authorized it.
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

// targetsSHA256 is the hash over the targets as they were named: on the command
// line each, in files the file, so that an edit of one leaves it as it is. It is
// "" where the whole scope is swept.
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

// sweptPorts are the ports that are asked: those of the run, and those that
// targets carry.
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

// withoutPorts reports whether a target, or one of those in bulk, carries no
// ports.
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

// vantage is where the scanner stands: on the host itself if all that is asked
// are addresses of this machine and no flag says otherwise.
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

// askedHosts are the addresses that the sweep asks for something, all shards
// together, and the names that they are asked by; nil if there are too many.
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

// upHosts are the hosts that are up; nil if there are none, or too many.
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
