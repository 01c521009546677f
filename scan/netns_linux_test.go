package scan

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// labScan is set to the number of hosts in the process that scans in a lab.
const labScan = "MXSWEEP_TEST_LAB_SCAN"

// A lab is three network namespaces in a row, created for one test: s scans, r is
// the router, and d has the hosts from 10.93.16.1.
type lab struct {
	t      *testing.T
	prefix string
	hosts  int
}

// labs counts the labs of this process.
var labs atomic.Int32

// newLab creates a lab, or skips the test if that is not possible.
func newLab(t *testing.T, hosts int) *lab {
	t.Helper()
	gate.Namespaces(t, "ip", "nft")
	l := &lab{t: t, prefix: fmt.Sprintf("mxconnect-%d-%d-", os.Getpid(), labs.Add(1)), hosts: hosts}
	for _, n := range []string{"s", "r", "d"} {
		if out, err := exec.Command("ip", "netns", "add", l.prefix+n).CombinedOutput(); err != nil {
			t.Skipf("no network namespaces: %v\n%s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", l.prefix+n).Run() })
	}
	for line := range strings.Lines(`
		ip link add sr netns @s type veth peer name rs netns @r
		ip link add rd netns @r type veth peer name dr netns @d
		ip -n @s addr add 10.93.0.1/24 dev sr
		ip -n @r addr add 10.93.0.2/24 dev rs
		ip -n @r addr add 10.93.1.1/24 dev rd
		ip -n @d addr add 10.93.1.2/24 dev dr
		ip -n @s link set sr up
		ip -n @r link set rs up
		ip -n @r link set rd up
		ip -n @d link set dr up
		ip -n @d link set lo up
		ip netns exec @r sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/icmp_ratelimit'
		ip -n @s route add default via 10.93.0.2
		ip -n @r route add 10.93.16.0/24 via 10.93.1.2
		ip -n @d route add local 10.93.16.0/24 dev lo
		ip -n @d route add default via 10.93.1.1`) {
		if line = strings.TrimSpace(line); line != "" {
			l.sh("", line)
		}
	}
	return l
}

// sh runs a line; @x is replaced by the namespace x.
func (l *lab) sh(stdin, line string) {
	l.t.Helper()
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(line, "@", l.prefix))
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// rule adds a rule to a chain of all packets that pass a namespace, or end there.
func (l *lab) rule(space, hook, rule string) {
	l.t.Helper()
	l.sh(fmt.Sprintf("table ip t%s { chain c { type filter hook %s priority 0; %s; }; }", hook, hook, rule), "ip netns exec @"+space+" nft -f -")
}

// labHost is the n-th host, from 1.
func labHost(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 93, 16, byte(n)}) }

// listen opens ports on all hosts.
func (l *lab) listen(ports ...uint16) map[netip.AddrPort]bool {
	l.t.Helper()
	runtime.LockOSThread() // never unlocked if switching back fails
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		l.t.Fatal(err)
	}
	defer home.Close()
	there, err := os.Open("/run/netns/" + l.prefix + "d")
	if err != nil {
		l.t.Fatal(err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		l.t.Fatal(err)
	}
	open := map[netip.AddrPort]bool{}
	for n := range l.hosts {
		for _, port := range ports {
			at := netip.AddrPortFrom(labHost(n+1), port)
			ln, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at))
			if err != nil {
				l.t.Fatal(err)
			}
			l.t.Cleanup(func() { ln.Close() })
			open[at] = true
		}
	}
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		l.t.Fatal(err)
	}
	runtime.UnlockOSThread()
	return open
}

// scan sweeps all hosts from s, and calls during while it does.
func (l *lab) scan(during func()) map[netip.AddrPort]Result {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), "ip", "netns", "exec", l.prefix+"s", os.Args[0], "-test.run=^TestLabScan$", "-test.v")
	cmd.Env = append(os.Environ(), labScan+"="+strconv.Itoa(l.hosts))
	out, err := cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	got := map[netip.AddrPort]Result{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) == 1 && f[0] == "BEGIN" && during != nil:
			go during()
		case len(f) == 5 && f[0] == "RESULT":
			r := Result{Target: netip.MustParseAddrPort(f[1]), State: result.State(f[2]), Reason: result.Reason(f[3])}
			r.From, _ = netip.ParseAddr(f[4])
			got[r.Target] = r
		}
	}
	if err := cmd.Wait(); err != nil {
		l.t.Fatalf("scanning: %v", err)
	}
	return got
}

// TestLabScan is the process that scans in a lab.
func TestLabScan(t *testing.T) {
	hosts, err := strconv.Atoi(os.Getenv(labScan))
	if err != nil {
		t.Skip("no test by itself: the process that scans inside of a lab")
	}
	scope := scopetest.Set(t, "10.93.16.1-"+strconv.Itoa(hosts))
	c, err := NewConnect(Config{Scope: scope, Rate: 1000, Seed: uint64(time.Now().UnixNano())})
	if err != nil {
		t.Fatal(err)
	}
	c.longestPause = 5 * time.Second // longer than any of the paths is down
	fmt.Println("BEGIN")
	for r := range c.Scan(t.Context(), scopetest.Space(t, scope, portsFrom(10000, 118)...)) {
		from := "-"
		if r.From.IsValid() {
			from = r.From.String()
		}
		fmt.Println("RESULT", r.Target, r.State, r.Reason, from)
	}
}

