//go:build linux

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
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
	Ports []struct {
		Port    int  `json:"port"`
		Exposed bool `json:"exposed"`
	} `json:"ports"`
}

var laboratory struct {
	once sync.Once
	dir  string // of its programs
	home string // of what it made
	err  error
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
	l.once.Do(func() { l.err = startLab(l.dir) })
	if l.err != nil {
		t.Fatal(l.err)
	}
	return l.dir, l.home
}

func startLab(dir string) error {
	program := filepath.Join(dir, "lab")
	if run(program, "status") == nil {
		out, err := exec.Command(program, "status").Output()
		if err == nil && !strings.Contains(string(out), " down\n") {
			return nil
		}
	}
	if err := run(program, "install"); err != nil {
		return err
	}
	// It answers that a host is incomplete with an exit code.
	return run(program, "up")
}

func TestLabFirstCircle(t *testing.T) {
	scoreLab(t, firstCircle)
}

func TestLabWhole(t *testing.T) {
	scoreLab(t, nil)
}

// scoreLab sweeps hosts of the laboratory, all of them if none is named, and
// fails on whatever its score calls wrong.
func scoreLab(t *testing.T, names []string) {
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
	began := time.Now()
	out, code := mxsweep(t, labScanner, args...)
	t.Logf("swept in %.1f s, exit code %d", time.Since(began).Seconds(), code)
	if code != 1 {
		t.Errorf("exit code %d, want 1: most hosts of the laboratory are exposed\n%s", code, out)
	}

	cmd := exec.Command("/usr/bin/python3", filepath.Join(dir, "score.py"), truthFile, report)
	if names != nil {
		cmd.Args = append(append(cmd.Args, "--only"), names...)
	}
	scored, err := cmd.CombinedOutput()
	t.Logf("score:\n%s", scored)
	if dest := os.Getenv("MXSWEEP_LAB_REPORT"); dest != "" {
		if err := keep(report, dest, t.Name()); err != nil {
			t.Error(err)
		}
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Error("the score has something wrong")
	} else if err != nil {
		t.Fatal(err)
	}
}

// keep copies a report into a folder, named by its test.
func keep(report, dir, name string) error {
	text, err := os.ReadFile(report)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s.json", name)), text, 0o644)
}
