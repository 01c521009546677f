package gate

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
)

// An ExitCode is how a run ends for the caller.
type ExitCode int

// The exit codes, as contract and manual have them. Where several hold, the
// first of refused, usage, error, fail, incomplete and pass wins.
const (
	ExitPass       ExitCode = 0
	ExitFail       ExitCode = 1
	ExitUsage      ExitCode = 2
	ExitError      ExitCode = 3
	ExitIncomplete ExitCode = 4
	ExitRefused    ExitCode = 5
)

// precedence lists the codes, the one that wins first.
var precedence = []ExitCode{ExitRefused, ExitUsage, ExitError, ExitFail, ExitIncomplete, ExitPass}

// Worse gives the code that wins where both hold. A signal (128 and more) wins
// over all.
func Worse(a, b ExitCode) ExitCode {
	if a >= 128 || b >= 128 {
		return max(a, b)
	}
	for _, c := range precedence {
		if a == c || b == c {
			return c
		}
	}
	return ExitError
}

// DefaultMinCoverage is the floor where nothing else is said.
const DefaultMinCoverage = 0.95

// Criteria are what decides how a run ends. The zero Criteria fail on
// policy.DefaultFailOn and have no floor of coverage; even so a run that saw
// nothing never passes.
type Criteria struct {
	FailOn policy.FailOn

	// FailOnAt is where FailOn stands in the policy, nil if it is not from there.
	FailOnAt *userfile.Mark

	// MinCoverage is the least ratio of conclusive to planned pairs, 0 to 1.
	MinCoverage float64

	// MinHosts is the least number of hosts that must be up.
	MinHosts uint64

	// MinConfidence is from 0 to 10; findings below it are reported and fail
	// nothing.
	MinConfidence int

	// SoftFail turns a fail into a pass (and nothing else).
	SoftFail bool
}

// RunFacts are all that a run learned about itself.
type RunFacts struct {
	Coverage   PairCounts
	Unknown    *UnknownPairs  // pairs without a conclusive result; nil for none
	Silent     []SilentTarget // targets of their own that are not up
	Short      []ScopeLine    // with fewer hosts up than there must be
	Parts      []ScopeLine    // of which this shard asked a part; the gate leaves them to a merged run
	Shut       bool           // all targets stopped answering, and did not come back
	Unresolved []UnresolvedName
	EmptyShard bool            // the sweep has pairs, and none of them is in this shard of it
	Canaries   []WatchedCanary // with their answers
	Aborted    error           // why the run ended early, nil if it did not
	Failed     []error         // outputs that could not be written
	Signal     int             // the number of the signal that stopped the run, 0 if none

	// TimeUp is the bound that the user set for the whole run, if that ended
	// it; 0 if it did not.
	TimeUp time.Duration

	// Expired is when the authorization ran out, if that ended the run; the
	// zero Time if it did not.
	Expired time.Time

	// Incomplete are further reasons why too little was seen, each told as it is.
	Incomplete []result.Notice

	// Progress is the file from which the same command goes on, "" if there
	// is none.
	Progress string
}

// stopped reports whether the run was ended before all was asked.
func (s *RunFacts) stopped() bool {
	return s.Signal > 0 || s.TimeUp > 0 || !s.Expired.IsZero() || s.Aborted != nil
}

// ended says what ended the run before all was asked, "" if nothing did.
func (s *RunFacts) ended() string {
	switch {
	case s.Signal > 0:
		return "the run was stopped by " + signalName(s.Signal)
	case s.TimeUp > 0:
		return fmt.Sprintf("the run was stopped after %s by --max-time", s.TimeUp)
	case !s.Expired.IsZero():
		return "the authorization expired at " + wording.Moment(s.Expired)
	case s.Aborted != nil:
		return "the run was aborted"
	}
	return ""
}

// canaryAnswered reports whether a canary on another machine answered whenever
// it was asked.
func (s *RunFacts) canaryAnswered() bool {
	return slices.ContainsFunc(s.Canaries, WatchedCanary.showsNetwork)
}

// A SilentTarget is an address that the user named, of which no packet of its
// own arrived.
type SilentTarget struct {
	Addr   netip.Addr
	Host   string // the name that it was asked for by, "" if there is none
	Names  []string
	Pairs  uint64 // that were asked
	Anchor *result.Anchor

	// Acceptance covers that it is silent; nil if nobody has accepted it.
	Acceptance *result.Acceptance
}

// An UnresolvedName is a name in scope of which no address is known, or perhaps
// not all.
type UnresolvedName struct {
	Name   string
	Reason string // which lookup failed and how, "" if not known
	Anchor *result.Anchor

	// Acceptance covers that it does not resolve; nil if nobody has accepted it.
	Acceptance *result.Acceptance
}

// A Decision is how a run ended.
type Decision struct {
	Code ExitCode

	// Gate is "pass", "fail", "incomplete" or "error". With SoftFail it stays
	// "fail" where the code is 0.
	Gate result.GateResult

	// Complete is false where the run did not look at all that was planned:
	// aborted, stopped or refused.
	Complete bool

	// Incomplete says that too little was seen, also where findings, or an
	// error, decide the code: what is not in the findings may still be there.
	Incomplete bool

	// CanariesOK is false if a canary did not answer.
	CanariesOK bool

	// CanariesOwn is set if canaries answered, and none on another machine: that
	// shows nothing of the network.
	CanariesOwn bool

	// Failing counts the findings that fail the run.
	Failing int

	// Reason says what a pass rests on, where that is little; "" elsewhere.
	Reason string

	Notices []result.Notice // why, each with what to do
}

