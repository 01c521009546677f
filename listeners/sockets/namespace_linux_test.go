package sockets

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mxsweep/mxsweep/internal/gate"
)

// TestOtherNamespace: sockets in the network namespace of another process are listed with
// it, and whether they accept IPv4 too, but not as those of this machine.
func TestOtherNamespace(t *testing.T) {
	gate.Namespaces(t, "ip", "sleep")
	if os.Getenv(insideVariable) != "" {
		listenUntilTold(t)
		return
	}
	name := "mxsockets-" + strconv.Itoa(os.Getpid()) + "-other"
	run(t, "ip", "netns", "add", name)
	t.Cleanup(func() { run(t, "ip", "netns", "del", name) })
	run(t, "ip", "-n", name, "link", "set", "lo", "up")
	run(t, "ip", "-n", name, "addr", "add", "192.0.2.7/32", "dev", "lo")
	cmd := exec.CommandContext(t.Context(), "ip", "netns", "exec", name, os.Args[0], "-test.run=^TestOtherNamespace$")
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "listening\n" {
		t.Fatalf("%q, %v", line, err)
	}
	snapshot, err := List(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range snapshot.Sockets {
		s := &snapshot.Sockets[i]
		if s.Namespace == nil || s.Namespace.PID != cmd.Process.Pid {
			continue
		}
		got = append(got, s.String())
		if len(s.Owners) != 1 || s.Owners[0].PID != cmd.Process.Pid {
			t.Errorf("%s: %+v", s, s.Owners)
		}
		if s.Namespace.Name != name {
			t.Errorf("the namespace is called %q", s.Namespace.Name)
		}
		if a := s.Namespace.Addresses; len(a) != 1 || a[0].String() != "192.0.2.7" {
			t.Errorf("the addresses of the namespace: %v", a)
		}
	}
	if text := strings.Join(got, " "); text != "*:10025 [::]:10026 127.0.0.1:10027" {
		t.Errorf("got %s", text)
	}
	_ = stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// listenUntilTold opens sockets until its input ends.
func listenUntilTold(t *testing.T) {
	t.Helper()
	for i, k := range []kind{{network: "tcp6", address: "[::]"}, {network: "tcp6", address: "[::]", v6only: true}, {network: "tcp4", address: "127.0.0.1"}} {
		ln := k.listen(t, uint16(10025+i))
		if ln == nil {
			t.Fatal("cannot listen")
		}
		defer ln.Close()
	}
	fmt.Println("listening")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// TestUnprivileged: a user without rights gets the same sockets as root, and is told what
// cannot be seen.
func TestUnprivileged(t *testing.T) {
	gate.Ask(t, "no process of another user is started")
	if os.Getenv(insideVariable) != "" {
		snapshot, err := List(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(described(snapshot)); err != nil {
			t.Fatal(err)
		}
		kinds := map[GapKind]int{}
		for _, g := range snapshot.Gaps {
			kinds[g.Kind]++
		}
		if err := json.NewEncoder(os.Stdout).Encode(kinds); err != nil {
			t.Fatal(err)
		}
		return
	}
	if os.Geteuid() != 0 {
		gate.Lack(t, "needs root to start a process of another user")
	}
	ln := kind{network: "tcp4", address: "127.0.0.1"}.listen(t, 0)
	defer ln.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestUnprivileged$")
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := json.NewDecoder(strings.NewReader(string(out)))
	var seen []string
	var gaps map[GapKind]int
	if err := answers.Decode(&seen); err != nil {
		t.Fatal(err)
	}
	if err := answers.Decode(&gaps); err != nil {
		t.Fatal(err)
	}
	if want := ln.Addr().String() + " []"; !strings.Contains(strings.Join(seen, "\n"), want) {
		t.Errorf("%q is not in %q", want, seen)
	}
	for _, want := range []GapKind{GapOwners, GapNamespaces, GapForwards} {
		if gaps[want] != 1 {
			t.Errorf("%d gaps of the kind %s: %v", gaps[want], want, gaps)
		}
	}
}