// countStates returns the number of results in each state.
func countStates(got map[netip.AddrPort]Result) map[result.State]int {
	count := map[result.State]int{}
	for _, r := range got {
		count[r.State]++
	}
	return count
}

// falsePass reports open pairs that were reported as filtered although their host
// is up, because a run must not pass then. It returns the hosts that are up.
func falsePass(t *testing.T, got map[netip.AddrPort]Result, open map[netip.AddrPort]bool) map[netip.Addr]bool {
	t.Helper()
	up := map[netip.Addr]bool{}
	for _, r := range got {
		up[r.Target.Addr()] = up[r.Target.Addr()] || r.FromTarget()
	}
	for to, r := range got {
		if open[to] && (r.State == result.StateClosed || r.State == result.StateFiltered && up[to.Addr()]) {
			t.Errorf("%v is open, and told to be %s (%s)", to, r.State, r.Reason)
		}
	}
	return up
}

// TestDisturbed exposes real packets to what can mislead a scanner: no open port
// gets a state with which a run could pass.
func TestDisturbed(t *testing.T) {
	gate.RealTime(t)
	down, up := "ip -n @r link set rd down", "ip -n @r link set rd up; ip -n @r route replace 10.93.16.0/24 via 10.93.1.2"
	syns := func(n int) string {
		return fmt.Sprintf("tcp flags & (syn | ack) == syn quota over %d bytes drop", 60*n)
	}
	filter := "tcp dport != { 10001, 10025, 10050, 10077, 10099 } drop"
	half := "tcp dport > 10059 tcp dport != { 10077, 10099 } drop" // so that each host is up from the start
	for _, c := range []struct {
		name   string
		hosts  int
		router string
		target string // what the hosts do with ports that are not open
		during func(*lab)
		all    bool // all open ports of hosts that are up must be found
	}{
		{"firewall after 10 SYNs", 1, syns(10), "", nil, false},
		{"firewall after 40 SYNs", 1, syns(40), "", nil, false},
		{"firewall after 80 SYNs", 1, syns(80), "", nil, false},
		{"firewall after 80 SYNs, drops", 1, syns(80), filter, nil, false},
		{"ban after 300 SYNs", 10, syns(300), "", nil, false},
		{"host gone", 10, "", half, func(l *lab) { time.Sleep(time.Second); l.sh("", "ip -n @r route add blackhole 10.93.16.1") }, false},
		{"path down", 10, "", half, func(l *lab) { time.Sleep(time.Second); l.sh("", down); time.Sleep(3 * time.Second); l.sh("", up) }, true},
		{"path down, ports closed", 10, "", "", func(l *lab) { time.Sleep(time.Second / 2); l.sh("", down); time.Sleep(3 * time.Second); l.sh("", up) }, true},
		{"router rejects 30%", 1, "tcp flags & (syn | ack) == syn numgen random mod 100 < 30 reject with icmp type admin-prohibited", "", nil, true},
		{"router rejects 30%, drops", 1, "tcp flags & (syn | ack) == syn numgen random mod 100 < 30 reject with icmp type admin-prohibited", filter, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, c.hosts)
			open := l.listen(10001, 10025, 10050, 10077, 10099)
			if c.router != "" {
				l.rule("r", "forward", c.router)
			}
			if c.target != "" {
				l.rule("d", "input", c.target)
			}
			var during func()
			if c.during != nil {
				during = func() { c.during(l) }
			}
			got := l.scan(during)
			if len(got) != 118*c.hosts {
				t.Errorf("%d results", len(got))
			}
			up := falsePass(t, got, open)
			for to := range open {
				if c.all && up[to.Addr()] && got[to].State != result.StateOpen {
					t.Errorf("%v is open, and told to be %s (%s)", to, got[to].State, got[to].Reason)
				}
			}
			t.Log(countStates(got))
		})
	}
}

// TestRejectsAll has the host itself reject everything by ICMP, at the rate limit
// of Linux: it is up, and all of its ports are filtered.
func TestRejectsAll(t *testing.T) {
	gate.RealTime(t)
	for _, with := range []string{"port-unreachable", "admin-prohibited"} {
		t.Run(with, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, 1)
			l.rule("d", "input", "meta l4proto tcp reject with icmp type "+with)
			got := l.scan(nil)
			up := false
			for _, r := range got {
				up = up || r.FromTarget()
			}
			if count := countStates(got); count[result.StateFiltered] != 118 || !up {
				t.Errorf("up %v, %v", up, count)
			}
		})
	}
}
