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

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/signatures"
)

const labScanner = "mxlab-scanner"

// firstCircle is the hosts of the laboratory whose daemons mxsweep was built
// to tell apart first.
var firstCircle = []string{
	"classic-open", "classic-closed", "classic-acl", "policy-a", "policy-b", "dovecot", "proxied-imap", "courier",
	"cyrus", "perdition", "imapproxy", "nginx-mail", "antispam-a", "antispam-b", "noise", "empty",
}

// A labTruth is what runs in the laboratory, as far as these tests read
// internal/lab/truth.json.
type labTruth struct {
	Hosts []struct {
		Name   string      `json:"name"`
		Number int         `json:"number"`
		Ports  []truthPort `json:"ports"`
	} `json:"hosts"`
}

// A truthPort is one listener at one of the addresses of its host.
type truthPort struct {
	Host    string `json:"-"`
	Address string `json:"-"`
	Port    int    `json:"port"`
	Bind    string `json:"bind"`
	Product string `json:"product"`

	// Internal says that strangers have no business there, and ACL what the
	// daemon itself lets in, if not all.
	Internal bool   `json:"internal"`
	ACL      string `json:"acl"`
}

func labAddress4(number int) string { return fmt.Sprintf("10.77.0.%d", number) }
func labAddress6(number int) string { return fmt.Sprintf("fd77::%d", number) }

// exposed returns the listeners that the scanner can reach, once for each address.
func (l *labTruth) exposed() []truthPort {
	var list []truthPort
	for _, h := range l.Hosts {
		for _, p := range h.Ports {
			p.Host = h.Name
			if p.Bind == "0.0.0.0" || p.Bind == "*" {
				p.Address = labAddress4(h.Number)
				list = append(list, p)
			}
			if p.Bind == "[::]" || p.Bind == "*" {
				p.Address = labAddress6(h.Number)
				list = append(list, p)
			}
		}
	}
	return list
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
	return strings.HasPrefix(p.Product, "noise:")
}

// labProgram runs the laboratory.
const labProgram = "../lab/lab"

var laboratory struct {
	once    sync.Once
	started bool // by this run, which then stops it
	err     error
}

// lab starts the laboratory of mail daemons, unless it runs already. One that this
// test started is stopped at its end.
func lab(t *testing.T) {
	t.Helper()
	needPrograms(t, []string{"/usr/bin/python3"})
	// One run at a time: two would stop the daemons that the other one asks.
	if _, err := theRecord(); err != nil {
		t.Fatal(err)
	}
	laboratory.once.Do(func() { laboratory.err = startLab() })
	var exit *exec.ExitError
	if errors.As(laboratory.err, &exit) && exit.ExitCode() == exitLack {
		gate.Lack(t, laboratory.err.Error())
	}
	if laboratory.err != nil {
		t.Fatal(laboratory.err)
	}
}

// exitLack is the exit code of the laboratory where this machine lacks a package.
const exitLack = 77

// startLab starts what of the laboratory does not run.
func startLab() error {
	// Its exit code tells of ports that do not listen, its lines of hosts
	// that are down.
	out, err := exec.Command(labProgram, "status").Output()
	down := strings.Count(string(out), " down\n")
	if err == nil && down == 0 {
		return nil
	}
	laboratory.started = down == strings.Count(string(out), "\n")
	return runTool(labProgram, "up")
}

// stopLab stops the laboratory if this run started it.
func stopLab() error {
	if !laboratory.started {
		return nil
	}
	return runTool(labProgram, "down")
}

func TestLabFirstCircle(t *testing.T) {
	scoreLab(t, firstCircle, 1)
}

func TestLabWhole(t *testing.T) {
	scoreLab(t, nil, 0.97)
}

// scoreLab sweeps hosts of the laboratory, all of them if none is named, and
// fails on whatever its score calls wrong. At least the given share of the
// ports that can be told must be named, unless the way there is made worse.
func scoreLab(t *testing.T, names []string, share float64) {
	lab(t)
	truth := readTruth(t)
	opts := truth.sweep(names)
	report := filepath.Join(t.TempDir(), "report.json")
	counted := countConnections(t)
	worse := worsenLabPath(t)
	doc, probes := sweepLab(t, report, opts)
	connections := counted()
	if names == nil && !worse {
		updateProbeCounts(t, probes)
	}

	cmd := exec.Command("../lab/score", append([]string{report}, connections...)...)
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
	if worse {
		return // what is not heard cannot be named
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
			doc, _ = sweepLab(t, report, run.Options{Targets: again})
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

// sweep returns options for hosts of the laboratory, all of them if none is named. Every
// port that is open on any of the hosts is asked of each.
func (l *labTruth) sweep(names []string) run.Options {
	ports := map[int]bool{}
	for _, h := range l.Hosts {
		for _, p := range h.Ports {
			ports[p.Port] = true
		}
	}
	list := "internal,public"
	for _, p := range slices.Sorted(maps.Keys(ports)) {
		list += "," + strconv.Itoa(p)
	}
	opts := run.Options{Ports: []string{list}}
	for _, h := range l.Hosts {
		if names == nil || slices.Contains(names, h.Name) {
			opts.Targets = append(opts.Targets, labAddress4(h.Number), labAddress6(h.Number))
		}
	}
	return opts
}

// labRounds is how often the laboratory is swept at most, from the second time on
// only what was not named.
const labRounds = 3

// sweepLab sweeps from the laboratory's scanner and writes the report. It also returns
// how often each probe was asked.
func sweepLab(t *testing.T, report string, opts run.Options) (*document, signatures.LabCounts) {
	t.Helper()
	a := scan(t, labScanner, opts)
	// Most hosts are exposed.
	if a.Code > 1 {
		t.Errorf("exit code %d", a.Code)
	}
	if err := os.WriteFile(report, a.Report, 0o600); err != nil {
		t.Fatal(err)
	}
	return read(t, a.Report, int(a.Code)), a.Probes
}

func readTruth(t *testing.T) *labTruth {
	t.Helper()
	const name = "../lab/truth.json"
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
	return slices.DeleteFunc(l.exposed(), func(p truthPort) bool {
		return p.noise() || names != nil && !slices.Contains(names, p.Host) || excused.cover(p)
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
