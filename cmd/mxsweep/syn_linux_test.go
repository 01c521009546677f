package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"github.com/mxsweep/mxsweep/internal/gate"
)

// A synLab is two linked network namespaces: the scanner has 10.93.0.1, and
// 10.93.1.0/24 and fd93:1::/120 are at the other end, with all ports closed.
type synLab struct {
	t       *testing.T
	name, s string // prefix of both, and name of the scanner's
	dir     string
}

func newSynLab(t *testing.T) *synLab {
	t.Helper()
	gate.Namespaces(t, "ip")
	name := fmt.Sprintf("mxcmd-%d-%s-", os.Getpid(), t.Name()[len("TestSyn"):])
	l := &synLab{t: t, name: name, s: name + "s", dir: t.TempDir()}
	for _, n := range []string{"s", "d"} {
		if out, err := exec.Command("ip", "netns", "add", name+n).CombinedOutput(); err != nil {
			t.Skipf("making a network namespace: %v\n%s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name+n).Run() })
	}
	for line := range strings.Lines(`link add sd netns @s type veth peer name ds netns @d
-n @s link set lo up
-n @d link set lo up
-n @s addr add 10.93.0.1/24 dev sd
-n @s addr add fd93::1/64 dev sd nodad
-n @d addr add 10.93.0.2/24 dev ds
-n @d addr add fd93::2/64 dev ds nodad
-n @s link set sd up
-n @d link set ds up
-n @s route add 10.93.1.0/24 via 10.93.0.2
-n @s route add fd93:1::/64 via fd93::2
-n @d route add local 10.93.1.0/24 dev lo
-n @d route add local fd93:1::/64 dev lo`) {
		args := strings.Fields(strings.ReplaceAll(line, "@", name))
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v\n%s", args, err, out)
		}
	}
	return l
}

// command returns "mxsweep scan --mode syn" in the scanner's namespace.
func (l *synLab) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	args = append([]string{"netns", "exec", l.s, "mxsweep", "scan", "--mode", "syn", "-p", "25,10025", "--all-ports", "--no-identify", "--fail-on", "none", "-q"}, args...)
	cmd := exec.CommandContext(l.t.Context(), "ip", args...)
	var said bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, &said, &said
	return cmd, &said
}

// scan runs it, checks the exit code and returns the output.
func (l *synLab) scan(want int, args ...string) string {
	l.t.Helper()
	cmd, said := l.command(args...)
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		l.t.Errorf("%q: exit code %d, want %d\n%s", args, got, want, said)
	}
	return said.String()
}

// A synReport is the part of a report that the tests read.
type synReport struct {
	Run     struct{ Mode string }
	Ports   []synPort
	Notices []struct{ Message string }
	Summary struct {
		Complete bool
		ExitCode int `json:"exit_code"`
	}
}

type synPort struct {
	IP                       string
	Port                     uint16
	State, Reason, Timestamp string
}

