package signatures

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkProbe refuses what a probe may never do. Where a value was wrong, not right,
// it does not look for what may come of that.
func (d *decoder) checkProbe(n *yaml.Node, p *Probe, right bool) {
	switch {
	case d.lacks(n, fmt.Sprintf("probe %q", p.ID), "id", "why", "safety", "read"), !right:
	case p.Read.Wait == 0 || p.Read.Until == "":
		d.fail(n, "write read: {until: WORD, wait: TIME}", "probe %q: read lacks until, wait or both", p.ID)
	case (p.Safety == Passive) != (len(p.Send) == 0 && p.Enters == nil):
		d.fail(n, "write safety: passive without send, and safe or intrusive with it", "probe %q: a passive probe sends nothing, and others send something", p.ID)
	case p.OnlyThere && len(p.Ports) == 0:
		d.fail(n, "name the ports, or omit only_there", "probe %q: only_there without ports", p.ID)
	case p.OnlyElsewhere && len(p.Ports) > 0:
		d.fail(n, "omit ports or only_elsewhere", "probe %q: only_elsewhere with ports", p.ID)
	case slices.ContainsFunc(p.FirstOn, func(port uint16) bool { return !slices.Contains(p.Ports, port) }):
		d.fail(n, "add them to ports", "probe %q: first_on has ports that ports lacks", p.ID)
	case len(p.FirstOn) > 0 && p.Quiet == 0:
		d.fail(n, "add quiet, or omit first_on", "probe %q: first_on without quiet", p.ID)
	case p.Quiet > 0 && p.Connection != OwnConnection:
		d.fail(n, "omit connection", "probe %q: a probe for a silent port needs a connection of its own", p.ID)
	}
	for _, sent := range sentBy(p) {
		for line := range lines(sent) {
			if word := forbidden(line); word != "" {
				d.fail(n, "it changes the state of some daemons", "probe %q sends a line that begins with %q", p.ID, word)
			} else if word := brokenHeader(line); word != "" {
				d.fail(n, "write a blank behind PROXY, as the probe proxy-unknown does", "probe %q sends a line that begins with %q, at which Dovecot 2.3 aborts", p.ID, word)
			} else if word := lookedUp(line); word != "" {
				d.fail(n, "send a key that no map looks up, as the probe socketmap does", "probe %q sends the netstring %q, for which some maps look up a name", p.ID, word)
			} else if word := traces(line); word != "" && p.Safety != Intrusive {
				d.fail(n, "it may leave traces: write safety: intrusive", "probe %q sends a line that begins with %q", p.ID, word)
			}
		}
	}
}

// sentBy returns all that a probe sends: each on its own, and behind one another, as a
// connection may carry them.
func sentBy(p *Probe) [][]byte {
	return [][]byte{p.Send, p.Close, slices.Concat(p.Send, p.Close)}
}

// lines yields what a daemon may take for a line, in lower case: some end one at a
// bare CR, and some ignore blanks before a command.
func lines(sent []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.FieldsFuncSeq(strings.ToLower(string(sent)), func(r rune) bool { return r == '\r' || r == '\n' }) {
			if !yield(strings.TrimLeft(line, " \t")) {
				return
			}
		}
	}
}

// Words with which no line of any probe begins. DKIMproxy takes whatever begins with
// "data" for the beginning of a message; the others deliver mail, try passwords, train
// filters, reset limits or stop daemons.
var (
	forbiddenStarts = []string{"data", "bdat", "auth"}
	forbiddenWords  = []string{
		"etrn", "pass", "login", "authenticate", // SMTP, POP3, IMAP
		"tell", "process", // spamd
		"shutdown", "reload", "scan", "contscan", "multiscan", "allmatchscan", "instream", // clamd
		"request=delrate", "cmd=rr;", // postfwd
		"post", "put", "delete", // HTTP
	}
)

// forbidden returns the forbidden word with which a line in lower case begins, or "".
func forbidden(line string) string {
	for _, start := range forbiddenStarts {
		if strings.HasPrefix(line, start) {
			return start
		}
	}
	words := strings.FieldsFunc(line, func(r rune) bool { return r <= ' ' })
	for i, word := range words[:min(len(words), 2)] {
		if i == 1 && word != "login" && word != "authenticate" {
			break // the second word is a command only behind an IMAP tag
		}
		// clamd also accepts its commands with a z or n before them.
		if slices.Contains(forbiddenWords, word) || slices.Contains(forbiddenWords, strings.TrimLeft(word, "zn")) {
			return word
		}
	}
	return ""
}

// brokenHeader returns the beginning of a line in lower case that is a PROXY header
// without a blank behind its first word, or may become one, "" for other lines. Dovecot
// 2.3.19 takes five letters for a header, cuts it at the blanks, and aborts where the
// first word is another one (src/lib-master/master-service-haproxy.c,
// master_service_haproxy_read): with it ends the process that serves other clients.
func brokenHeader(line string) string {
	const word = "proxy"
	rest, ok := strings.CutPrefix(line, word)
	if !ok || strings.HasPrefix(rest, " ") {
		return ""
	}
	return line[:min(len(line), len(word)+1)]
}

// traceStarts begin lines that open a queue file, or complete a policy request, which
// is recorded.
var traceStarts = []string{"mail ", "mail\t", "rcpt ", "rcpt\t", "protocol_state=", "instance="}

// traces returns the beginning of a line that only an intrusive probe may
// send, or "".
func traces(line string) string {
	for _, start := range traceStarts {
		if strings.HasPrefix(line, start) {
			return start
		}
	}
	return ""
}

// lookedUp returns a netstring in a line for which a socketmap daemon would look up a
// name, or which changes its cache, "" if there is none: an empty one, or a command of
// postfix-tlspol.
func lookedUp(line string) string {
	digits := strings.TrimLeft(line, "0123456789")
	rest, ok := strings.CutPrefix(digits, ":")
	if !ok || len(digits) == len(line) {
		return ""
	}
	word, _, _ := strings.Cut(rest, " ")
	switch strings.TrimRight(word, ",") {
	case "query", "querywithtlsrpt", "json", "dump", "export", "purge", "prefetch":
		return line
	}
	if strings.HasPrefix(rest, ",") {
		return line
	}
	return ""
}
