//go:build linux

package e2e

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/harmless.md and signatures/probes-lab.json again")

// harmlessFile is what TestHarmless writes and reads.
const harmlessFile = "../../docs/harmless.md"

// variable is what differs between two runs, and what it is replaced by.
var variable = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`^(?:<\d+>)?(?:[A-Z][a-z]{2} +\d+ [\d:]+|\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,+Z-]+)\s*(?:[\w.-]+ ([\w/-]+\[))?`), "$1"},
	{regexp.MustCompile(`(garbage: |garbage '|ATTRIBUTE LINE: |policy protocol: |match line ")<?(?:[^ ]*[^ -~].*|[^<GPIrs].*|r[^e].*|s[^e].*)`), "${1}BYTES"},
	{regexp.MustCompile(`(codec can't decode) .*`), "$1 BYTES"},
	{regexp.MustCompile(`(?:10\.79\.0\.\d+|fd79::[0-9a-f]+)`), "ADDRESS"},
	{regexp.MustCompile(`\b[0-9A-F]{10,}\b|<[A-Za-z0-9+/]{10,}>`), "ID"},
	{regexp.MustCompile(`\d+`), "N"},
}

// kindOf is a line of a log without what differs between two runs.
func kindOf(line string) string {
	for _, v := range variable {
		line = v.what.ReplaceAllString(strings.TrimRight(line, "\r\n"), v.by)
	}
	printable := func(r rune) rune {
		switch {
		case r == '`':
			return '\''
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}
	return strings.Trim(strings.Join(strings.Fields(strings.Map(printable, strings.TrimSpace(line))), " "), "? ")
}

// logsOf returns how long each log of a host is.
func logsOf(t *testing.T, h *host) map[string]int64 {
	t.Helper()
	sizes, root := map[string]int64{}, h.path("/var/log")
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, name)
		if err == nil && e.Type().IsRegular() && filepath.Join("/var/log", rel) != queries {
			sizes[filepath.Join("/var/log", rel)] = size(h, filepath.Join("/var/log", rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

// alarming begins a line of which an administrator would want to know the cause. amavisd
// marks what is serious with (!) and (!!).
var alarming = regexp.MustCompile(`(?i)panic|fatal|traceback|exception|segfault|warning|error|trouble|\(!`)

// timing is what a daemon logs that answers after endTime of scan/hosts is over, on a host
// that is slow or stopped, or that depends on which of two ends a connection first: no run
// can tell beforehand.
var timing = []struct {
	what *regexp.Regexp
	says string // in docs/harmless.md
}{
	{regexp.MustCompile(`^/usr/sbin/amavisd\[N\]: .*(?:TROUBLE in process_request: .*(?:reset by peer|Broken pipe)|Requesting process rundown after fatal error)`),
		"amavisd: `(!!)TROUBLE in process_request: ... Connection reset by peer` and `(!)Requesting process rundown after fatal error`; the child is replaced"},
	{regexp.MustCompile(`^(?:ConnectionResetError|BrokenPipeError): |^Traceback \(most recent call last\):$|^During handling of the above exception`), // whose last line tells the cause
		"policyd-rate-limit, iRedAPD, olefy and other programs in Python: a traceback that ends in `ConnectionResetError` or `BrokenPipeError`"},
	{regexp.MustCompile(`^postfix/[a-z/]+\[N\]: warning: haproxy read: (?:EOF|timeout error|time limit exceeded)$`),
		"Postfix, where it waits for a PROXY header: `haproxy read: EOF`, or `timeout error` if its own time is over first"},
	{regexp.MustCompile(`^postfix/[a-z/]+\[N\]: (?:SSL_accept error from|warning: TLS library problem)`),
		"Postfix: `SSL_accept error`, where a TLS handshake was begun on a slow host and not completed"},
}

// isTiming reports whether a line is listed among those that are a matter of timing.
func isTiming(line string) bool {
	for _, l := range timing {
		if l.what.MatchString(line) {
			return true
		}
	}
	return false
}

// TestHarmless holds docs/harmless.md against what a default sweep leaves in the logs of
// the daemons: it lists every line that looks alarming. With -update it adds what is new
// to the file.
func TestHarmless(t *testing.T) {
	n := hosts(t)
	names := []string{"exposed", "closed", "store", "front", "policy", "swapped", "signer"}
	before := map[string]map[string]int64{}
	for _, name := range names {
		before[name] = logsOf(t, n.hosts[name])
	}
	lookups := watchLookups(n)
	sweep(t, mailPorts(address4(11)+"-15", address4(17)+"-18"))
	lookups(t)

	kinds := map[string]map[string]int{} // by log, then by kind of line
	for _, name := range names {
		for log := range logsOf(t, n.hosts[name]) {
			for line := range strings.Lines(tail(t, n.hosts[name], log, before[name][log])) {
				if kind := kindOf(line); kind != "" {
					at := name + ": " + log
					if kinds[at] == nil {
						kinds[at] = map[string]int{}
					}
					kinds[at][kind]++
				}
			}
		}
	}
	text, err := os.ReadFile(harmlessFile)
	if err != nil && !(*update && errors.Is(err, fs.ErrNotExist)) {
		t.Fatal(err)
	}
	if *update {
		merge(kinds, listed(text))
		if err := os.WriteFile(harmlessFile, harmlessText(kinds), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for at, lines := range kinds {
		for line := range lines {
			if alarming.MatchString(line) && !isTiming(line) && !bytes.Contains(text, []byte(cell(line))) {
				t.Errorf("%s gained %q, which %s does not list", at, line, harmlessFile)
			}
		}
	}
}

const harmlessHead = `# What a scan leaves in the logs

Generated by ` + "`MXSWEEP_E2E=1 go test -run '^TestHarmless$' ./internal/e2e -update`" + `, from one scan of
the hosts of internal/e2e with the default probes: the lines that each log gained, without
times, and with N for each number. Which questions are asked depends on timing, so that
two runs differ: a further run adds its lines, and each has the number of the run in which
it was most frequent. Remove the file to start over. A test fails where a line that looks
alarming is not listed.

Never sent: a mail transaction (MAIL, RCPT, DATA, BDAT), a login or AUTH, a complete
policy request, a command that stops or reloads a daemon, trains a filter or scans a file,
HTTP methods that write. The loader of the signatures refuses probes that begin a line
so. Nothing is sent before the greeting on ports where a greeting is likely, until the
time for it is over ([limits.md](limits.md)).

Names and addresses in what is sent are looked up by no daemon: each host of this scan
has a name server that writes down its queries, and the test fails where one comes. What
an MTA may look up is the address of the scanner itself (PTR, then A or AAAA of the name
found), as for any client.

Every dialogue ends in order: the scanner ends its side, and reads on for up to three
seconds until the daemon has ended its own. Only a daemon that answers later than that
notices that its client has gone. That, and which side ends first, is a matter of timing:

`

// cell is a line as the table has it.
func cell(line string) string { return strings.ReplaceAll(line, "|", "\\|") }

// row is a line of the table.
var row = regexp.MustCompile("^\\| ([0-9]+) \\| `(.*)` \\|$")

// listed reads what harmlessText wrote.
func listed(text []byte) map[string]map[string]int {
	kinds, at := map[string]map[string]int{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if rest, is := strings.CutPrefix(line, "## "); is {
			at = rest
			kinds[at] = map[string]int{}
		} else if m := row.FindStringSubmatch(line); m != nil && at != "" {
			kinds[at][strings.ReplaceAll(m[2], `\|`, "|")], _ = strconv.Atoi(m[1]) // digits
		}
	}
	return kinds
}

// merge adds what earlier runs left to the lines of this one.
func merge(kinds, earlier map[string]map[string]int) {
	for at, lines := range earlier {
		if kinds[at] == nil {
			kinds[at] = map[string]int{}
		}
		for line, n := range lines {
			kinds[at][line] = max(kinds[at][line], n)
		}
	}
}

// TestHarmlessMerge reads what was written, and adds to it.
func TestHarmlessMerge(t *testing.T) {
	kinds := map[string]map[string]int{"a: /var/log/x": {"one | two": 3, "three": 1}}
	again := listed(harmlessText(kinds))
	if !maps.EqualFunc(again, kinds, maps.Equal[map[string]int, map[string]int]) {
		t.Errorf("read %v, want %v", again, kinds)
	}
	merge(again, map[string]map[string]int{"a: /var/log/x": {"three": 2, "four": 1}, "b": {"five": 1}})
	want := map[string]map[string]int{"a: /var/log/x": {"one | two": 3, "three": 2, "four": 1}, "b": {"five": 1}}
	if !maps.EqualFunc(again, want, maps.Equal[map[string]int, map[string]int]) {
		t.Errorf("merged to %v, want %v", again, want)
	}
}

// harmlessText is the file for the lines of a scan.
func harmlessText(kinds map[string]map[string]int) []byte {
	b := bytes.NewBufferString(harmlessHead)
	for _, l := range timing {
		fmt.Fprintf(b, "- %s\n", l.says)
	}
	b.WriteByte('\n')
	for _, at := range slices.Sorted(maps.Keys(kinds)) {
		lines := slices.SortedFunc(maps.Keys(kinds[at]), func(x, y string) int {
			return cmp.Or(cmp.Compare(kinds[at][y], kinds[at][x]), cmp.Compare(x, y))
		})
		fmt.Fprintf(b, "## %s\n\n| lines | text |\n| ---: | --- |\n", at)
		for _, line := range lines {
			if !isTiming(line) {
				fmt.Fprintf(b, "| %d | `%s` |\n", kinds[at][line], cell(line))
			}
		}
		b.WriteByte('\n')
	}
	return append(bytes.TrimRight(b.Bytes(), "\n"), 10)
}
