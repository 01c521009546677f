//go:build linux

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const labScanner = "mxlab-scanner"

// firstCircle is the hosts of the laboratory whose daemons mxsweep was built
// to tell apart first.
var firstCircle = []string{
	"classic-open", "classic-closed", "classic-acl", "policy-a", "policy-b", "dovecot", "proxied-imap", "courier",
	"cyrus", "perdition", "imapproxy", "nginx-mail", "antispam-a", "antispam-b", "noise", "empty",
}

// A labTruth is what runs in the laboratory, as far as these tests read it.
type labTruth struct {
	Hosts []struct {
		Name     string `json:"name"`
		Address  string `json:"address"`
		Address6 string `json:"address6"`
	} `json:"hosts"`
	Ports []truthPort `json:"ports"`
}

type truthPort struct {
	Host    string `json:"host"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	Product string `json:"product"`
	Exposed bool   `json:"exposed"`

	// Internal says that strangers have no business there, and ACL what the
	// daemon itself lets in, if not all.
	Internal bool   `json:"internal_only"`
	ACL      string `json:"acl"`
}

// target names the port as mxsweep takes it.
func (p truthPort) target() string {
	return net.JoinHostPort(p.Address, strconv.Itoa(p.Port))
}

func (p truthPort) String() string {
	return fmt.Sprintf("%s %s (%s)", p.Host, p.target(), p.Product)
}

// noise reports whether what listens is not a daemon that has a name.
func (p truthPort) noise() bool {
	return strings.HasPrefix(p.Product, "noise:") || p.Product == "socat"
}

var laboratory struct {
	once    sync.Once
	dir     string // of its programs
	home    string // of what it made
	started bool   // by this run, which then stops it
	err     error
}

// lab installs and starts the laboratory of mail daemons beside the
// repository, unless it runs already, and returns where it is. One that this
// test started is stopped at its end.
func lab(t *testing.T) (dir, home string) {
	t.Helper()
	need(t)
	l := &laboratory
	l.dir = os.Getenv("MXSWEEP_LAB")
	if l.dir == "" {
		l.dir = filepath.Join("..", "..", "..", "shared", "lab")
	}
	if _, err := os.Stat(filepath.Join(l.dir, "lab")); err != nil {
		t.Skipf("no laboratory of mail daemons: %v", err)
	}
	if l.home = os.Getenv("MXLAB_HOME"); l.home == "" {
		l.home = filepath.Join(os.TempDir(), "mxlab")
	}
	l.once.Do(func() { l.err = startLab() })
	if l.err != nil {
		t.Fatal(l.err)
	}
	return l.dir, l.home
}

// startLab installs and starts what of the laboratory does not run.
func startLab() error {
	l := &laboratory
	program := filepath.Join(l.dir, "lab")
	// Its exit code tells of ports that do not listen, its lines of hosts
	// that are down.
	out, err := exec.Command(program, "status").Output()
	down := strings.Count(string(out), " down\n")
	if err == nil && down == 0 {
		return nil
	}
	l.started = down == strings.Count(string(out), "\n")
	if err := run(program, "install"); err != nil {
		return err
	}
	return run(program, "up")
}

// stopLab stops the laboratory if this run started it.
func stopLab() error {
	if !laboratory.started {
		return nil
	}
	return run(filepath.Join(laboratory.dir, "lab"), "down")
}

func TestLabFirstCircle(t *testing.T) {
	scoreLab(t, firstCircle, 1)
}

func TestLabWhole(t *testing.T) {
	scoreLab(t, nil, 0.97)
}

// scoreLab sweeps hosts of the laboratory, all of them if none is named, and
// fails on whatever its score calls wrong. At least the given share of the
// ports that can be told must be named.
func scoreLab(t *testing.T, names []string, share float64) {
	dir, home := lab(t)
	truthFile := filepath.Join(home, "truth.json")
	truth := readTruth(t, truthFile)

	// Every port that is open on any of the hosts is asked of each.
	ports := map[int]bool{}
	for _, p := range truth.Ports {
		ports[p.Port] = true
	}
	args := []string{"-p", "internal,public"}
	for _, p := range slices.Sorted(maps.Keys(ports)) {
		args[1] += "," + strconv.Itoa(p)
	}
	for _, h := range truth.Hosts {
		if names == nil || slices.Contains(names, h.Name) {
			args = append(args, h.Address, h.Address6)
		}
	}
	report := filepath.Join(t.TempDir(), "report.json")
	doc := sweepLab(t, report, args...)

	cmd := exec.Command("/usr/bin/python3", filepath.Join(dir, "score.py"), truthFile, report)
	if names != nil {
		cmd.Args = append(append(cmd.Args, "--only"), names...)
	}
	scored, err := cmd.CombinedOutput()
	t.Logf("score:\n%s", scored)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Error("the score has something wrong")
	} else if err != nil {
		t.Fatal(err)
	}

	// Daemons of a machine that is busy with other work miss their time; those
	// that miss it alone, too, have another cause.
	missing := truth.tellable(t, names)
	count := len(missing)
	for round := range labRounds {
		if round > 0 {
			again := []string{}
			for _, p := range missing {
				t.Logf("%s: not named as it should be at first", p)
				again = append(again, p.target())
			}
			doc = sweepLab(t, report, again...)
		}
		excused := excuses(t, "testdata/lab/lighter.txt")
		missing = slices.DeleteFunc(missing, func(p truthPort) bool { return named(doc, p) && graded(doc, p, excused) })
		if len(missing) == 0 {
			break
		}
	}
	for _, p := range missing {
		t.Logf("%s: not named as it should be, heaviest finding %q", p, heaviest(doc.findings(p.Address, p.Port)))
	}
	if least := int(math.Ceil(share * float64(count))); count-len(missing) < least {
		t.Errorf("named and graded %d of the %d ports that can be told, want %d", count-len(missing), count, least)
	}
}

// labRounds is how often the laboratory is swept at most, from the second time on
// only what was not named.
const labRounds = 3

// sweepLab sweeps from the laboratory's scanner and writes the report.
func sweepLab(t *testing.T, report string, args ...string) *document {
	t.Helper()
	args = append([]string{"scan", "--progress", "never", "-o", "json=" + report}, args...)
	// Most hosts are exposed.
	if _, code := mxsweep(t, labScanner, args...); code != 1 && code != 0 {
		t.Errorf("exit code %d", code)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, text); err != nil {
		t.Errorf("the report does not follow the schema: %v", err)
	}
	doc := &document{}
	if err := json.Unmarshal(text, doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func readTruth(t *testing.T, name string) *labTruth {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	truth := &labTruth{}
	if err := json.Unmarshal(text, truth); err != nil {
		t.Fatalf("reading %q: %v", name, err)
	}
	return truth
}

// tellable returns the ports of the named hosts, of all if names is nil, whose
// product a safe dialogue can tell: all that can be reached but noise and what
// testdata/lab/cannot-tell.txt excuses.
func (l *labTruth) tellable(t *testing.T, names []string) []truthPort {
	t.Helper()
	excused := excuses(t, "testdata/lab/cannot-tell.txt")
	return slices.DeleteFunc(slices.Clone(l.Ports), func(p truthPort) bool {
		return !p.Exposed || p.noise() || names != nil && !slices.Contains(names, p.Host) || excused.cover(p)
	})
}

// graded reports whether a port has a finding of medium weight or more, if it is
// internal, the daemon's own access list does not refuse strangers, and it is
// not excused.
func graded(doc *document, p truthPort, excused excuseList) bool {
	if !p.Internal || p.ACL != "" || excused.cover(p) {
		return true
	}
	return slices.Contains([]string{"medium", "high", "critical"}, heaviest(doc.findings(p.Address, p.Port)))
}

// named reports whether the report names the product of a port.
func named(doc *document, p truthPort) bool {
	got := doc.port(p.Address, p.Port)
	return got != nil && got.Service.Product != ""
}

// An excuseList gives the reasons why ports of the laboratory are not held to
// a rule, by host:port or [address]:port.
type excuseList map[string]string

func (l excuseList) cover(p truthPort) bool {
	return l[p.target()] != "" || l[net.JoinHostPort(p.Host, strconv.Itoa(p.Port))] != ""
}

func excuses(t *testing.T, name string) excuseList {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	list := excuseList{}
	for line := range strings.Lines(string(text)) {
		if port, reason, ok := strings.Cut(strings.TrimSpace(line), " "); ok && port != "#" {
			list[port] = reason
		}
	}
	return list
}
