package sockets

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// writeTree writes files below a new directory and returns it. A text that begins with
// "-> " makes a symbolic link.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// A system with Postfix, a container with Rspamd whose port docker-proxy publishes, and a
// socket of a process that is not to be seen.
var mailHost = map[string]string{
	"proc/1/ns/net":  "-> net:[4026531840]",
	"proc/1/comm":    "systemd\n",
	"proc/1/cgroup":  "0::/init.scope\n",
	"proc/1/net/tcp": tcpTable + "   4: 00000000:2C46 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4720 1 0000000000000000 100 0 0 10 0\n",

	"proc/1/net/tcp6": tcp6Table,
	"proc/1/fd/40":    "-> socket:[4714]",

	"proc/812/ns/net":   "-> net:[4026531840]",
	"proc/812/comm":     "master\n",
	"proc/812/cmdline":  "/usr/lib/postfix/sbin/master\x00-w\x00--password=hunter2\x00",
	"proc/812/exe":      "-> /usr/lib/postfix/sbin/master (deleted)",
	"proc/812/cgroup":   "0::/system.slice/system-postfix.slice/postfix@-.service\n",
	"proc/812/fd/13":    "-> socket:[4711]",
	"proc/812/fd/14":    "-> socket:[4712]",
	"proc/812/fd/15":    "-> pipe:[4712]",
	"proc/900/ns/net":   "-> net:[4026531840]",
	"proc/900/comm":     "docker-proxy\n",
	"proc/900/cmdline":  "/usr/bin/docker-proxy\x00-proto\x00tcp\x00-host-ip\x000.0.0.0\x00-host-port\x0011334\x00-container-ip\x00172.17.0.2\x00-container-port\x0011334\x00",
	"proc/900/fd/4":     "-> socket:[4720]",
	"proc/900/fd/5":     "-> /var/log/some/very/long/name/that/does/not/fit/into/the/buffer/of/a/link",
	"proc/950/ns/net":   "-> net:[4026532555]",
	"proc/950/comm":     "rspamd\n",
	"proc/950/exe":      "-> /usr/bin/rspamd",
	"proc/950/cgroup":   "0::/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope\n",
	"proc/950/fd/9":     "-> socket:[4730]",
	"proc/950/net/tcp":  "   0: 00000000:2C46 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4730 1 0000000000000000 100 0 0 10 0\n",
	"proc/950/net/tcp6": "",

	"proc/950/net/fib_trie": "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 172.17.0.0\n        /16 link UNICAST\n     |-- 172.17.0.2\n        /32 host LOCAL\n     |-- 172.17.255.255\n        /32 link BROADCAST\n",
	"proc/950/net/if_inet6": "fe800000000000000042acfffe110002 07 40 20 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n",
	"proc/meminfo":          "",

	"var/lib/dpkg/info/postfix.list":           "/.\n/usr\n/usr/lib\n/usr/lib/postfix/sbin/master\n",
	"var/lib/dpkg/info/postfix-doc.list":       "/usr/lib/postfix/sbin/master.html\n",
	"var/lib/dpkg/info/docker.io.list":         "/usr/bin/docker-proxy-not\n",
	"var/lib/dpkg/info/moby-engine:amd64.list": "/bin/docker-proxy\n",
	"var/lib/dpkg/info/postfix.md5sums":        "",
}

func TestTree(t *testing.T) {
	snapshot, err := List(t.Context(), Options{Root: writeTree(t, mailHost)})
	if err != nil {
		t.Fatal(err)
	}
	postfix := &Process{
		PID: 812, Name: "master", Command: []string{"/usr/lib/postfix/sbin/master", "-w", "--password=[REDACTED]"},
		Executable: "/usr/lib/postfix/sbin/master", Unit: "postfix@-.service", Package: "postfix",
	}
	want := map[string]func(s *Socket) bool{
		"127.0.0.1:10025": func(s *Socket) bool {
			return s.Own() && len(s.Owners) == 1 && sameProcess(s.Owners[0], postfix) && s.Unit == postfix.Unit
		},
		"0.0.0.0:25":        func(s *Socket) bool { return s.Own() && s.Owners[0].PID == 812 },
		"[::]:143":          func(s *Socket) bool { return s.Owners[0].Name == "systemd" && s.Unit == "" && s.Dual == DualUnknown },
		"[2001:db8::1]:993": func(s *Socket) bool { return s.Owners == nil },
		"0.0.0.0:11334": func(s *Socket) bool {
			if s.Own() {
				return s.Owners[0].Name == "docker-proxy" && s.Container == ""
			}
			return s.Owners[0].Name == "rspamd" && s.Container == "0123456789ab" && s.Namespace.Container == "0123456789ab" &&
				s.Namespace.PID == 950 && s.Owners[0].Package == ""
		},
	}
	for i := range snapshot.Sockets {
		s := &snapshot.Sockets[i]
		if check := want[s.String()]; check == nil || !check(s) {
			t.Errorf("%s: %+v %+v", s, s, s.Owners)
		}
	}
	if len(snapshot.Sockets) != 6 || !snapshot.Sockets[0].Own() || snapshot.Sockets[5].Own() {
		t.Errorf("%d sockets", len(snapshot.Sockets))
	}
	if f := snapshot.Forwards; len(f) != 1 || f[0].Port != 11334 || f[0].Address.IsValid() || f[0].To.String() != "172.17.0.2:11334" ||
		f[0].Namespace == nil || f[0].Namespace.PID != 950 {
		t.Errorf("forwards: %+v", f)
	}
	var gaps []string
	for _, g := range snapshot.Gaps {
		gaps = append(gaps, string(g.Kind)+": "+g.Problem)
	}
	if len(gaps) != 2 || gaps[0] != "owners: who holds 1 socket" || !strings.HasPrefix(gaps[1], "forwards: ") {
		t.Errorf("gaps: %q", gaps)
	}
}

