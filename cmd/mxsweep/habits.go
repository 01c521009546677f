package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/run"
)

// A habit is a flag that other scanners have, as their users write it.
type habit struct {
	flag string // the one that does it here, "" if it is needless
	hint string
}

// habits are the flags of nmap, trivy and their like that users try first, and
// those that there were before.
var habits = map[string]habit{
	"-A":            {"", "services are always identified; omit -A"},
	"-F":            {"ports", "the default profile, internal, is short; --ports SPEC selects other ports"},
	"-O":            {"", "there is no OS detection; omit -O"},
	"-Pn":           {"", "there is no ping before a scan; omit -Pn"},
	"-T":            {"rate", "--rate N sets the number of probes per second"},
	"-iL":           {"input", "-i FILE, with a space, reads targets from a file"},
	"-n":            {"", "there are no reverse DNS lookups; omit -n"},
	"-sS":           {"mode", "--mode syn runs a SYN scan; -s names a scope file here"},
	"-sT":           {"mode", "full connections are the default; -s names a scope file here"},
	"-sV":           {"scope", "services are always identified; omit -sV: -s names a scope file here"},
	"--exit-code":   {"fail-on", "--fail-on any:high exits 1 if there is a finding of that severity or above"},
	"--format":      {"output", "--output FORMAT=FILE writes a report, like -o json=run.json"},
	"--json":        {"output", "--output json prints JSON, --output json=FILE writes it to a file"},
	"--max-rate":    {"rate", "--rate N sets the number of probes per second"},
	"--min-rate":    {"rate", "--rate N sets the number of probes per second"},
	"--nmap-probes": {"signatures", "\"mxsweep signatures import nmap FILE\" converts it into signatures, which --signatures DIR reads"},
	"--recog":       {"signatures", "\"mxsweep signatures import recog DIR\" converts it into signatures, which --signatures DIR reads"},
	"--open":        {"all-ports", "only open ports are reported unless --all-ports is given; omit --open"},
	"--severity":    {"fail-on", "--fail-on any:high exits 1 if there is a finding of that severity or above"},
	"--top-ports":   {"ports", "--ports SPEC selects the ports, such as internal or 1-1024; \"mxsweep ports\" lists the profiles"},
}

// habitHint is what to tell a user who wrote the first of words that is a habit,
// "" if none is or the command has no flag that does it.
func habitHint(flags *pflag.FlagSet, words ...string) string {
	for _, word := range words {
		if h, ok := habits[word]; ok && (h.flag == "" || flags.Lookup(h.flag) != nil) {
			return h.hint
		}
	}
	return ""
}

// fileHint is what to tell about a file of targets that cannot be read, where flag
// and file are one word to users of other scanners: -iL reads the file L here. It is
// "" for other files.
func fileHint(err *run.ListError) string { return habits[err.Flag+err.File].hint }

// secondsHint asks whether seconds were meant by a bare number.
func secondsHint(f *pflag.Flag, value, rest string) string {
	for _, c := range value {
		if c < '0' || c > '9' {
			return rest
		}
	}
	if value == "" || f.Value.Type() != "duration" {
		return rest
	}
	return fmt.Sprintf("did you mean %q? %s", value+"s", rest)
}
