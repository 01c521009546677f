package html

import (
	"fmt"

	"github.com/mxsweep/mxsweep/result"
)

// An htmlScore explains a severity and its range of scores.
type htmlScore struct{ Name, Scores, Means string }

// An htmlTerm explains a word of the report.
type htmlTerm struct{ Word, Means string }

// meaning explains each severity, the highest first.
var meaning = [...]string{
	"A stranger can use the mail system like one of its own users or administrators. Fix it today.",
	"A protection of the mail system can be bypassed, or data can be read. Fix it this week.",
	"Helps an attacker who already has other access. Fix it with the next change.",
	"Not harmful by itself, but only the daemon's own configuration protects it from strangers.",
	"For information only. No action needed.",
}

// scores returns the severities with their ranges of scores.
func scores() []htmlScore {
	var list []htmlScore
	for i, severity := range result.Severities() {
		low, high := severity.Scores()
		text := fmt.Sprintf("%.1f to %.1f", low, high)
		if low == high {
			text = fmt.Sprintf("%.1f", low)
		}
		list = append(list, htmlScore{severity.String(), text, meaning[i]})
	}
	return list
}

// glossary explains the words of a report to readers who do not run a mail
// system.
var glossary = [...]htmlTerm{
	{"Back end", "A server that is meant to be reached only through a proxy, and relies on the checks of that proxy."},
	{"Baseline", "The findings of an earlier run, with which those of this run are compared."},
	{"Closed", "The host answered that no service listens on the port."},
	{"Conclusive", "The run determined that the port is open and what answers on it, or that it is closed or filtered."},
	{"Content filter", "A program that mail passes through on its way to the mailbox, such as a virus scanner."},
	{"Filtered", "The port did not answer, but the host answered on other ports: a firewall protects the port."},
	{"Finding", "One port of one host that breaks one rule."},
	{"Gate", "The condition that decides which findings make the run fail."},
	{"LMTP", "The protocol that delivers mail to mailboxes (RFC 2033). It has no protection against strangers."},
	{"Milter", "A filter that the mail server consults about each message over a special protocol."},
	{"Policy service", "A program that the mail server asks whether to accept a message."},
	{"Re-injection port", "The port on which a filter returns mail to the mail server, which trusts all mail received there."},
	{"Relay", "To forward mail for others. A server that relays for strangers is abused for spam."},
	{"STARTTLS", "The command that switches a cleartext connection to TLS."},
	{"Unknown", "The run could not determine whether the port is open, or what answers on it."},
	{"Vacant", "No host has this address: it was always silent while other hosts answered."},
	{"Vantage point", "The place from which the scan was made: the internet, the local network, or the host itself."},
}
