package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// subject names what was looked at.
func (v *view) subject() string {
	switch name := v.run.Scope.Name; {
	case name != "" && name != "command-line":
		return name
	case len(v.hosts) == 1:
		return cmp.Or(v.hosts[0].name, v.hosts[0].ip)
	case v.run.Scope.Addresses == 1:
		return "1 address"
	}
	return fmt.Sprintf("%d addresses", v.run.Scope.Addresses)
}

// headline says in plain words what came out.
func (v *view) headline() string {
	var words []string
	for _, s := range result.Severities()[:3] {
		if n := *v.sum.BySeverity.Of(s); n > 0 {
			words = append(words, itoa(n)+" "+s.String())
		}
	}
	blind := ""
	if v.sum.Partial() || slices.ContainsFunc(v.notices, func(n result.Notice) bool { return n.Level == result.LevelError }) {
		blind = " The run did not see all that it should have."
	}
	who := "Strangers reach"
	if v.run.Vantage != "internet" {
		who = "Others reach"
	}
	switch {
	case len(words) > 0:
		return fmt.Sprintf("%s mail services that should not be within their reach: %s, on %s.%s",
			who, strings.Join(words, ", "), plural(v.reach.hosts, "host"), blind)
	case v.sum.BySeverity.Total() > 0:
		return "Nothing of weight was found exposed; a few lighter findings are worth a look." + blind
	case blind != "":
		return "Nothing was found exposed, but that does not say much." + blind
	}
	return "Nothing was found exposed that should not be."
}

// extent says how far the findings reach.
func (v *view) extent() string {
	r := v.reach
	if r.ports == 0 {
		return fmt.Sprintf("%s open; none has a finding that stands.", isAre(r.open, "port"))
	}
	return fmt.Sprintf("%s on %s %s a finding; %s open in all.",
		plural(r.ports, "port"), plural(r.hosts, "host"), map[bool]string{true: "has", false: "have"}[r.ports == 1], isAre(r.open, "port"))
}

// isAre is "1 port is" or "5 ports are".
func isAre(n int, one string) string {
	return plural(n, one) + map[bool]string{true: " is", false: " are"}[n == 1]
}

// gainHeading depends on who stands where the scanner stood.
func gainHeading(vantage string) string {
	switch vantage {
	case "internet":
		return "What a stranger could do"
	case "host":
		return "What a user of this machine could do"
	}
	return "What anybody there could do"
}

func vantageText(vantage string) string {
	switch vantage {
	case "internet":
		return "internet: the scanner stood where any stranger could stand"
	case "lan":
		return "lan: the scanner stood in the local network"
	case "host":
		return "host: the scanner ran on the host itself, so \"open\" means listening, not exposed"
	}
	return vantage
}

// method says how the run looked, in sentences.
func (v *view) method() []string {
	how := "Each address and port was asked with a full TCP connection"
	if v.run.Mode == "syn" {
		how = "Each address and port was asked with single SYN segments, and what answered was asked again with a full TCP connection"
	}
	how += ", at most a few at once for each host. Closed, filtered and unknown are told apart; a port is never called closed because this machine could not ask."
	talk := "What answers was found out by short dialogues on connections of their own, not by port number and not by banner alone, because proxies repeat the banner of the server behind them. Confidence goes from 0 to 10; 9 and 10 rest on behavior that only this daemon shows."
	safe := "No mail was handed over and no password was tried. The probes leave no message, no queue file and no database row at the target."
	for _, a := range v.run.Args {
		if a == "--intrusive" || strings.HasPrefix(a, "--intrusive=") && a != "--intrusive=false" {
			safe = "Intrusive probes were allowed: they may leave a log line, a queue file for a moment or a database row at the target. No mail was handed over and no password was tried."
		}
	}
	grade := "Severity comes from the rule that is broken; a port number alone is never more than low. Findings that the policy accepts or expects are listed apart and do not count."
	return []string{how, talk, safe, grade}
}

// runDetails is what makes the run repeatable.
func (v *view) runDetails() []htmlFact {
	list := []htmlFact{
		{Label: "Ports", Text: v.run.Scope.Ports, Mono: true},
		{Label: "Addresses", Text: addresses(v.run.Scope)},
		{Label: "Scope files", Text: strings.Join(v.run.Scope.Files, ", "), Mono: true},
		{Label: "Scope hash", Text: v.run.Scope.SHA256, Mono: true},
		{Label: "Gate", Text: v.sum.FailOn, Mono: true},
		{Label: "Command", Text: commandLine(v.run.Args), Mono: true},
		{Label: "Engine", Text: v.run.Mode},
		{Label: "Rules", Text: v.tool.RulesVersion},
		{Label: "Probes", Text: v.tool.ProbesVersion},
		{Label: "Run", Text: v.run.ID, Mono: true},
	}
	if v.run.Baseline != nil {
		list = append(list, htmlFact{Label: "Baseline", Text: v.baseline()})
	}
	return withText(list)
}

func addresses(s result.Scope) string {
	t := fmt.Sprint(s.Addresses)
	if s.Excluded > 0 {
		t += fmt.Sprintf(", %d excluded", s.Excluded)
	}
	return t
}

// withText leaves out facts without a text.
func withText(list []htmlFact) []htmlFact {
	kept := list[:0]
	for _, f := range list {
		if f.Text != "" {
			kept = append(kept, f)
		}
	}
	return kept
}
