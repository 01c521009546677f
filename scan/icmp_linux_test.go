package scan

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

const ownNet = "MXSWEEP_TEST_OWN_NET"

// inOwnNet runs the calling test again in a network namespace of its own, as
// root. It reports whether this is that run.
func inOwnNet(t *testing.T) bool {
	t.Helper()
	if os.Getenv(ownNet) != "" {
		return true
	}
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs", tool)
		}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), ownNet+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch text := string(out); {
	case err == nil && strings.Contains(text, "--- PASS"):
	case strings.Contains(text, "--- FAIL"):
		t.Errorf("in its own network: %v\n%s", err, out)
	default:
		t.Skipf("no network namespace: %v\n%s", err, out)
	}
	return false
}

// sh runs a command that the test needs, or skips it.
func sh(t *testing.T, stdin string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("%q: %v\n%s", args, err, out)
	}
}

// TestRejects has a firewall answer by ICMP and by RST.
func TestRejects(t *testing.T) {
	if !inOwnNet(t) {
		return
	}
	sh(t, "", "ip", "link", "set", "lo", "up")
	sh(t, `table inet f {
		chain in { type filter hook input priority 0;
			tcp dport 101 reject with icmpx type port-unreachable
			tcp dport 102 reject with icmpx type admin-prohibited
			tcp dport 103 reject with icmpx type host-unreachable
			tcp dport 104 reject with icmpx type no-route
			tcp dport 105 reject with tcp reset
			tcp dport 106 drop
		}
	}`, "nft", "-f", "-")
	l, err := net.Listen("tcp", ":108")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	scope := scopetest.Set(t, "127.0.0.1", "::1", "198.51.100.1:25", "[2001:db8::1]:25")
	want := map[uint16]Result{
		101: {State: result.StateFiltered, Reason: result.ReasonAdminProhibited},
		102: {State: result.StateFiltered, Reason: result.ReasonAdminProhibited},
		103: {State: result.StateFiltered, Reason: result.ReasonHostUnreach},
		104: {State: result.StateFiltered, Reason: result.ReasonNetUnreach},
		105: {State: result.StateClosed, Reason: result.ReasonConnRefused},
		106: {State: result.StateFiltered, Reason: result.ReasonNoResponse},
		108: {State: result.StateOpen, Reason: result.ReasonSynAck},
		109: {State: result.StateClosed, Reason: result.ReasonConnRefused},
		25:  {State: result.StateUnknown, Reason: result.ReasonNetUnreach}, // no route from here
	}
	for seed := range uint64(3) {
		c, err := NewConnect(Config{Scope: scope, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for r := range c.Scan(t.Context(), scopetest.Space(t, scope, 101, 102, 103, 104, 105, 106, 108, 109)) {
			n++
			if w := want[r.Target.Port()]; r.State != w.State || r.Reason != w.Reason || (r.Err != nil) != (r.State == result.StateUnknown) {
				t.Errorf("%v: %+v, want %+v", r.Target, r, w)
			}
		}
		if n != 2*8+2 {
			t.Errorf("%d results", n)
		}
	}
}

// TestRejectedByBan has a firewall reject everything after some SYNs with ICMP
// errors of the target itself, as fail2ban does: that the host is up says nothing
// about the ports that reject us.
func TestRejectedByBan(t *testing.T) {
	if !inOwnNet(t) {
		return
	}
	sh(t, "", "ip", "link", "set", "lo", "up")
	const first, exposed = 3000, 3030
	l, err := net.Listen("tcp4", fmt.Sprint("127.0.0.1:", exposed))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	scope := scopetest.Set(t, "127.0.0.1")
	for _, rejects := range []bool{false, true} { // ports that are not open, also before the ban
		for _, syns := range []int{10, 30} {
			for seed := range uint64(4) {
				quiet := ""
				if rejects {
					quiet = fmt.Sprintf("tcp dport %d-%d tcp dport != %d reject with icmpx type port-unreachable", first, first+59, exposed)
				}
				sh(t, fmt.Sprintf(`flush ruleset
				table inet f { chain in { type filter hook input priority 0;
					tcp flags & (fin|syn|rst|ack) == syn quota over %d bytes reject with icmpx type port-unreachable
					%s
				}
				}`, syns*60, quiet), "nft", "-f", "-")
				c, err := NewConnect(Config{Scope: scope, Seed: seed, Timeout: time.Second})
				if err != nil {
					t.Fatal(err)
				}
				c.longestPause = 10 * time.Millisecond
				var got Result
				answered, unknown := false, 0
				for r := range c.Scan(t.Context(), scopetest.Space(t, scope, portsFrom(first, 60)...)) {
					answered = answered || r.State == result.StateOpen || r.State == result.StateClosed
					if r.Reason == result.ReasonBlocked {
						unknown++
					}
					if r.Target.Port() == exposed {
						got = r
					}
				}
				switch {
				case answered && got.State == result.StateFiltered:
					t.Errorf("rejects %t, %d SYNs, seed %d: the open port is filtered", rejects, syns, seed)
				case answered && unknown == 0:
					t.Errorf("rejects %t, %d SYNs, seed %d: no pair is unknown", rejects, syns, seed)
				case !rejects && !answered:
					t.Errorf("%d SYNs, seed %d: nothing answered", syns, seed)
				}
			}
		}
	}
}
