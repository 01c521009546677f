//go:build linux

package nameservers

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/mxsweep/mxsweep/internal/gate"
)

var update = flag.Bool("update", false, "write docs/domain-zones.md")

// insideEnv tells this program, started again, that it runs in namespaces of its own.
const insideEnv = "MXSWEEP_E2E_NAMESERVERS"

// programs are those that the tests start.
var programs = []string{"ip", "mount", "unbound", "named", "knotd", "keymgr", "nsd", "dnssec-keygen", "dnssec-signzone"}

// TestMain runs the tests in new namespaces of the network, of mounts and of processes.
func TestMain(m *testing.M) {
	flag.Parse()
	mode := os.Getenv(gate.Variable)
	if mode == "" || mode == "0" || os.Geteuid() != 0 || missing() != "" {
		os.Exit(m.Run()) // each test says why it is skipped
	}
	if os.Getenv(insideEnv) == "" {
		os.Exit(again())
	}
	err := prepare()
	code := 1
	if err == nil {
		code = m.Run()
		err = world.close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "nameservers:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// again starts this program in namespaces of its own, and returns its exit code.
func again() int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "nameservers:", err)
		return 1
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "nameservers: starting the tests in namespaces:", err)
		return 1
	}
	return cmd.ProcessState.ExitCode()
}

// missing names the programs that are not installed.
func missing() string {
	var list []string
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			list = append(list, program)
		}
	}
	return strings.Join(list, ", ")
}

// webAddress is where documents are offered over HTTPS: in the namespace, it is on loopback.
const webAddress = "203.0.113.10"

// prepare gives the namespace its processes and its addresses.
func prepare() error {
	for _, line := range []string{
		"mount --make-rprivate /",
		"mount -t proc proc /proc",
		"mount -t tmpfs tmpfs /run", // where ip(8) has namespaces
		"ip link set lo up",
		"ip addr add " + bindAddress + "/32 dev lo", // BIND listens at addresses of interfaces only
		"ip addr add " + webAddress + "/32 dev lo",
	} {
		words := strings.Fields(line)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("running %q: %w: %s", line, err, out)
		}
	}
	return nil
}
