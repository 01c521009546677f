package html

import (
	"fmt"

	"github.com/mxsweep/mxsweep/result"
)

// An htmlScore says what a severity means and which scores it has.
type htmlScore struct{ Name, Scores, Means string }

// An htmlTerm is a word of the report and what it means.
type htmlTerm struct{ Word, Means string }

// meaning says of each severity what it asks for, heaviest first.
var meaning = [...]string{
	"A stranger can use the mail system as its own user or administrator does. Close it today.",
	"A check that protects the mail system can be passed by, or data read. Close it this week.",
	"Helps an attacker who has something else already. Close it with the next change.",
	"Not harmful by itself; the only thing between a stranger and the daemon is its own configuration.",
	"Worth knowing. Nothing to do.",
}

// scores lists the severities with the bounds of their scores.
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

// glossary explains the words of a report to who does not run a mail system.
var glossary = [...]htmlTerm{
	{"Back end", "A server that is meant to be reached through a proxy in front of it, and leaves checks to that proxy."},
	{"Baseline", "The findings of an earlier run, to which those of this run are compared."},
	{"Closed", "The host answered that nothing listens on the port."},
	{"Conclusive", "It is known whether the port is open and what answers there, or that it is closed or filtered."},
	{"Content filter", "A program that mail passes through on its way, such as a virus scanner."},
	{"Filtered", "Nothing answered on the port, while the host did answer elsewhere: a firewall stands before it."},
	{"Finding", "One port of one host that breaks one rule."},
	{"Gate", "What decides whether the run fails: the findings that it names."},
	{"LMTP", "The protocol that hands mail to mailboxes (RFC 2033). It has no defense against strangers."},
	{"Milter", "A filter that the mail server asks about each message over a protocol of its own."},
	{"Policy service", "A program that the mail server asks whether to take a message."},
	{"Re-injection port", "Where a filter hands mail back to the mail server; what comes in there is trusted."},
	{"Relay", "To pass mail on for somebody else. A server that does so for strangers is used for spam."},
	{"STARTTLS", "The command that turns a connection in clear text into an encrypted one."},
	{"Unknown", "The run could not tell whether the port is open, or what answers there."},
	{"Vacant", "Nothing has this address: it was silent on every occasion while others answered."},
	{"Vantage point", "Where the scanner stood: on the internet, in the local network, or on the host itself."},
}
