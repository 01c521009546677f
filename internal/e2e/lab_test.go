//go:build linux

package e2e

import (
	"cmp"
	"encoding/json"
	"errors"
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
	var truth labTruth
	truthFile := filepath.Join(home, "truth.json")
	text, err := os.ReadFile(truthFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatalf("reading %q: %v", truthFile, err)
	}

	// Every port that is open on any of the hosts is asked of each.
	ports := map[int]bool{}
	for _, p := range truth.Ports {
		ports[p.Port] = true
	}
	spec := "internal,public"
	for p := range ports {
		spec += "," + strconv.Itoa(p)
	}
	report := filepath.Join(t.TempDir(), "report.json")
	args := []string{"scan", "--progress", "never", "-o", "json=" + report, "-p", spec}
	for _, h := range truth.Hosts {
		if names == nil || slices.Contains(names, h.Name) {
			args = append(args, h.Address, h.Address6)
		}
	}
	if _, code := mxsweep(t, labScanner, args...); code != 1 {
		t.Errorf("exit code %d, want 1: most hosts of the laboratory are exposed", code)
	}
	saw, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, saw); err != nil {
		t.Errorf("the report does not follow the schema: %v", err)
	}
	doc := &document{}
	if err := json.Unmarshal(saw, doc); err != nil {
		t.Fatal(err)
	}
	checkNamed(t, doc, truth.Ports, names, share)

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
}

// checkNamed wants a product for a share of the ports of the hosts, those that
// testdata/lab/cannot-tell.txt excuses left out, and none for these. Whether
// it is the right one is the score's business.
func checkNamed(t *testing.T, doc *document, truth []truthPort, names []string, share float64) {
	t.Helper()
	excused := excuses(t)
	asked, named := 0, 0
	for _, want := range truth {
		if !want.Exposed || want.noise() || names != nil && !slices.Contains(names, want.Host) {
			continue
		}
		port := strconv.Itoa(want.Port)
		where := want.Host + " " + net.JoinHostPort(want.Address, port)
		reason := cmp.Or(excused[want.Host+":"+port], excused[net.JoinHostPort(want.Address, port)])
		got := doc.port(want.Address, want.Port)
		has := got != nil && got.Service.Product != ""
		switch {
		case reason != "" && has:
			t.Errorf("%s: named %s, and said to be beyond telling: %s", where, got.Service.Product, reason)
		case reason != "":
		case has:
			asked++
			named++
		default:
			asked++
			t.Logf("%s: not named, and %s is: %+v", where, want.Product, got)
		}
	}
	t.Logf("named %d of the %d ports that can be told", named, asked)
	if float64(named) < share*float64(asked) {
		t.Errorf("named %d of the %d ports that can be told, want %.0f %%", named, asked, 100*share)
	}
}

// excuses reads which ports cannot be told, and why.
func excuses(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/lab/cannot-tell.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if port, reason, ok := strings.Cut(strings.TrimSpace(line), " "); ok && port != "#" {
			list[port] = reason
		}
	}
	return list
}
