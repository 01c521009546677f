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

// An ExitCode is the exit code of a run.
type ExitCode int

// The exit codes, as documented in the manual. If several apply, the first of
// refused, usage, error, fail, incomplete and pass wins.
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

// Worse returns the code that wins if both apply. A signal (128 and more) wins
// over all others.
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

// DefaultMinCoverage is the default minimum coverage.
const DefaultMinCoverage = 0.95

// Criteria are the conditions for the result of a run. The zero Criteria fail on
// policy.DefaultFailOn and have no minimum coverage; even so a run without any
// conclusive result never passes.
type Criteria struct {
	FailOn policy.FailOn

	// FailOnAt is the position of FailOn in the policy, nil if it is not from
	// there.
	FailOnAt *userfile.Mark

	// MinCoverage is the minimum ratio of conclusive to planned pairs, 0 to 1.
	MinCoverage float64

	// MinHosts is the minimum number of hosts that are up.
	MinHosts uint64

	// MinConfidence, from 0 to 10, is the minimum confidence of findings that can
	// fail a run.
	MinConfidence int

	// SoftFail turns a fail, and nothing else, into a pass.
	SoftFail bool
}

// RunFacts is what the gate needs to know about a run.
type RunFacts struct {
	Coverage   PairCounts
	Unknown    *UnknownPairs  // pairs without a conclusive result; nil for none
	Silent     []SilentTarget // named targets that are not up
	Short      []ScopeLine    // with too few hosts up
	Parts      []ScopeLine    // of which this shard scanned only a part; they are decided when the shards are merged
	Blocked    bool           // all targets stopped answering and did not answer again
	Unresolved []UnresolvedName
	Nothing    *result.Notice  // why nothing was in scope, if that is not the usual; nil otherwise
	EmptyShard bool            // the sweep has pairs, but this shard has none of them
	EmptyScope string          // the file of a scope without entries, "" if the scope has some
	Canaries   []WatchedCanary // with their results
	Aborted    error           // why the run ended early, nil if it did not
	Failed     []error         // outputs that could not be written
	Signal     int             // the number of the signal that stopped the run, 0 if none

	// TimeUp is the time limit that ended the run; 0 if none did.
	TimeUp time.Duration

	// Expired is when the authorization ended, if that ended the run; the zero
	// Time if it did not.
	Expired time.Time

	// Offline is set if nothing was sent: no firewall can have hidden what is open.
	Offline bool

	// Incomplete has further notices that make the run incomplete.
	Incomplete []result.Notice

	// Progress is the file from which the same command resumes, "" if there is
	// none.
	Progress string
}

// stopped reports whether the run was ended before all pairs were probed.
func (s *RunFacts) stopped() bool {
	return s.Signal > 0 || s.TimeUp > 0 || !s.Expired.IsZero() || s.Aborted != nil
}

// ended says what ended the run before all pairs were probed, "" if nothing did.
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

// canaryAnswered reports whether a canary on another machine answered each time
// it was probed.
func (s *RunFacts) canaryAnswered() bool {
	return slices.ContainsFunc(s.Canaries, WatchedCanary.showsNetwork)
}

// A SilentTarget is an address that the user named and that sent no packet of its
// own.
type SilentTarget struct {
	Addr   netip.Addr
	Host   string // the name under which it was probed, "" if there is none
	Names  []string
	Pairs  uint64 // number of probed pairs
	Anchor *result.Anchor

	// Acceptance covers its silence; nil if it is not accepted.
	Acceptance *result.Acceptance
}

// An UnresolvedName is a name in scope without known addresses, or perhaps not
// with all of them.
type UnresolvedName struct {
	Name   string
	Reason string // which lookup failed, and why; "" if not known
	Anchor *result.Anchor

	// Acceptance covers that it does not resolve; nil if that is not accepted.
	Acceptance *result.Acceptance
}

// A Decision is the result of a run.
type Decision struct {
	Code ExitCode

	// Gate is "pass", "fail", "incomplete" or "error". With SoftFail it stays
	// "fail" although the code is 0.
	Gate result.GateResult

	// Complete is false if not all planned pairs were probed: the run was
	// aborted, stopped or refused.
	Complete bool

	// Incomplete is set if the coverage was too low, also if findings or an error
	// determine the code: exposed services may be missing in the findings.
	Incomplete bool

	// CanariesOK is false if a canary did not answer.
	CanariesOK bool

	// CanariesOwn is set if canaries answered, but none on another machine: that
	// shows nothing about the network.
	CanariesOwn bool

	// Failing is the number of findings that fail the run.
	Failing int

	// Reason says what a pass is based on, if that is little; otherwise "".
	Reason string

	Notices []result.Notice // reasons for the code, each with what to do
}

// Fails reports whether the finding fails the run.
func (g Criteria) Fails(f *exposure.Violation) bool {
	return g.FailOn.Match(f) && f.Confidence >= g.MinConfidence
}

// Decide returns the result of a run. No other code turns facts about a run into
// an exit code.
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
			v.Code = rest // a run with too little coverage stays incomplete
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

// caveat says what a pass is based on, if that is little; otherwise "".
func (g Criteria) caveat(v *Decision, facts RunFacts) string {
	if facts.Coverage.Open > 0 || facts.Offline || facts.EmptyShard || facts.canaryAnswered() {
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

// add raises the code and adds the notice with the reason.
func (v *Decision) add(code ExitCode, n result.Notice) {
	v.raise(code)
	v.Notices = append(v.Notices, n)
}

// raise raises the code without a notice, because there is one already.
func (v *Decision) raise(code ExitCode) {
	v.Code = Worse(v.Code, code)
	v.Incomplete = v.Incomplete || code == ExitIncomplete || !v.Complete
}

// errors checks what went wrong with the run as a whole.
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

// stops checks what ended the run before all pairs were probed.
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

// signalName returns the name of a signal that usually ends a program.
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

// judge checks one finding. One that fails and is unverified also makes the run
// incomplete, which matters if the code is not fail.
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
		v.add(ExitIncomplete, exposure.NewNotice(exposure.NoticeUnverified, f.Subject(), f.Anchor, "%s on %s %s.", ruleOf(f), f.Place(), why))
	case !fails && g.FailOn.Match(f):
		v.Notices = append(v.Notices, exposure.NewNotice(exposure.NoticeConfidence, f.Subject(), f.Anchor,
			"%s on %s has confidence %d; the gate requires %d.", ruleOf(f), f.Place(), f.Confidence, g.MinConfidence))
	}
}

// ruleOf returns the name of a finding's rule.
func ruleOf(f *exposure.Violation) string {
	if f.Rule == nil {
		return "A finding"
	}
	return f.Rule.ID + " (" + f.Rule.Title + ")"
}
