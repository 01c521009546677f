//go:build linux

package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mxsweep/mxsweep/internal/gate"
)

// world is what the tests share: the record, the command under test and the
// hosts. Each is made when the first test asks for it and unmade by TestMain.
var world struct {
	recordOnce sync.Once
	record     *record
	recordErr  error

	once sync.Once
	net  *network
	err  error

	hosts    sync.Once
	hostsErr error

	build    sync.Once
	bin      string
	buildDir string
	buildErr error
}

func TestMain(m *testing.M) {
	if name := os.Getenv(insideEnv); name != "" {
		os.Exit(inside(name))
	}
	if os.Getenv(scanEnv) != "" {
		os.Exit(scanInside())
	}
	flag.Parse()
	code := m.Run()
	err := stopLab()
	if world.net != nil {
		err = errors.Join(err, world.net.close())
	}
	if world.record != nil {
		err = errors.Join(err, world.record.close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e: stopping the hosts:", err)
		code = max(code, 1)
	}
	if world.buildDir != "" {
		os.RemoveAll(world.buildDir)
	}
	os.Exit(code)
}

// need skips the test, or fails it under "require", unless the real daemons
// may be started here.
func need(t *testing.T) { needPrograms(t, programs()) }

// needPrograms is need for other programs than those of specs.
func needPrograms(t *testing.T, list []string) {
	t.Helper()
	gate.Ask(t, "no real daemon is started")
	if err := prerequisites(list); err != nil {
		gate.Lack(t, err.Error())
	}
}

// prerequisites reports what the tests lack on this machine.
func prerequisites(list []string) error {
	if os.Geteuid() != 0 {
		return errors.New("not root: network namespaces cannot be made")
	}
	missing := []string{}
	for _, program := range list {
		if _, err := os.Stat(program); err != nil {
			missing = append(missing, program)
		}
	}
	if _, err := exec.LookPath("ip"); err != nil {
		missing = append(missing, "ip")
	}
	if len(missing) > 0 {
		return fmt.Errorf("not installed: %s (internal/e2e/install.sh does it)", strings.Join(missing, ", "))
	}
	return nil
}

// base makes the network, once, without any host in it.
func base(t *testing.T) *network {
	t.Helper()
	world.once.Do(func() { world.net, world.err = startNetwork() })
	if world.err != nil {
		t.Fatalf("making the network: %v", world.err)
	}
	return world.net
}

// hosts starts all hosts of specs, once, and returns the network they are in.
func hosts(t *testing.T) *network {
	t.Helper()
	need(t)
	n := base(t)
	world.hosts.Do(func() { world.hostsErr = n.add(specs) })
	if world.hostsErr != nil {
		t.Fatalf("starting the hosts: %v", world.hostsErr)
	}
	return n
}

// command returns the path of the mxsweep under test.
func command(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("MXSWEEP_BIN"); bin != "" {
		abs, err := filepath.Abs(bin)
		if err != nil {
			t.Fatal(err)
		}
		return abs
	}
	world.build.Do(func() {
		world.buildDir, world.buildErr = os.MkdirTemp("", "mxsweep-e2e-bin-")
		if world.buildErr != nil {
			return
		}
		world.bin = filepath.Join(world.buildDir, "mxsweep")
		out, err := exec.Command("go", "build", "-o", world.bin, "github.com/mxsweep/mxsweep/cmd/mxsweep").CombinedOutput()
		if err != nil {
			world.buildErr = fmt.Errorf("building the command: %w\n%s", err, out)
		}
	})
	if world.buildErr != nil {
		t.Fatal(world.buildErr)
	}
	return world.bin
}
