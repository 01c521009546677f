//go:build linux

package e2e

import (
	"bufio"
	"cmp"
	"os"
	"os/exec"
	"testing"
)

// The percentage of packets that get lost on the way to the laboratory, each way, and how
// many milliseconds they take; scripts/score sets them.
const (
	labLoss  = "MXSWEEP_LAB_LOSS"
	labDelay = "MXSWEEP_LAB_DELAY"
)

// worsenLabPath has packets of the laboratory's scanner get lost and come late until the
// test ends, if the environment asks for it. It reports whether they do.
func worsenLabPath(t *testing.T) bool {
	t.Helper()
	loss, delay := cmp.Or(os.Getenv(labLoss), "0"), cmp.Or(os.Getenv(labDelay), "0")
	if loss == "0" && delay == "0" {
		return false
	}
	cmd := exec.Command("../lab/path", loss, delay)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the way to the laboratory: %v", err)
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the way to the laboratory is not worse: %q, %v", line, err)
	}
	t.Logf("%s%% of the packets get lost each way, and each takes %s ms", loss, delay)
	return true
}