func sameProcess(a, b *Process) bool {
	return a.PID == b.PID && a.Name == b.Name && slices.Equal(a.Command, b.Command) && a.Executable == b.Executable &&
		a.Unit == b.Unit && a.Container == b.Container
}

// Without the package database, the package is not known; without the tables, there is
// nothing to list.
func TestTreeIncomplete(t *testing.T) {
	files := map[string]string{"proc/1/net/tcp": tcpTable}
	snapshot, err := List(t.Context(), Options{Root: writeTree(t, files)})
	if err != nil || len(snapshot.Sockets) != 2 || len(snapshot.Gaps) != 3 {
		t.Errorf("%+v, %v", snapshot, err)
	}
	root := writeTree(t, map[string]string{"proc/1/comm": "init\n"})
	for _, root := range []string{root, filepath.Join(root, "none"), filepath.Join(root, "proc/1/comm")} {
		_, err := List(t.Context(), Options{Root: root})
		var mistake *fault.Error
		if !errors.As(err, &mistake) || mistake.Kind != fault.Usage || mistake.Hint == "" || !strings.Contains(err.Error(), root) {
			t.Errorf("a system without tables: %v", err)
		}
	}
}

func TestUnitOf(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, c := range []struct{ text, unit, container string }{
		{"0::/system.slice/dovecot.service\n", "dovecot.service", ""},
		{"0::/system.slice/system-postfix.slice/postfix@-.service\n", "postfix@-.service", ""},
		{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/mail.service\n", "mail.service", ""},
		{"0::/init.scope\n", "", ""},
		{"0::/\n", "", ""},
		{"12:pids:/system.slice/ssh.service\n1:name=systemd:/system.slice/ssh.service\n0::/system.slice/ssh.service\n", "ssh.service", ""},
		{"0::/system.slice/_cpu.service\n", "cpu.service", ""},
		{"0::/system.slice/docker-" + id + ".scope\n", "", id[:12]},
		{"5:pids:/docker/" + id + "\n", "", id[:12]},
		{"0::/machine.slice/libpod-" + id + ".scope/container\n", "", id[:12]},
		{"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx.slice/cri-containerd-" + id + ".scope\n", "", id[:12]},
		{"0::/system.slice/containerd.service/kubepods-besteffort-pod.slice/" + id + "\n", "", id[:12]},
		{"0::/system.slice/docker-" + id + ".scope/system.slice/postfix.service\n", "postfix.service", id[:12]},
		{"0::/lxc.payload.mail/system.slice/postfix.service\n", "postfix.service", "mail"},
		{"4:memory:/lxc/mail\n", "", "mail"},
		{"0::/machine.slice/machine-mail.scope\n", "", "mail"},
		{"", "", ""},
		{"no colons\n0:x\n", "", ""},
	} {
		if unit, container := unitOf(c.text); unit != c.unit || container != c.container {
			t.Errorf("%q: %q, %q; want %q, %q", c.text, unit, container, c.unit, c.container)
		}
	}
}

// A control group is found by its id, the inode of its directory.
func TestFindGroups(t *testing.T) {
	root := writeTree(t, map[string]string{"system.slice/postfix@-.service/cgroup.procs": "", "user.slice/cgroup.procs": ""})
	info, err := os.Stat(filepath.Join(root, "system.slice/postfix@-.service"))
	if err != nil {
		t.Fatal(err)
	}
	id := info.Sys().(*syscall.Stat_t).Ino
	found := findGroups(root, map[uint64]bool{id: true, 1 << 60: true})
	if len(found) != 1 || found[id] != "/system.slice/postfix@-.service" {
		t.Errorf("found %v", found)
	}
	if found := findGroups(root+"/none", map[uint64]bool{id: true}); len(found) != 0 {
		t.Errorf("found %v where there is nothing", found)
	}
}

func FuzzUnitOf(f *testing.F) {
	f.Add("0::/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope\n")
	f.Fuzz(func(t *testing.T, text string) {
		if unit, container := unitOf(text); strings.ContainsAny(unit+container, "/\n") {
			t.Errorf("%q: %q, %q", text, unit, container)
		}
		localIPv4(text)
		localIPv6(text)
		proxyTarget(strings.Fields(text))
		splitCommand(text)
	})
}