// Fails reports whether the finding fails the run.
func (g Criteria) Fails(f *exposure.Violation) bool {
	return g.FailOn.Match(f) && f.Confidence >= g.MinConfidence
}

// Decide says how the run ends: the one place that turns what is known of a run
// into its exit code.
func Decide(g Criteria, facts RunFacts, findings []exposure.Violation) Decision {
	v := Decision{Gate: result.GatePass, Complete: true, CanariesOK: true,
		CanariesOwn: !facts.canaryAnswered() && slices.ContainsFunc(facts.Canaries, func(c WatchedCanary) bool { return c.Answered })}
	g.errors(&v, facts)
	for i := range findings {
		g.judge(&v, &findings[i])
	}
	g.unobserved(&v, facts)
	rest := v.Code
	if v.Failing > 0 {
		v.Code = Worse(rest, ExitFail)
	}
	switch v.Code {
	case ExitFail:
		v.Gate = result.GateFail
		if g.SoftFail {
			v.Code = rest // a run that saw too little stays incomplete
		}
	case ExitIncomplete:
		v.Gate = result.GateIncomplete
	case ExitPass:
		v.Reason = g.caveat(&v, facts)
	default:
		v.Gate = result.GateError
	}
	if facts.Signal > 0 {
		v.Code = Worse(v.Code, ExitCode(128+facts.Signal))
	}
	return v
}

// caveat says what a pass rests on, where that is little; "" where it is not.
func (g Criteria) caveat(v *Decision, facts RunFacts) string {
	if facts.Coverage.Open > 0 || facts.EmptyShard || facts.canaryAnswered() {
		return ""
	}
	canary := "no canary"
	if slices.ContainsFunc(facts.Canaries, func(c WatchedCanary) bool { return c.Own }) {
		canary = "no canary on another machine"
	}
	v.Notices = append(v.Notices, exposure.NewNotice(exposure.NoticeNothingOpen, "", nil,
		"No open port was assessed and %s was probed: a firewall near the scanner would look the same.", canary))
	return "no open port was assessed, and " + canary + " was probed: a firewall near the scanner would look the same"
}

// add raises the code and says why.
func (v *Decision) add(code ExitCode, n result.Notice) {
	v.raise(code)
	v.Notices = append(v.Notices, n)
}

// raise raises the code where a notice that says why is given already.
func (v *Decision) raise(code ExitCode) {
	v.Code = Worse(v.Code, code)
	v.Incomplete = v.Incomplete || code == ExitIncomplete || !v.Complete
}

// errors looks at what went wrong with the run as a whole.
func (g Criteria) errors(v *Decision, facts RunFacts) {
	if facts.Aborted != nil {
		v.Complete = false
		v.add(ExitError, exposure.NewNotice(exposure.NoticeAborted, "", nil, "The run was aborted: %v.", facts.Aborted))
	}
	g.stops(v, facts)
	for _, err := range facts.Failed {
		v.add(ExitError, exposure.NewNotice(exposure.NoticeOutput, "", nil, "A report could not be written: %v.", err))
	}
}

// stops looks at what ended the run before all was asked.
func (g Criteria) stops(v *Decision, facts RunFacts) {
	resume := ""
	if facts.Progress != "" {
		resume = fmt.Sprintf(" Its progress is in %q.", facts.Progress)
	}
	stop := func(code, format string, args ...any) {
		v.Complete = false
		v.add(ExitIncomplete, exposure.NewNotice(code, "", nil, "%s%s", fmt.Sprintf(format, args...), resume))
	}
	if facts.Signal > 0 {
		stop(exposure.NoticeSignal, "The run was stopped by %s.", signalName(facts.Signal))
	}
	if facts.TimeUp > 0 {
		stop(exposure.NoticeTimeUp, "The run was stopped after %s by --max-time.", facts.TimeUp)
	}
	if !facts.Expired.IsZero() {
		stop(exposure.NoticeExpired, "The authorization expired at %s, during the run: nothing was sent after that.", wording.Moment(facts.Expired))
	}
}

// signalName names the signals that end a run in the ordinary way.
func signalName(number int) string {
	switch number {
	case 1:
		return "SIGHUP"
	case 2:
		return "SIGINT"
	case 3:
		return "SIGQUIT"
	case 15:
		return "SIGTERM"
	}
	return fmt.Sprintf("signal %d", number)
}

// judge looks at one finding. One that fails and is unverified also leaves the run
// incomplete, which counts where a fail does not.
func (g Criteria) judge(v *Decision, f *exposure.Violation) {
	fails := g.Fails(f)
	if fails {
		v.Failing++
	}
	switch {
	case f.Drift == result.DriftUnverified && f.Status == result.StatusOpen && (fails || f.Severity > result.SeverityInfo):
		why := "is in the baseline and could not be verified"
		if !f.Carried {
			why = "is based on less evidence than the baseline has for the port"
		}
		v.add(ExitIncomplete, exposure.NewNotice(exposure.NoticeUnverified, f.Target.String(), f.Anchor, "%s on %s %s.", ruleOf(f), f.Target, why))
	case !fails && g.FailOn.Match(f):
		v.Notices = append(v.Notices, exposure.NewNotice(exposure.NoticeConfidence, f.Target.String(), f.Anchor,
			"%s on %s has confidence %d; the gate requires %d.", ruleOf(f), f.Target, f.Confidence, g.MinConfidence))
	}
}

// ruleOf names the rule of a finding.
func ruleOf(f *exposure.Violation) string {
	if f.Rule == nil {
		return "A finding"
	}
	return f.Rule.ID + " (" + f.Rule.Title + ")"
}
