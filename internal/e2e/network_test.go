//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	prefix  = "mxe2e-" // of every namespace
	bridge  = prefix + "net"
	scanner = prefix + "scanner"

	scannerNumber = 250
)

func address4(n int) string { return fmt.Sprintf("10.79.0.%d", n) }
func address6(n int) string { return fmt.Sprintf("fd79::%d", n) }

// hardware returns the MAC address of host n: always the same, so that no
// neighbour table holds a stale one.
func hardware(n int) string { return fmt.Sprintf("02:4d:58:79:00:%02x", n) }

// A network is the running hosts, joined by a bridge, and the namespace of
// the scanner beside them. There is no route out of it.
type network struct {
	record *record
	hosts  map[string]*host
}

// startNetwork removes what a run before left and makes the network with the
// scanner in it. Add starts hosts.
func startNetwork() (*network, error) {
	rec, err := theRecord()
	if err != nil {
		return nil, err
	}
	n := &network{record: rec, hosts: map[string]*host{}}
	if err := n.start(); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *network) start() error {
	if err := n.namespace(bridge); err != nil {
		return err
	}
	if err := runTool("ip", "-n", bridge, "link", "add", "br0", "type", "bridge"); err != nil {
		return err
	}
	if err := runTool("ip", "-n", bridge, "link", "set", "br0", "up"); err != nil {
		return err
	}
	return n.join(scanner, scannerNumber)
}

// add starts hosts side by side and returns when all of them listen.
func (n *network) add(specs []spec) error {
	errs := make([]error, len(specs))
	var wg sync.WaitGroup
	for i, s := range specs {
		if err := n.join(prefix+s.name, s.n); err != nil {
			return err
		}
		h, err := n.startHost(s)
		if err != nil {
			return err
		}
		n.hosts[s.name] = h
		wg.Go(func() { errs[i] = h.wait() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// namespace makes a network namespace and records it first.
func (n *network) namespace(name string) error {
	if err := n.record.addNamespace(name); err != nil {
		return err
	}
	return runTool("ip", "netns", "add", name)
}

// join makes a namespace with the addresses of number num on the bridge.
func (n *network) join(name string, num int) error {
	if err := n.namespace(name); err != nil {
		return err
	}
	port := fmt.Sprint("v", num)
	for _, line := range []string{
		"-n " + bridge + " link add " + port + " type veth peer name eth0 netns " + name,
		"-n " + bridge + " link set " + port + " master br0 up",
		"-n " + name + " link set eth0 address " + hardware(num),
		"-n " + name + " link set lo up",
		"-n " + name + " addr add " + address4(num) + "/24 dev eth0",
		"-n " + name + " addr add " + address6(num) + "/64 dev eth0 nodad",
		"-n " + name + " link set eth0 up",
	} {
		if err := runTool("ip", strings.Fields(line)...); err != nil {
			return err
		}
	}
	return nil
}

// silence makes a host drop all that arrives. The scanner is told its
// hardware address, for a host that is silent does not tell it either, and
// one that cannot be found is unreachable, not silent.
func (n *network) silence(s spec) error {
	name := prefix + s.name
	lines := []string{
		"-n " + scanner + " neigh replace " + address4(s.n) + " lladdr " + hardware(s.n) + " dev eth0 nud permanent",
		"-n " + scanner + " neigh replace " + address6(s.n) + " lladdr " + hardware(s.n) + " dev eth0 nud permanent",
	}
	for _, family := range []string{"-4", "-6"} {
		// The rule for local addresses is first by default.
		lines = append(lines,
			family+" -n "+name+" rule add pref 1 iif eth0 blackhole",
			family+" -n "+name+" rule add pref 10 lookup local",
			family+" -n "+name+" rule del pref 0")
	}
	for _, line := range lines {
		if err := runTool("ip", strings.Fields(line)...); err != nil {
			return err
		}
	}
	return nil
}

// close ends all hosts. Their namespaces go with the record.
func (n *network) close() error {
	var errs []error
	for _, h := range n.hosts {
		errs = append(errs, h.stop())
	}
	return errors.Join(errs...)
}

// runTool runs a command to its end; what it printed is part of the error.
func runTool(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("running %q: %w: %s", name+" "+strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// inNamespace runs f with its network calls made in a namespace. f must not
// hand the calls to other goroutines.
func inNamespace(t *testing.T, name string, f func()) {
	t.Helper()
	fd, err := os.Open("/run/netns/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	done := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine, so that nothing
		// else runs in the namespace.
		runtime.LockOSThread()
		if err := unix.Setns(int(fd.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("entering namespace %q: %w", name, err)
			return
		}
		f()
		done <- nil
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
