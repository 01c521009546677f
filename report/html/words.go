package html

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
)

// gainHeading returns the heading of what an intruder gains, who would be at the
// vantage point.
func gainHeading(vantage string) string {
	switch vantage {
	case "internet":
		return "What a stranger could do"
	case "host":
		return "What a user of this machine could do"
	case "config", "sockets":
		return "What those who reach the port could do"
	}
	return "What anybody there could do"
}

func vantageText(vantage string) string {
	switch vantage {
	case "internet":
		return "internet: the scan was made from where any stranger could be"
	case "lan":
		return "lan: the scan was made from the local network"
	case "host":
		return "host: the scanner ran on the host itself, so \"open\" means listening, not exposed"
	case "sockets":
		return "sockets: only what listens on the machine was read, so \"open\" means bound to other addresses than loopback, not exposed"
	case "config":
		return "config: only files were read, so \"open\" means bound to other addresses than loopback, not exposed"
	}
	return vantage
}

// method describes how the run worked, in sentences.
func method(v *view.View) []string {
	if view.OfFiles(&v.Run) {
		return []string{
			"Configuration files were read as text. Nothing was executed, changed or contacted, and no file outside of the folder that has them was read.",
			"A file shows where a daemon is bound, not who can connect to it: packet filters decide that, and only a scan shows it.",
			"What the files do not decide, such as a variable without a value, is listed and makes the run incomplete.",
			"The severity is that of the broken rule; a port number alone never gives more than low. Findings that the policy accepts or expects are listed separately and do not count.",
		}
	}
	if view.OfSockets(&v.Run) {
		return []string{
			"What listens on the machine was listed on the machine itself, with the process that holds each socket and the line of the configuration file that opens it. Nothing was executed, changed or contacted.",
			"A socket shows where a daemon is bound, not who can connect to it: packet filters decide that, and only a scan shows it.",
			"Daemons were identified by the name of their program, script or unit, and by the files that configure them. What could not be seen is listed.",
			"The severity is that of the broken rule; a port number alone never gives more than low. Findings that the policy accepts or expects are listed separately and do not count.",
		}
	}
	how := "Each address and port was probed with a full TCP connection"
	if v.Run.Mode == "syn" {
		how = "Each address and port was probed with SYN segments, and open ports were probed again with a full TCP connection"
	}
	how += ", at most a few at a time per host. Closed, filtered and unknown ports are distinguished; a port is never reported as closed because of a failure on this machine."
	talk := "Services were identified by short dialogues on separate connections, not by port number or banner alone, because proxies repeat the banner of the server behind them. Confidence ranges from 0 to 10; 9 and 10 are based on behavior that only this daemon shows."
	safe := "No mail was submitted and no password was tried. The probes leave no message, queue file or database row on the target."
	for _, a := range v.Run.Args {
		if a == "--intrusive" || strings.HasPrefix(a, "--intrusive=") && a != "--intrusive=false" {
			safe = "Intrusive probes were allowed: they may leave a log line, a temporary queue file or a database row on the target. No mail was submitted and no password was tried."
		}
	}
	grade := "The severity is that of the broken rule; a port number alone never gives more than low. Findings that the policy accepts or expects are listed separately and do not count."
	return []string{how, talk, safe, grade}
}

// runDetails returns what is needed to repeat the run.
func runDetails(v *view.View) []htmlFact {
	list := []htmlFact{
		{Label: "Ports", Text: v.Run.Scope.Ports, Mono: true},
		{Label: "Addresses", Text: addresses(v)},
		{Label: "Scope files", Text: strings.Join(v.Run.Scope.Files, ", "), Mono: true},
		{Label: "Scope hash", Text: v.Run.Scope.SHA256, Mono: true},
		{Label: "Gate", Text: v.Sum.FailOn, Mono: true},
		{Label: "Command", Text: words.CommandLine(v.Run.Args), Mono: true},
		{Label: "Engine", Text: v.Run.Mode},
		{Label: "Rules", Text: v.Tool.RulesVersion},
		{Label: "Probes", Text: v.Tool.ProbesVersion},
		{Label: "Run", Text: v.Run.ID, Mono: true},
	}
	if v.Run.Baseline != nil {
		list = append(list, htmlFact{Label: "Baseline", Text: v.Baseline()})
	}
	return withText(list)
}

func addresses(v *view.View) string {
	if view.OfFiles(&v.Run) {
		return ""
	}
	s := v.Run.Scope
	t := fmt.Sprint(s.Addresses)
	if s.Excluded > 0 {
		t += fmt.Sprintf(", %d excluded", s.Excluded)
	}
	return t
}

// withText removes facts without a text.
func withText(list []htmlFact) []htmlFact {
	kept := list[:0]
	for _, f := range list {
		if f.Text != "" {
			kept = append(kept, f)
		}
	}
	return kept
}
