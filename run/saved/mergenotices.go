package saved

import (
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/result"
)

// recounted are the codes of notices that the merged run computes itself.
var recounted = []string{
	exposure.NoticeCoverage, exposure.NoticeNothingInScope, exposure.NoticeBaseline, exposure.NoticeUnverified,
	exposure.NoticeConfidence, exposure.NoticeAcceptanceExpired, exposure.NoticeAcceptanceSoon, exposure.NoticeAcceptanceUnused,
	exposure.NoticeNothingOpen, exposure.NoticeWideAcceptance, exposure.NoticeExpectedMissing,
}

// carried returns the notices of the runs that also apply to the merged run, and
// adds those that make it incomplete to facts. It reports whether all runs are
// complete.
func (m *Merger) carried(facts *gate.RunFacts) (notices []result.Notice, whole bool) {
	whole = true
	said := map[string]bool{}
	for _, r := range m.Runs {
		explained := false
		_, shards := partOf(r)
		for i := range r.notices {
			w := &r.notices[i]
			// If no host of a shard is up, the whole sweep may have some.
			if slices.Contains(recounted, w.Code) || w.Code == exposure.NoticeNothingSeen && shards > 1 {
				explained = true
				continue
			}
			n, short := m.notice(w)
			key := n.Code + "\x00" + n.Target + "\x00" + n.Message
			explained = explained || short || said[key] || w.Level == result.LevelError
			switch {
			case said[key]:
			case short:
				facts.Incomplete = append(facts.Incomplete, n)
			default:
				notices = append(notices, n)
			}
			said[key] = true
		}
		whole = whole && r.Summary.Complete
		short := r.Summary.Incomplete || r.Summary.Gate == result.GateIncomplete
		empty := r.Summary.Coverage.Planned == 0 // an empty shard
		if !r.Summary.Complete || short && !explained && !empty {
			facts.Incomplete = append(facts.Incomplete, exposure.NewNotice(exposure.NoticePartIncomplete, "", nil, "The run %q is not complete.", r.File))
		}
	}
	return notices, whole
}

// notice returns the notice of a run for the merged run, and reports whether it
// makes the merged run incomplete. Its acceptance is that of the policy of the
// merged run or, without one, that of its own run as long as it is valid.
func (m *Merger) notice(w *result.Notice) (n result.Notice, short bool) {
	n = exposure.UnacceptNotice(*w)
	before := w.Acceptance
	now := before
	if m.Policy != nil {
		addr, err := netip.ParseAddr(w.Target)
		names := w.Names
		if err != nil {
			names = append(slices.Clip(names), w.Target)
		}
		now = m.Policy.AcceptsNotice(w.Code, addr, names, m.Now)
	} else if before != nil && !before.Holds(m.Now) {
		now = nil
	}
	if now != nil {
		return exposure.AcceptNotice(n, now), false
	}
	// The pairs of an accepted host are not part of the coverage, so the minimum
	// coverage does not detect that they are missing.
	return n, n.Level == result.LevelError || before != nil
}
