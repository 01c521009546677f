// Package listening judges what listens on this machine: which process holds each socket,
// which line of which configuration file is to blame, and what others could do with it.
// Nothing is contacted, executed or changed.
package listening

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/sockets"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/configured"
	"github.com/mxsweep/mxsweep/run/saved"
	"github.com/mxsweep/mxsweep/signatures"
)

// An Audit judges what listens on this machine.
type Audit struct {
	Rules  *exposure.RuleSet
	Ports  *signatures.Ports
	Policy *policy.Policy // nil if there is none
	Gate   gate.Criteria  // its minimum coverage is not used
	Now    time.Time      // when accepted risks must be valid

	// Baseline is compared with the findings; nil if there is none.
	Baseline *drift.Baseline

	// Name is the name of the machine in findings, and for the policy.
	Name string

	// MinKnown is the least fraction of the sockets that must be known for a run to be
	// complete, 0 to 1.
	MinKnown float64

	start    time.Time
	snapshot *sockets.Snapshot
	files    *configured.Audit // nil if no configuration was read

	outside   *saved.Outside // nil if there is no scan from outside
	addresses []netip.Addr   // of the scan that lead to this machine

	bound map[place]*sockets.Socket     // which were judged
	lines map[place]*listeners.Listener // that open them
}

// Files returns the configuration files that were read.
func (a *Audit) Files() []string {
	if a.files == nil {
		return nil
	}
	return a.files.Files()
}

// An Outcome is the result of an audit.
type Outcome struct {
	Open     []exposure.Subject   // what listens, each address and port once
	Findings []exposure.Violation // as assessed by the gate
	Paths    []result.Path        // how mail flows, as far as sockets and files say
	Joined   []result.Joined      // what a scan from outside and the machine show together; nil without a scan
	Decision gate.Decision        // with the exit code and the notices
	Summary  result.Summary
}

// vantage is the vantage point of an audit. What others may reach is judged as a
// configuration file is: it is not known who can.
var vantage = exposure.Vantage{Name: exposure.NameSockets, Class: exposure.ClassConfig}

// Conclude judges what listens.
func (a *Audit) Conclude() Outcome {
	var c Outcome
	c.Open = a.subjects()
	j := a.judge()
	a.explain(c.Open)
	var outside *joiner
	if a.outside != nil {
		outside = a.join(c.Open)
		c.Joined = outside.rows()
	}
	var unknown []exposure.Subject
	for i, p := range c.Open {
		if local(&p) {
			continue
		}
		if a.undecided(&p) {
			unknown = append(unknown, p)
		}
		if outside != nil {
			c.Findings = append(c.Findings, outside.findings(j, i)...)
			continue
		}
		c.Findings = append(c.Findings, j.Findings(p)...)
	}
	c.Paths = a.paths(c.Open)
	mailpath.Explain(c.Paths, c.Findings)
	c.Findings = exposure.JoinAddresses(c.Findings)
	facts, told := a.facts(c.Open, unknown, outside)
	if a.Baseline != nil {
		var drifted []result.Notice
		c.Findings, drifted = a.drift(c.Findings, c.Open)
		told = append(told, drifted...)
	}
	criteria := a.Gate
	criteria.MinCoverage = 0 // facts has what is not known
	c.Decision = gate.Decide(criteria, facts, c.Findings)
	c.Decision.Notices = append(c.Decision.Notices, told...)
	entries := a.Policy.HostNotices(c.Decision.Notices, a.Now)
	c.Decision.Notices = append(c.Decision.Notices, entries...)
	c.Summary = a.summary(&c.Decision, facts.Coverage)
	c.Summary.AcceptancesExpired, c.Summary.AcceptancesUnused = policy.Tally(entries)
	return c
}

// paths returns how mail flows through the machine; nil if that is not known.
func (a *Audit) paths(open []exposure.Subject) []result.Path {
	var ports []result.Port
	for i := range open {
		ports = append(ports, open[i].Port())
	}
	var files *listeners.Config
	if a.files != nil {
		files = a.files.Config()
	}
	if p := mailpath.OfHost(ports, files, a.Ports); p != nil {
		return []result.Path{*p}
	}
	return nil
}

// explain adds what the file says to the ports of which the line is known.
func (a *Audit) explain(open []exposure.Subject) {
	for i := range open {
		p := &open[i]
		if line := a.lines[placeOf(p)]; line != nil && !local(p) && p.Socket.Through == "" {
			p.OpenedBy, p.Fix = a.files.Line(line)
			p.Root = a.files.Root()
		}
	}
}

// judge returns the judge for this machine.
func (a *Audit) judge() *exposure.Judge {
	profiles := a.Ports.ProfilePorts()
	j := &exposure.Judge{Rules: a.Rules, Vantage: vantage, Now: a.Now, Knowledge: exposure.NewPortSets(profiles["internal"], profiles["public"])}
	if a.Policy != nil {
		j.Policy = a.Policy
	}
	return j
}

