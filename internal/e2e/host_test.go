//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// insideEnv tells this program, started again, which host's first process it
// is to be.
const insideEnv = "MXSWEEP_E2E_HOST"

// startLimit is how long the daemons of a host may take to listen. amavisd
// loads SpamAssassin first, which takes ten seconds on a small busy machine, and more
// where others are busy as well. It only ends what hangs.
const startLimit = 4 * time.Minute

// A host is one running host, seen from outside.
type host struct {
	spec
	namespace string
	cmd       *exec.Cmd
	stdin     io.Closer // the host lives until it is closed
	stdout    *bufio.Reader
	stderr    bytes.Buffer
}

// startHost starts this program again as process 1 of a host. Wait says when
// its daemons listen.
func (n *network) startHost(s spec) (*host, error) {
	h := &host{spec: s, namespace: prefix + s.name}
	if s.silent {
		return h, n.silence(s)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// ip(8) enters the network namespace and becomes the program.
	h.cmd = exec.Command("ip", "netns", "exec", h.namespace, self)
	h.cmd.Env = append(os.Environ(), insideEnv+"="+s.name)
	h.cmd.Stderr = &h.stderr
	h.cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Setsid:     true,
	}
	if h.stdin, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.stdout = bufio.NewReader(stdout)
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting host %q: %w", s.name, err)
	}
	return h, n.record.addProcess(h.cmd.Process.Pid)
}

// wait returns when the host's daemons listen.
func (h *host) wait() error {
	if h.cmd == nil {
		return nil
	}
	line, err := h.stdout.ReadString('\n')
	if err == nil && line == "ready\n" {
		return nil
	}
	h.stop()
	return fmt.Errorf("host %q did not start: %s%s", h.name, line, h.stderr.Bytes())
}

// stop ends the host and all that runs in it.
func (h *host) stop() error {
	if h.cmd == nil {
		return nil
	}
	h.stdin.Close()
	h.cmd.Process.Kill()
	h.cmd.Wait() // killed is how it ends
	h.cmd = nil
	return nil
}

// path returns where a file of the host can be read from outside.
func (h *host) path(name string) string {
	return filepath.Join(fmt.Sprintf("/proc/%d/root", h.cmd.Process.Pid), name)
}
