package saved

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
)

// TestMergedNoticeAcceptedByName checks that an acceptance by name covers a
// notice of a saved run about an address of that name until the entry expires.
func TestMergedNoticeAcceptedByName(t *testing.T) {
	known, err := policy.Load("mxsweep.yaml", []byte(`version: 1
accept:
  - id: AR-9
    rule: MXS9020
    target: tarpit.example.org
    reason: a tarpit that the abuse desk runs
    owner: abuse desk
    expires: 2026-12-31
`), policy.Context{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	told := exposure.NewNotice(exposure.NoticeWildcard, "192.0.2.9", nil, "It responds everywhere.")
	told.Names = []string{"tarpit.example.org"}
	accepted := exposure.AcceptNotice(told, &known.Accept[0].Acceptance)
	for _, tt := range []struct {
		name   string
		saved  result.Notice
		policy *policy.Policy
		now    time.Time
		want   gate.ExitCode
		unused int
	}{
		{"accepted by the merged run", told, known, now, gate.ExitPass, 0},
		{"accepted by both", accepted, known, now, gate.ExitPass, 0},
		{"accepted by its own run", accepted, nil, now, gate.ExitPass, 0},
		{"no longer accepted", accepted, nil, now.AddDate(0, 2, 0), gate.ExitIncomplete, 0},
		{"no longer accepted by the policy", accepted, known, now.AddDate(0, 2, 0), gate.ExitIncomplete, 0},
		{"accepted by an entry that is gone", accepted, &policy.Policy{}, now, gate.ExitIncomplete, 0},
	} {
		r := madeRun(t, "a.json", "internet", "", mergePort{addr: "192.0.2.1", state: result.StateClosed})
		b, err := json.Marshal(report.Clean(tt.saved, ""))
		if err != nil {
			t.Fatal(err)
		}
		r.notices = make([]result.Notice, 1)
		if err := json.Unmarshal(b, &r.notices[0]); err != nil {
			t.Fatal(err)
		}
		m := &Merger{Rules: r.rules, Policy: tt.policy, Now: tt.now, Runs: []*RunFile{r}}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		c := m.Conclude()
		if c.Decision.Code != tt.want || c.summary.AcceptancesUnused != tt.unused {
			t.Errorf("%s: exit code %d, %d unused, want %d, %d: %+v", tt.name, c.Decision.Code, c.summary.AcceptancesUnused, tt.want, tt.unused, c.Decision.Notices)
		}
		i := slices.IndexFunc(c.Decision.Notices, func(n result.Notice) bool { return n.Code == exposure.NoticeWildcard })
		if got := c.Decision.Notices[i]; tt.want == gate.ExitPass && got.Message != accepted.Message || tt.want != gate.ExitPass && got.Message != told.Message {
			t.Errorf("%s: told %q", tt.name, got.Message)
		}
	}
}

// TestMergedHostsOfALine checks that the hosts up in a line that is split over
// shards are counted in all of them together, and only if none is missing.
func TestMergedHostsOfALine(t *testing.T) {
	shard := func(name string, up uint64) *RunFile {
		r := madeRun(t, name+".json", "internet", name+"/2", mergePort{addr: "192.0.2." + name, state: result.StateClosed})
		r.Summary.Coverage.Parts = []result.LinePart{{Line: "192.0.2.0/24", Range: "192.0.2.0-192.0.2.255", MinHosts: 5, HostsUp: up}}
		return r
	}
	for _, tt := range []struct {
		runs []*RunFile
		want []string
	}{
		{[]*RunFile{shard("1", 3), shard("2", 2)}, nil},
		{[]*RunFile{shard("1", 3), shard("2", 1)}, []string{exposure.NoticeFewHosts}},
		{[]*RunFile{shard("1", 3)}, []string{exposure.NoticeShardMissing}},
	} {
		_, c := merged(t, nil, tt.runs...)
		var got []string
		for _, n := range c.Decision.Notices {
			if n.Level == result.LevelError {
				got = append(got, n.Code)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%d shards: got %v, want %v", len(tt.runs), got, tt.want)
		}
	}
}

// TestMergedPairsLeftOut checks that the pairs of vacant and accepted hosts add
// up, and are not reported if a run does not have them.
func TestMergedPairsLeftOut(t *testing.T) {
	run := func(shard string, vacant, accepted uint64) *RunFile {
		r := madeRun(t, shard[:1]+".json", "internet", shard, mergePort{addr: "192.0.2." + shard[:1], state: result.StateClosed})
		r.Summary.Coverage.CoverageCounts = &result.CoverageCounts{Closed: 1, Vacant: 1, VacantPairs: &vacant, Accepted: &accepted}
		return r
	}
	_, c := merged(t, nil, run("1/2", 7, 30), run("2/2", 5, 0))
	if n := c.summary.Coverage.CoverageCounts; *n.VacantPairs != 12 || *n.Accepted != 30 {
		t.Errorf("got %d vacant pairs, %d accepted", *n.VacantPairs, *n.Accepted)
	}
	older := run("2/2", 0, 0)
	older.Summary.Coverage.VacantPairs = nil
	_, c = merged(t, nil, run("1/2", 7, 30), older)
	if n := c.summary.Coverage.CoverageCounts; n.VacantPairs != nil || n.Accepted != nil {
		t.Errorf("with an earlier run: told %d vacant pairs, %d accepted", *n.VacantPairs, *n.Accepted)
	}
}
