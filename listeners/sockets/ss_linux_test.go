package sockets

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/internal/gate"
)

// insideVariable is set in the process that is in the namespace of a test.
const insideVariable = "MXSWEEP_TEST_INSIDE"

// inside runs the test in a network namespace of its own, with an address on each of
// 127/8, fe80::/10 and two others. It reports true in the process that is in there.
func inside(t *testing.T, programs ...string) bool {
	t.Helper()
	gate.Namespaces(t, append(programs, "ip")...)
	if os.Getenv(insideVariable) != "" {
		return true
	}
	name := "mxsockets-" + strconv.Itoa(os.Getpid()) + "-" + strings.ToLower(t.Name()[4:])
	run(t, "ip", "netns", "add", name)
	t.Cleanup(func() { run(t, "ip", "netns", "del", name) })
	for _, line := range []string{
		"link set lo up", "addr add fe80::1/64 dev lo nodad", "addr add 192.0.2.1/32 dev lo", "addr add 2001:db8::1/128 dev lo nodad",
	} {
		run(t, "ip", append([]string{"-n", name}, strings.Fields(line)...)...)
	}
	cmd := exec.CommandContext(t.Context(), "ip", "netns", "exec", name, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("in the namespace: %v\n%s", err, out)
	}
	return false
}

// run runs a program and returns what it prints.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput() // also at the end of a test
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// A kind is a way to listen.
type kind struct {
	network, address string
	v6only           bool   // for sockets on an IPv6 address
	device           string // SO_BINDTODEVICE
}

// kinds are all ways to listen.
var kinds = []kind{
	{network: "tcp4", address: "0.0.0.0"},
	{network: "tcp4", address: "127.0.0.1"},
	{network: "tcp4", address: "127.255.3.4"},
	{network: "tcp4", address: "192.0.2.1"},
	{network: "tcp4", address: "127.0.0.1", device: "lo"},
	{network: "tcp4", address: "0.0.0.0", device: "lo"},
	{network: "tcp6", address: "[::]"},
	{network: "tcp6", address: "[::]", v6only: true},
	{network: "tcp6", address: "[::]", device: "lo"},
	{network: "tcp6", address: "[::1]", v6only: true},
	{network: "tcp6", address: "[::1]"},
	{network: "tcp6", address: "[::ffff:127.0.0.1]"},
	{network: "tcp6", address: "[2001:db8::1]"},
	{network: "tcp6", address: "[fe80::1%lo]"},
}

// listen opens a socket. Port 0 is any free one. It returns nil if the port is taken.
func (k kind) listen(t *testing.T, port uint16) net.Listener {
	t.Helper()
	fd, address := syscall.AF_INET, netip.MustParseAddr(strings.Trim(k.address, "[]"))
	var to unix.Sockaddr = &unix.SockaddrInet4{Port: int(port), Addr: [4]byte(address.Unmap().AsSlice()[:4])}
	if k.network == "tcp6" {
		fd = syscall.AF_INET6
		raw := &unix.SockaddrInet6{Port: int(port), Addr: address.As16()}
		if address.Zone() != "" {
			raw.ZoneId = 1 // lo
		}
		to = raw
	}
	fd, err := unix.Socket(fd, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), k.address)
	defer f.Close()
	if k.network == "tcp6" {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, map[bool]int{true: 1}[k.v6only]); err != nil {
			t.Fatal(err)
		}
	}
	if k.device != "" {
		if err := unix.BindToDevice(fd, k.device); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Bind(fd, to); err != nil {
		return nil
	}
	if err := unix.Listen(fd, 1); err != nil {
		return nil
	}
	ln, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// ssUser is one process in the output of ss.
var ssUser = regexp.MustCompile(`pid=(\d+)`)

// ssList returns what ss lists, in the form of described.
func ssList(t *testing.T) []string {
	t.Helper()
	var list []string
	for line := range strings.Lines(run(t, "ss", "-Hltnp")) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			t.Fatalf("ss: %q", line)
		}
		var pids []int
		for _, m := range ssUser.FindAllStringSubmatch(line, -1) {
			pid, _ := strconv.Atoi(m[1])
			pids = append(pids, pid)
		}
		slices.Sort(pids)
		list = append(list, fmt.Sprintf("%s %v", fields[3], slices.Compact(pids)))
	}
	slices.Sort(list)
	return list
}