// local reports whether only this machine, or the networks of a container, can reach a
// port.
func local(p *exposure.Subject) bool { return p.Socket.Loopback() || p.Socket.Apart() }

// undecided reports whether a port is one that mail systems use inside a host, and neither
// the system nor a configuration file says who listens there.
func (a *Audit) undecided(p *exposure.Subject) bool { return a.internal(p) != 0 && unnamed(p) }

// internal returns the port that mail systems use inside a host: the port itself, or the one to
// which it is passed on; 0 if neither is one.
func (a *Audit) internal(p *exposure.Subject) uint16 {
	numbers := []uint16{p.Target.Port()}
	if to, err := netip.ParseAddrPort(p.Socket.To); err == nil {
		numbers = append(numbers, to.Port())
	}
	for _, n := range numbers {
		if known, ok := a.Ports.Lookup(n); ok && known.Internal {
			return n
		}
	}
	return 0
}

// unnamed reports whether neither the system nor a configuration file says who listens on a
// port.
func unnamed(p *exposure.Subject) bool { return p.Socket.Hidden() && p.Anchor == nil }

// facts returns what the gate needs to know, and notices that do not matter to it.
func (a *Audit) facts(open, unknown []exposure.Subject, outside *joiner) (gate.RunFacts, []result.Notice) {
	f := gate.RunFacts{Coverage: gate.PairCounts{HostsUp: 1}, Offline: true}
	var told, missing []result.Notice
	accepted := a.Policy.AcceptsNotice(exposure.NoticeUnseen, netip.Addr{}, []string{a.Name}, a.Now)
	unseen := func(n result.Notice) {
		if accepted == nil {
			missing = append(missing, n)
			return
		}
		told = append(told, exposure.AcceptNotice(n, accepted))
		f.Coverage.Accepted++
	}
	for i := range unknown {
		p := &unknown[i]
		unseen(exposure.NewNotice(exposure.NoticeUnseen, a.Name, nil,
			"Who listens on %s could not be seen, and mail systems use port %d inside a host.", p.Socket.Bound, a.internal(p)))
	}
	containers := slices.ContainsFunc(a.snapshot.Sockets, func(s sockets.Socket) bool { return !s.Own() })
	for _, g := range a.snapshot.Gaps {
		n := exposure.NewNotice(exposure.NoticeUnseen, a.Name, nil, "Not seen: %s%s.", g.Problem, cause(g.Err))
		if g.Kind == sockets.GapForwards && containers || g.Kind == sockets.GapLimit {
			unseen(n)
			continue
		}
		n.Level = result.LevelNote
		told = append(told, n)
	}
	told = append(told, a.undecidedFiles()...)
	if outside != nil {
		for _, n := range outside.unjudged {
			unseen(n)
		}
		elsewhere, more := outside.notices()
		missing, told = append(missing, elsewhere...), append(told, more...)
	}
	own := 0 // the others are judged where they are passed on
	for i := range open {
		if !open[i].Socket.Apart() {
			own++
		}
	}
	f.Coverage.Open = uint64(own - len(unknown))
	f.Coverage.Planned = f.Coverage.Open + uint64(len(missing))
	if f.Coverage.Planned == 0 {
		f.Coverage.Planned, f.Coverage.Closed = 1, 1 // nothing listens, which is an answer
	}
	if f.Coverage.Ratio() < a.MinKnown {
		f.Incomplete = missing
		return f, told
	}
	for _, n := range missing {
		n.Level = result.LevelWarning
		told = append(told, n)
	}
	return f, told
}

// helpOfFile is what to do about a problem of a configuration file on the machine itself.
const helpOfFile = "What listens here is known without it; the line that opens a port may be missing. If a file could not be read, run mxsweep host as root."

// undecidedFiles returns a note for each problem of a configuration file because of which the
// line that opens a port may not be known. What listens is known without it.
func (a *Audit) undecidedFiles() []result.Notice {
	if a.files == nil {
		return nil
	}
	list := a.files.Undecided()
	for i := range list {
		list[i] = exposure.WithHelp(list[i], helpOfFile)
		list[i].Level = result.LevelNote
		if accepted := a.Policy.AcceptsNotice(list[i].Code, netip.Addr{}, []string{list[i].Target}, a.Now); accepted != nil {
			list[i] = exposure.AcceptNotice(list[i], accepted)
		}
	}
	return list
}

// cause returns the cause of a gap for a message.
func cause(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(" (%v)", err)
}

// summary returns the summary of the audit.
func (a *Audit) summary(v *gate.Decision, c gate.PairCounts) result.Summary {
	return result.Summary{
		Complete: v.Complete, Incomplete: v.Incomplete, ExitCode: int(v.Code), Gate: v.Gate, FailOn: a.Gate.FailOn.String(), Reason: v.Reason,
		Coverage: result.Coverage{Planned: c.Planned, Answered: c.Conclusive(), Ratio: c.Ratio(), HostsUp: int(c.HostsUp), CoverageCounts: report.NewCoverageCounts(c)},
	}
}
