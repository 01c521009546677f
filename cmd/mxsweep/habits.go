package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/internal/userfile"
)

// A habit is a flag of another scanner, as its users write it.
type habit struct {
	flag string // the equivalent flag, "" if none is needed
	hint string
}

// habits are the flags of nmap, trivy and similar tools that users try first, and
// removed flags of mxsweep.
var habits = map[string]habit{
	"-A":            {"", "services are always identified; omit -A"},
	"-F":            {"ports", "the default profile, internal, is short; --ports SPEC selects other ports"},
	"-O":            {"", "there is no OS detection; omit -O"},
	"-Pn":           {"", "there is no ping before a scan; omit -Pn"},
	"-T":            {"rate", "--rate N sets the number of probes per second"},
	"-iL":           {"input", "-i FILE, with a space, reads targets from a file"},
	"-D":            {"", "there are no decoys; omit -D"},
	"-P":            {"", "there is no ping before a scan; omit -P"},
	"-R":            {"", "there are no reverse DNS lookups; omit -R"},
	"-e":            {"interface", "--interface NAME sends on a network interface, with --mode syn"},
	"-f":            {"", "packets are not fragmented; omit -f"},
	"-iR":           {"input", "random targets are never scanned; name the targets"},
	"-n":            {"", "there are no reverse DNS lookups; omit -n"},
	"-sC":           {"scope", "there are no scripts, services are always identified; omit -sC: -s names a scope file here"},
	"-sL":           {"dry-run", "--dry-run prints the targets and sends nothing; -s names a scope file here"},
	"-sS":           {"mode", "--mode syn runs a SYN scan; -s names a scope file here"},
	"-sT":           {"mode", "full connections are the default; -s names a scope file here"},
	"-sU":           {"scope", "only TCP ports are scanned; omit -sU: -s names a scope file here"},
	"-sV":           {"scope", "services are always identified; omit -sV: -s names a scope file here"},
	"-sn":           {"dry-run", "there is no ping scan; --dry-run prints the targets and sends nothing, and -s names a scope file here"},
	"--exit-code":   {"fail-on", "--fail-on any:high exits 1 if there is a finding of that severity or above"},
	"--format":      {"output", "--output FORMAT=FILE writes a report, like -o json=run.json"},
	"--json":        {"output", "--output json prints JSON, --output json=FILE writes it to a file"},
	"--max-rate":    {"rate", "--rate N sets the number of probes per second"},
	"--min-rate":    {"rate", "--rate N sets the number of probes per second"},
	"--nmap-probes": {"signatures", "\"mxsweep signatures import nmap FILE\" converts it into signatures, which --signatures DIR reads"},
	"--recog":       {"signatures", "\"mxsweep signatures import recog DIR\" converts it into signatures, which --signatures DIR reads"},
	"--open":        {"all-ports", "only open ports are reported unless --all-ports is given; omit --open"},
	"--reason":      {"output", "-o json has the reason of each state; omit --reason"},
	"--script":      {"", "there are no scripts, services are always identified; omit --script"},
	"--severity":    {"fail-on", "--fail-on any:high exits 1 if there is a finding of that severity or above"},
	"--top-ports":   {"ports", "--ports SPEC selects the ports, such as internal or 1-1024; \"mxsweep ports\" lists the profiles"},
}

// habitHint returns the hint for the first of words that is a habit, "" if there is
// none or the command has no equivalent flag.
func habitHint(flags *pflag.FlagSet, words ...string) string {
	for _, word := range words {
		if h, ok := habits[word]; ok && (h.flag == "" || flags.Lookup(h.flag) != nil) {
			return h.hint
		}
	}
	return ""
}

// habitError is the error for a file of targets or the scope file that does not exist,
// if flag and file are one word for users of other scanners: -iL reads the file L. It
// is nil for other files.
func (f *scanFlags) habitError() error {
	for _, file := range f.inputs {
		if err := missingFile("-i", file); err != nil {
			return err
		}
	}
	return missingFile("-s", f.scope)
}

func missingFile(flag, file string) error {
	h, ok := habits[flag+file]
	if !ok {
		return nil
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return usagef(h.hint, "reading flag %q: no file %q", flag+file, file)
}

// listEndings are endings of file names that are no top-level domain.
var listEndings = []string{".txt", ".text", ".lst", ".list", ".csv", ".conf", ".cfg", ".yaml", ".yml", ".json", ".jsonl", ".xml", ".log"}

// fileAsTarget is the error for the first target that is the name of a file, which
// would be looked up as that of a host. It is nil if there is none.
func fileAsTarget(targets []string) error {
	for _, name := range targets {
		_, notPrefix := netip.ParsePrefix(name)
		likeFile := strings.ContainsFunc(name, func(c rune) bool { return c == '/' || c == filepath.Separator }) ||
			slices.Contains(listEndings, strings.ToLower(filepath.Ext(name)))
		if notPrefix == nil || !likeFile {
			continue
		}
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		hint := fmt.Sprintf("did you mean \"-i %[1]s\", a list of targets, or \"-s %[1]s\", a scope?", name)
		head, _ := userfile.ReadHead(name) // a file that cannot be read may be a list
		if use := userfile.KindOfFile(head).Use(); use != "" {
			hint = use
		}
		return usagef(hint, "reading target %q: it is a file, not a host", name)
	}
	return nil
}

// secondsHint asks whether a number without unit was meant in seconds.
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
