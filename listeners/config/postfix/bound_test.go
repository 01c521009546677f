package postfix

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
)

// masterCommand starts master(8) with the files of a folder, and ends when it has read the last
// service or has ended.
const masterCommand = "MAIL_CONFIG=%[1]s/etc/postfix " + masterProgram + " -d & while kill -0 $! 2>/dev/null && ! [ -S %[1]s/queue/public/last ]; do sleep 0.002; done; [ -S %[1]s/queue/public/last ]"

// masterProgram is where Debian has master(8).
const masterProgram = "/usr/lib/postfix/sbin/master"

// TestMasterBinds compares the listeners that are read with the sockets that Postfix
// opens. A run is one master.cf of 31 services, with which master(8) is started.
func TestMasterBinds(t *testing.T) {
	n := sockettest.Runs(t, 3, masterProgram)
	var files, compared, failed atomic.Int64
	sockettest.Share(t, n, func(t *testing.T, runs iter.Seq[int]) {
		room := sockettest.NewRoom(t, "10.0.0.1/32", "fd00::1/128")
		for run := range runs {
			h := &host{Rand: rand.New(rand.NewPCG(uint64(run), 2))}
			if sockets, starts := compareBinds(t, run, h, room); starts {
				files.Add(1)
				compared.Add(int64(sockets))
			} else {
				failed.Add(1)
			}
		}
	})
	t.Logf("%d files with %d sockets compared; with %d more Postfix does not start", files.Load(), compared.Load(), failed.Load())
}

// compareBinds compares the files of one host, and returns how many sockets Postfix opens, and
// whether it starts.
func compareBinds(t *testing.T, run int, h *host, room *sockettest.Room) (sockets int, starts bool) {
	t.Helper()
	dir := t.TempDir()
	hosts, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{"main.cf": h.interfaces(dir), "master.cf": h.endpoints(30), "etc/hosts": string(hosts)}
	want, starts := bound(t, room, dir, text)
	c := read(t, text)
	got := predicted(c.Listeners)
	doubts := len(c.Doubts)
	for _, l := range c.Listeners {
		if l.Doubt != "" {
			doubts++
		}
	}
	switch {
	case !starts:
		if doubts == 0 {
			messages, _ := os.ReadFile(filepath.Join(dir, "messages"))
			t.Errorf("run %d: Postfix does not start, and there is no doubt: %s\n%s\n%s", run, messages, text["main.cf"], text["master.cf"])
		}
	case !slices.Equal(got, want), doubts > 0:
		t.Errorf("run %d: got %q\nwant %q\n%d doubts: %v\n%s\n%s", run, got, want, doubts, c.Doubts, text["main.cf"], text["master.cf"])
	}
	return len(want), starts
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

// bound returns the addresses on which Postfix listens with the files, and whether it starts.
func bound(t *testing.T, room *sockettest.Room, dir string, text map[string]string) (list []string, starts bool) {
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
	sockets, starts, _ := room.Start(t, fmt.Sprintf(masterCommand, dir))
	list = []string{}
	for _, s := range sockets {
		list = append(list, netip.MustParseAddrPort(s).String())
	}
	slices.Sort(list)
	return list, starts
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
