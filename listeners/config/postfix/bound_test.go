package postfix

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/listeners"
)

// masterScript starts master(8) in a network namespace of its own, waits until it has
// read the last service or has ended, and prints what listens, or "fatal".
const masterScript = `
ip link set lo up && ip addr add 10.0.0.1/32 dev lo && ip addr add fd00::1/128 dev lo nodad
MAIL_CONFIG=$1/etc/postfix $2 -d &
while kill -0 $! 2>/dev/null && ! [ -S $1/queue/public/last ]; do :; done
if [ -S $1/queue/public/last ]; then ss -Hltn; kill $!; wait; else echo fatal; fi
`

// masterProgram is where Debian has master(8).
const masterProgram = "/usr/lib/postfix/sbin/master"

// TestMasterBinds compares the listeners that are read with the sockets that Postfix
// opens.
func TestMasterBinds(t *testing.T) {
	gate.Namespaces(t, "unshare", "ip", "ss", masterProgram)
	compared, failed := 0, 0
	for run := range oracleRuns(t) {
		h := &host{Rand: rand.New(rand.NewPCG(uint64(run), 2))}
		dir := t.TempDir()
		hosts, err := os.ReadFile("/etc/hosts")
		if err != nil {
			t.Fatal(err)
		}
		text := map[string]string{"main.cf": h.interfaces(dir), "master.cf": h.endpoints(30), "etc/hosts": string(hosts)}
		want := bound(t, dir, text)
		c := read(t, text)
		got := predicted(c.Listeners)
		doubts := len(c.Doubts)
		for _, l := range c.Listeners {
			if l.Doubt != "" {
				doubts++
			}
		}
		switch {
		case slices.Equal(want, []string{"fatal"}):
			failed++
			if doubts == 0 {
				messages, _ := os.ReadFile(filepath.Join(dir, "messages"))
				t.Errorf("run %d: Postfix does not start, and there is no doubt: %s\n%s\n%s", run, messages, text["main.cf"], text["master.cf"])
			}
		case !slices.Equal(got, want), doubts > 0:
			t.Errorf("run %d: got %q\nwant %q\n%d doubts: %v\n%s\n%s", run, got, want, doubts, c.Doubts, text["main.cf"], text["master.cf"])
		default:
			compared += len(want)
		}
	}
	t.Logf("%d sockets compared; in %d runs Postfix does not start", compared, failed)
}

// interfaces returns a main.cf.
func (h *host) interfaces(dir string) string {
	text := fmt.Sprintf("compatibility_level = 3.6\nqueue_directory = %s/queue\ndata_directory = %s/data\nmaillog_file = %s/messages\nmaillog_file_prefixes = %s\nmyhostname = localhost\nloops = loopback\n", dir, dir, dir, dir)
	if h.IntN(4) > 0 {
		text += "inet_interfaces = " + h.one("all", "All", "loopback-only", "$loops-only", "127.0.0.1", "10.0.0.1, localhost",
			"$myhostname 10.0.0.1", "[::1]\t127.0.0.1", "fd00::1", "localhost, 127.0.0.1", "${nothing?all}${nothing:10.0.0.1}", "") + "\n"
	}
	if h.IntN(3) > 0 {
		text += "inet_protocols = " + h.one("all", "ipv4", "ipv6", "ipv4, ipv6", "ipv6,all", "") + "\n"
	}
	if h.IntN(2) > 0 {
		text += "master_service_disable = " + h.one("inet", "10003.inet", "!10003.inet, inet", "10003/inet 10004.Inet", "10003.unix", "smtp.inet 10005/inet") + "\n"
	}
	return text + h.one("", "known_tcp_ports = smtp=10025, x=y=10026\n")
}

// endpoints returns a master.cf. Services on one port have one host, in several
// spellings: others would exclude each other.
func (h *host) endpoints(services int) string {
	spellings := [][]string{
		{"", ""}, {":"}, {"", ""}, {"127.0.0.1:", "[127.0.0.1]:"}, {"[::1]:", "::1:", "[IPv6:::1]:"}, {"localhost:", "[localhost]:"},
		{"10.0.0.1:"}, {"[fd00::1]:", "fd00:0::1:", "[FD00::1]:"}, {"0.0.0.0:"}, {"[::]:", ":::"},
	}
	ports := map[int][]string{25: {"25", "smtp", "025"}, 465: {"smtps", "submissions", "465"}, 587: {"submission", "587"}}
	var b strings.Builder
	chosen := map[int][]string{}
	for range services {
		port := 10000 + h.IntN(services)
		if h.IntN(5) == 0 {
			port = []int{25, 465, 587}[h.IntN(3)]
		}
		if chosen[port] == nil {
			chosen[port] = spellings[h.IntN(len(spellings))]
			if h.IntN(3) > 0 {
				chosen[port] = spellings[0]
			}
		}
		names := ports[port]
		if names == nil {
			names = []string{strconv.Itoa(port)}
		}
		fmt.Fprintf(&b, "%s%s inet n%s- n - - smtpd\n", h.one(chosen[port]...), h.one(names...), h.gap())
	}
	return b.String() + "last unix n - n - - smtpd\n"
}

// bound returns the addresses on which Postfix listens with the files, or "fatal".
func bound(t *testing.T, dir string, text map[string]string) []string {
	t.Helper()
	owner, err := user.Lookup("postfix")
	if err != nil {
		gate.Lack(t, "needs the user postfix")
	}
	uid, _ := strconv.Atoi(owner.Uid)
	for _, name := range []string{"etc/postfix", "queue/pid", "queue/public", "queue/private", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // for the user postfix
		t.Fatal(err)
	}
	for _, name := range []string{"queue/public", "queue/private", "data"} {
		if err := os.Chown(filepath.Join(dir, name), uid, -1); err != nil {
			t.Fatal(err)
		}
	}
	writeOld(t, filepath.Join(dir, "etc/postfix"), map[string]string{"main.cf": text["main.cf"], "master.cf": text["master.cf"]})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "unshare", "-n", "sh", "-c", masterScript, "sh", dir, masterProgram).Output()
	if err != nil {
		t.Fatalf("running master: %v: %s", err, out)
	}
	list := []string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 3 {
			list = append(list, netip.MustParseAddrPort(f[3]).String())
		} else {
			list = append(list, f...)
		}
	}
	slices.Sort(list)
	return list
}

// predicted returns the sockets of listeners.
func predicted(all []listeners.Listener) []string {
	list := []string{}
	for _, l := range all {
		addresses := []netip.Addr{l.Address}
		if !l.Address.IsValid() {
			addresses = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
		}
		for _, a := range addresses {
			list = append(list, netip.AddrPortFrom(a, l.Port).String())
		}
	}
	slices.Sort(list)
	return list
}
