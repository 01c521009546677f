package view

import (
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// TestSocketsCoverage: what is said of a machine counts its own ports, and names those of
// containers apart.
func TestSocketsCoverage(t *testing.T) {
	own := func(ip, through string) result.Port {
		return result.Port{IP: netip.MustParseAddr(ip), Port: 25, Protocol: "tcp", State: result.StateOpen, Socket: &result.Listening{Bound: "0.0.0.0:25", Through: through}}
	}
	accepted := uint64(1)
	for name, tt := range map[string]struct {
		ports []result.Port
		c     result.Coverage
		want  string
	}{
		"one":      {[]result.Port{own("0.0.0.0", "")}, result.Coverage{Planned: 1, Answered: 1, Ratio: 1, CoverageCounts: &result.CoverageCounts{Open: 1}}, "1 listening port, 1 of them judged (100%)"},
		"nothing":  {nil, result.Coverage{Planned: 1, Answered: 1, Ratio: 1, CoverageCounts: &result.CoverageCounts{Closed: 1}}, "nothing listens"},
		"accepted": {[]result.Port{own("0.0.0.0", "")}, result.Coverage{Planned: 1, Answered: 1, Ratio: 1, CoverageCounts: &result.CoverageCounts{Closed: 1, Accepted: &accepted}}, "1 accepted as unseen"},
		"containers": {
			[]result.Port{own("0.0.0.0", ""), own("172.17.0.2", result.SocketContainer), own("10.0.0.2", result.SocketNamespace)},
			result.Coverage{Planned: 2, Answered: 1, Ratio: 0.5, CoverageCounts: &result.CoverageCounts{Open: 1, Unknown: 1}},
			"2 listening ports, 1 of them judged (50%); 2 more in other network namespaces, which are not judged",
		},
	} {
		c := Collector{Run: result.Run{Vantage: exposure.NameSockets, Scope: result.Scope{Name: "mx"}}, Ports: tt.ports}
		v := New(&c, result.Summary{Complete: true, Coverage: tt.c}, Showing{})
		if got := v.Coverage(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestVerdictNamesTheCause: a run whose coverage is complete does not blame it.
func TestVerdictNamesTheCause(t *testing.T) {
	const config = string(exposure.ClassConfig)
	const low = "the coverage is too low to rule out "
	for name, tt := range map[string]struct {
		vantage string
		codes   []string
		want    string // of a run without findings
		failed  string // after the findings that fail it
	}{
		"coverage":               {"internet", []string{exposure.NoticeCoverage}, low + "an exposure", low + "more"},
		"domain":                 {"internet", []string{exposure.NoticeDomainIncomplete}, "not all hosts of a domain are known, so an exposure cannot be ruled out", "not all hosts of a domain are known, so there may be more"},
		"domain and coverage":    {"internet", []string{exposure.NoticeDomainIncomplete, exposure.NoticeCoverage}, low + "an exposure", low + "more"},
		"domain out of scope":    {"internet", []string{exposure.NoticeDomainIncomplete, exposure.NoticeNothingInScope}, "nothing was in scope, so an exposure cannot be ruled out", "nothing was in scope, so there may be more"},
		"files of a host":        {"internet", []string{exposure.NoticeUndecided, exposure.NoticeUndecided}, "the files do not decide all of what they open, so an exposure cannot be ruled out", "the files do not decide all of what they open, so there may be more"},
		"files":                  {config, []string{exposure.NoticeUndecided}, "the files do not decide all of what they open", "the files do not decide all of what they open"},
		"no file":                {config, []string{exposure.NoticeNoConfiguration}, "no configuration file of a known kind was found", "no configuration file of a known kind was found"},
		"no file of those named": {config, []string{exposure.NoticeUndecided, exposure.NoticeNoConfiguration}, "no configuration file of a known kind was found", "no configuration file of a known kind was found"},
	} {
		c := Collector{Run: result.Run{Vantage: tt.vantage}}
		for _, code := range tt.codes {
			c.Notices = append(c.Notices, exposure.NewNotice(code, "", nil, "What is missing."))
		}
		s := result.Summary{Complete: true, Incomplete: true, Gate: result.GateIncomplete, FailOn: "any:high", Coverage: result.Coverage{Planned: 4, Answered: 4, Ratio: 1}}
		if got := New(&c, s, Showing{}).Verdict(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		s.Gate = result.GateFail
		if got := New(&c, s, Showing{}).Verdict(); got != "0 findings, at least one matches any:high; "+tt.failed {
			t.Errorf("%s: %q after findings, want %q", name, got, tt.failed)
		}
	}
}
