//go:build linux

package e2e

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write docs/harmless.md and signatures/probes-lab.json again")

// A watched host is one whose logs are read again after a scan.
type watched struct {
	name  string // in docs/harmless.md
	root  string // its / as seen from outside
	sizes map[string]int64
}

// watch notes how long each log of a host is.
func watch(t *testing.T, name, root string) *watched {
	t.Helper()
	w := &watched{name: name, root: root}
	w.note(t)
	return w
}

// note takes the length of each log.
func (w *watched) note(t *testing.T) {
	t.Helper()
	w.sizes = map[string]int64{}
	for log, file := range w.logs(t) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		w.sizes[log] = info.Size()
	}
}

// logs returns where each log can be read.
func (w *watched) logs(t *testing.T) map[string]string {
	t.Helper()
	files, root := map[string]string{}, filepath.Join(w.root, "/var/log")
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, name)
		if log := filepath.Join("/var/log", rel); err == nil && e.Type().IsRegular() && log != queries {
			files[log] = name
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// gained returns the lines that the logs of hosts gained.
func gained(t *testing.T, list []*watched) logKinds {
	t.Helper()
	kinds := logKinds{}
	for _, w := range list {
		w.gained(t, kinds)
	}
	return kinds
}

// gained adds the lines that the logs gained to kinds.
func (w *watched) gained(t *testing.T, kinds logKinds) {
	t.Helper()
	for log, file := range w.logs(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range entries(string(text[min(w.sizes[log], int64(len(text))):])) {
			if kind := kindOf(line); kind != "" {
				kinds.add(w.name+": "+log, kind, 1)
			}
		}
	}
}

// TestHarmless holds docs/harmless.md against what a default sweep leaves in the logs of
// the daemons: it lists every line that looks alarming. With -update it adds what is new
// to the file.
func TestHarmless(t *testing.T) {
	n := hosts(t)
	var list []*watched
	for _, name := range []string{"exposed", "closed", "store", "front", "policy", "swapped", "signer"} {
		list = append(list, watch(t, name, n.hosts[name].path("/")))
	}
	again := func() traces {
		lookups, left := watchLookups(n), traces{}
		sweep(t, mailPorts(address4(11)+"-15", address4(17)+"-18"))
		lookups(t, left)
		return left
	}
	left := again()
	kinds := gained(t, list)
	left.hold(t, again)
	if *update {
		addHarmless(t, kinds)
	} else {
		holdHarmless(t, kinds, func() logKinds {
			for _, w := range list {
				w.note(t)
			}
			again()
			return gained(t, list)
		})
	}
}

// TestLabHarmless does the same with all daemons of the laboratory. It runs with -update
// only: TestHarmless is enough to see that a probe became noisy, and is much shorter.
func TestLabHarmless(t *testing.T) {
	if !*update {
		t.Skip("the laboratory's logs are read with -update only")
	}
	lab(t)
	truth := readTruth(t)
	var list []*watched
	for _, h := range truth.Hosts {
		list = append(list, watch(t, "lab, "+h.Name, labRoot(t, h.Name)))
	}
	sweepLab(t, filepath.Join(t.TempDir(), "report.json"), truth.sweep(nil))
	addHarmless(t, gained(t, list))
}

// labRoot returns the / of a host of the laboratory, whose first process "lab up" notes.
func labRoot(t *testing.T, name string) string {
	t.Helper()
	home := os.Getenv("MXLAB_HOME")
	if home == "" {
		home = filepath.Join(os.TempDir(), "mxlab")
	}
	text, err := os.ReadFile(filepath.Join(home, "state", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatalf("reading the state of %q: %v", name, err)
	}
	return fmt.Sprintf("/proc/%d/root", state.PID)
}

// addHarmless adds what logs gained to docs/harmless.md.
func addHarmless(t *testing.T, kinds logKinds) {
	t.Helper()
	text, err := os.ReadFile(harmlessFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	kinds.merge(listed(text))
	if err := os.WriteFile(harmlessFile, harmlessText(kinds), 0o644); err != nil {
		t.Fatal(err)
	}
}

// holdHarmless holds docs/harmless.md against what logs gained. What it does not list must
// come again in a further scan: daemons also log what has other causes, such as the load of
// the machine.
func holdHarmless(t *testing.T, kinds logKinds, again func() logKinds) {
	t.Helper()
	text, err := os.ReadFile(harmlessFile)
	if err != nil {
		t.Fatal(err)
	}
	known := listed(text)
	news := kinds.alarming(known)
	if len(news) == 0 {
		return
	}
	t.Logf("scanned again because of %v", news)
	for at, lines := range again().alarming(known) {
		for line := range lines {
			if news[at][line] > 0 {
				t.Errorf("%s gained %q in both scans, which %s does not list", at, line, harmlessFile)
			}
		}
	}
}

// TestHarmlessAlarming: a line is listed for all logs of the same name.
func TestHarmlessAlarming(t *testing.T) {
	known := logKinds{"a: /log/x": {"warning: listed": 1}}
	one := logKinds{
		"b: /log/x": {"warning: listed": 2, "quiet": 1},
		"b: /log/y": {"warning: listed": 1, "dovecot: Warning: Time moved forwards by N.N seconds - adjusting timeouts.": 1},
	}
	news := one.alarming(known)
	if len(news) != 1 || news["b: /log/y"]["warning: listed"] != 1 || len(news["b: /log/y"]) != 1 {
		t.Errorf("alarming and not listed: %v", news)
	}
}
