//go:build linux

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/signatures"
)

// probeCountsFile is what TestLabWhole writes with -update.
const probeCountsFile = "../../signatures/probes-lab.json"

// countProbes counts at how many open ports each probe was asked, and at how many its
// reply is evidence for what the daemon is.
func countProbes(open []exposure.Subject) signatures.LabCounts {
	c := signatures.LabCounts{Ports: len(open), Probes: map[string]signatures.LabCount{}}
	for _, port := range open {
		if port.Service == nil || port.Service.Transcript == nil {
			continue
		}
		deciding := map[string]bool{}
		for _, e := range port.Service.Evidence {
			if port.Service.MatchedRule != "" && e.Observation == "" {
				deciding[e.Probe] = true
			}
		}
		asked := map[string]bool{}
		for i := range port.Service.Transcript.Exchanges {
			asked[port.Service.Transcript.Exchanges[i].Probe] = true
		}
		for id := range asked {
			n := c.Probes[id]
			n.Asked++
			if deciding[id] {
				n.Decided++
			}
			c.Probes[id] = n
		}
	}
	return c
}

// updateProbeCounts writes the counts of the whole laboratory with -update; probes that
// were never asked there have zeros.
func updateProbeCounts(t *testing.T, c signatures.LabCounts) {
	t.Helper()
	if !*update {
		return
	}
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range set.Probes {
		if _, ok := c.Probes[p.ID]; !ok {
			c.Probes[p.ID] = signatures.LabCount{}
		}
	}
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(probeCountsFile, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// countConnections begins to count the connections of the laboratory's scanner. The
// function that it returns ends that, and returns the arguments for the score; none
// where this machine cannot count.
func countConnections(t *testing.T) (end func() []string) {
	t.Helper()
	const program = "../lab/connections"
	if out, err := exec.Command(program, "begin").CombinedOutput(); err != nil {
		t.Logf("connections are not counted: %v\n%s", err, out)
		return func() []string { return nil }
	}
	return func() []string {
		counts, err := exec.Command(program, "end").Output()
		if err != nil {
			t.Fatalf("counting connections: %v", err)
		}
		name := filepath.Join(t.TempDir(), "connections.json")
		if err := os.WriteFile(name, counts, 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{"--connections", name}
	}
}
