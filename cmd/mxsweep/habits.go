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
	"-A":            {"", "services are always identified; leave -A out"},
	"-F":            {"ports", "the profile internal, which is the default, is short; --ports SPEC names other ports"},
	"-O":            {"", "operating systems are not probed; leave -O out"},
	"-Pn":           {"", "no ping comes before a scan; leave -Pn out"},
	"-T":            {"rate", "--rate N sets how many probes a second are sent"},
	"-iL":           {"input", "-i FILE, with a space, reads targets from a file"},
	"-n":            {"", "no names of addresses are looked up; leave -n out"},
	"-sS":           {"mode", "--mode syn sends single SYNs; -s names a scope file here"},
	"-sT":           {"mode", "full connections are the default; -s names a scope file here"},
	"-sV":           {"scope", "services are always identified; leave -sV out: -s names a scope file here"},
	"--exit-code":   {"fail-on", "--fail-on any:high exits 1 if there is a finding of that severity or above"},
	"--format":      {"output", "--output FORMAT=FILE writes a report, like -o json=run.json"},
	"--json":        {"output", "--output json prints JSON, --output json=FILE writes it to a file"},
	"--max-rate":    {"rate", "--rate N sets how many probes a second are sent"},
	"--min-rate":    {"rate", "--rate N sets how many probes a second are sent"},
	"--nmap-probes": {"signatures", "\"mxsweep signatures import nmap FILE\" converts it into signatures, which --signatures DIR reads"},
	"--recog":       {"signatures", "\"mxsweep signatures import recog DIR\" converts it into signatures, which --signatures DIR reads"},
	"--open":        {"all-ports", "only open ports are reported, unless --all-ports is given; leave --open out"},
	"--severity":    {"fail-on", "--fail-on any:high exits 1 if there is a finding of that severity or above"},
	"--top-ports":   {"ports", "--ports SPEC names the ports, like internal or 1-1024; \"mxsweep ports\" lists the profiles"},
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