func (l *synLab) report(name string) (r synReport) {
	l.t.Helper()
	data, err := os.ReadFile(filepath.Join(l.dir, name))
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// states counts the ports of a report by state and reason.
func (r synReport) states() map[string]int {
	out := map[string]int{}
	for _, p := range r.Ports {
		out[p.State+" "+p.Reason]++
	}
	return out
}

// TestSynMixed sweeps this machine itself with connections and the others with
// SYNs, in one run, and captures the SYNs.
func TestSynMixed(t *testing.T) {
	t.Parallel()
	l := newSynLab(t)
	l.scan(0, "10.93.0.0/30", "10.93.1.0/29", "fd93::1", "fd93:1::/125", "127.0.0.1", "-x", "10.93.0.0,10.93.0.3", "-o", "json=a.json", "--pcap", "a.pcap")
	r := l.report("a.json")
	if got := r.states(); r.Run.Mode != "syn" || got["closed conn-refused"] != 3*2 || got["closed reset"] != 17*2 || len(r.Ports) != 20*2 {
		t.Errorf("mode %s, %v", r.Run.Mode, got)
	}
	if m := r.Notices[0].Message; !strings.HasPrefix(m, "Addresses of this machine itself were scanned with full connections (pairs of address and port: 6)") {
		t.Errorf("notice: %s", m)
	}
	file, err := os.Open(filepath.Join(l.dir, "a.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	in, err := pcapgo.NewReader(file)
	n := 0
	for ; err == nil; n++ {
		_, _, err = in.ReadPacketData()
	}
	if err != io.EOF || n-1 < 2*17*2 {
		t.Errorf("%d packets were captured, %v", n-1, err)
	}
}

// TestSynPcapFull has the capture fail.
func TestSynPcapFull(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	l := newSynLab(t)
	said := l.scan(3, "10.93.1.0/29", "-o", "json=a.json", "--pcap", "/dev/full")
	if !strings.Contains(said, `writing "/dev/full": no space left on device`) {
		t.Errorf("said %q", said)
	}
	if r := l.report("a.json"); r.Summary.ExitCode != 3 || len(r.Ports) != 16 {
		t.Errorf("%+v", r.Summary)
	}
}

// TestSynWithoutRight lacks the privilege for raw sockets.
func TestSynWithoutRight(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv (util-linux)")
	}
	l := newSynLab(t)
	mxsweep, err := exec.LookPath("mxsweep")
	if err != nil {
		t.Fatal(err)
	}
	cmd, said := l.command("10.93.1.0/29", "-o", "json=a.json")
	cmd.Args = append([]string{"ip", "netns", "exec", l.s, "setpriv", "--bounding-set=-net_raw", mxsweep}, cmd.Args[5:]...)
	err = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 3 || !strings.Contains(said.String(), "setcap cap_net_raw+ep") ||
		!strings.Contains(said.String(), "omit --mode syn") {
		t.Errorf("exit code %d, %v\n%s", code, err, said)
	}
	if _, err := os.Stat(filepath.Join(l.dir, "a.json")); err == nil {
		t.Error("a report of nothing was written")
	}
}

// begin starts a slow sweep and waits until a file that it writes is long
// enough.
func (l *synLab) begin(file string, long func([]byte) bool, args ...string) (*exec.Cmd, *bytes.Buffer) {
	l.t.Helper()
	cmd, said := l.command(append(args, "-r", "100", "-o", "jsonl=live.jsonl")...)
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	begun, tick := time.Now(), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		if data, _ := os.ReadFile(filepath.Join(l.dir, file)); long(data) {
			return cmd, said
		}
		if took := time.Since(begun); took > signalLimit {
			l.t.Fatalf("nothing in %v\n%s", took, said)
		}
	}
}

// TestSynInterfaceDown has the interface go down in the middle: the run is
// aborted, and reports its results.
func TestSynInterfaceDown(t *testing.T) {
	t.Parallel()
	l := newSynLab(t)
	told := func(lines []byte) bool { return bytes.Contains(lines, []byte(`"type":"port"`)) }
	cmd, said := l.begin("live.jsonl", told, "10.93.1.0/24", "-o", "json=a.json")
	if out, err := exec.Command("ip", "-n", l.s, "link", "set", "sd", "down").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 3 || !strings.Contains(said.String(), `sending on interface "sd": `) {
		t.Errorf("exit code %d\n%s", code, said)
	}
	r := l.report("a.json")
	if r.Summary.Complete || r.Summary.ExitCode != 3 || r.states()["closed reset"] == 0 || len(r.Ports) >= 512 {
		t.Errorf("%+v, %v", r.Summary, r.states())
	}
}

// TestSynKilled kills a run and resumes it: no reported result is lost, and
// recorded pairs are not probed again.
func TestSynKilled(t *testing.T) {
	t.Parallel()
	l := newSynLab(t)
	args := []string{"10.93.1.0/26", "10.93.0.1", "fd93:1::/122", "--resume", "progress"}
	noted := func(journal []byte) bool {
		const head = 2 // in lines
		lines := bytes.SplitN(journal, []byte("\n"), head+1)
		return len(lines) == head+1 && len(lines[head]) > 300
	}
	cmd, _ := l.begin("progress", noted, args...)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	told := map[string]string{} // when each was reported to have answered
	live, err := os.Open(filepath.Join(l.dir, "live.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	for lines := bufio.NewScanner(live); lines.Scan(); {
		var p synPort
		if json.Unmarshal(lines.Bytes(), &p) == nil && p.State == "closed" {
			told[fmt.Sprint(p.IP, " ", p.Port)] = p.Timestamp
		}
	}
	l.scan(0, append(args, "-o", "json=a.json")...)
	r := l.report("a.json")
	if len(r.Ports) != 129*2 || r.states()["closed reset"] != 128*2 {
		t.Errorf("%v", r.states())
	}
	same := 0
	for _, p := range r.Ports {
		name := fmt.Sprint(p.IP, " ", p.Port)
		if told[name] == p.Timestamp {
			same++
		}
		delete(told, name)
	}
	// A record takes less than 30 bytes.
	if same < 10 || len(told) > 0 {
		t.Errorf("%d told once, lost: %v", same, told)
	}
	if _, err := os.Stat(filepath.Join(l.dir, "progress")); err == nil {
		t.Error("the progress of a run that is done is left")
	}
}