// described returns the sockets of this namespace, each with its owners.
func described(s *Snapshot) []string {
	var list []string
	for i := range s.Sockets {
		if !s.Sockets[i].Own() {
			continue
		}
		var pids []int
		for _, p := range s.Sockets[i].Owners {
			pids = append(pids, p.PID)
		}
		list = append(list, fmt.Sprintf("%s %v", &s.Sockets[i], pids))
	}
	slices.Sort(list)
	return list
}

// randomListeners opens sockets of random kinds on random ports, often the same.
func randomListeners(t *testing.T, random *rand.Rand) (open []net.Listener) {
	t.Helper()
	for range random.IntN(40) {
		k := kinds[random.IntN(len(kinds))]
		if ln := k.listen(t, uint16(10000+random.IntN(30))); ln != nil {
			open = append(open, ln)
		}
	}
	return open
}

// TestSameAsSS: random sets of listeners are listed as ss(8) lists them, with the
// processes that hold them.
func TestSameAsSS(t *testing.T) {
	if !inside(t, "ss") {
		return
	}
	total := 0
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		open := randomListeners(t, random)
		if seed == 0 { // each kind at least once
			for i, k := range kinds {
				ln := k.listen(t, uint16(20000+i))
				if ln == nil {
					t.Fatalf("cannot listen on %+v", k)
				}
				open = append(open, ln)
			}
		}
		var child *exec.Cmd
		if len(open) > 0 && seed%3 == 0 { // another process holds a socket too
			child = share(t, open[0])
		}
		snapshot, err := List(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, want := described(snapshot), ssList(t)
		if !slices.Equal(got, want) {
			t.Errorf("seed %d:\ngot  %q\nwant %q", seed, got, want)
		}
		total += len(want)
		if child != nil {
			_ = child.Process.Kill()
			_ = child.Wait()
		}
		for _, ln := range open {
			_ = ln.Close()
		}
	}
	if total < 500 {
		t.Errorf("only %d sockets were compared", total)
	}
}

// share starts a process that inherits a listener.
func share(t *testing.T, ln net.Listener) *exec.Cmd {
	t.Helper()
	f, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "sleep", "60")
	cmd.ExtraFiles = []*os.File{f}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// TestSameAsLsof: the same as lsof(8), which does not say which sockets accept IPv4 too,
// and writes IPv4-mapped addresses as IPv4 ones.
func TestSameAsLsof(t *testing.T) {
	if !inside(t, "lsof") {
		return
	}
	total := 0
	for seed := range uint64(10) {
		open := randomListeners(t, rand.New(rand.NewPCG(seed, 2)))
		snapshot, err := List(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range snapshot.Sockets {
			s := &snapshot.Sockets[i]
			if !s.Own() {
				continue
			}
			for _, p := range s.Owners {
				got = append(got, fmt.Sprint(p.PID, " ", netip.AddrPortFrom(s.Address.Unmap(), s.Port)))
			}
		}
		slices.Sort(got)
		if want := lsofList(t, len(open)); !slices.Equal(got, want) {
			t.Errorf("seed %d:\ngot  %q\nwant %q", seed, got, want)
		}
		total += len(got)
		for _, ln := range open {
			_ = ln.Close()
		}
	}
	if total < 50 {
		t.Errorf("only %d sockets were compared", total)
	}
}

// lsofList returns the sockets that lsof lists, each with its process. It exits with an
// error if there are none.
func lsofList(t *testing.T, open int) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "lsof", "-nP", "-iTCP", "-sTCP:LISTEN", "-F", "pnt").Output()
	if err != nil && open > 0 {
		t.Fatal(err)
	}
	var list []string
	pid, family := "", ""
	for line := range strings.Lines(string(out)) {
		switch value := strings.TrimSuffix(line[1:], "\n"); line[0] {
		case 'p':
			pid = value
		case 't':
			family = value
		case 'n':
			host, port, _ := strings.Cut(value, "]:")
			if !strings.HasPrefix(value, "[") {
				i := strings.LastIndexByte(value, ':')
				host, port = value[:i], value[i+1:]
			}
			host = strings.TrimPrefix(host, "[")
			if host == "*" {
				host = map[string]string{"IPv4": "0.0.0.0", "IPv6": "::"}[family]
			}
			number, err := strconv.ParseUint(port, 10, 16)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, fmt.Sprint(pid, " ", netip.AddrPortFrom(netip.MustParseAddr(host).WithZone("").Unmap(), uint16(number))))
		}
	}
	slices.Sort(list)
	return list
}
