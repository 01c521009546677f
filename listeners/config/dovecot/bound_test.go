package dovecot

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// startScript starts Dovecot as a process of namespaces that end with the script, waits
// until it listens or has ended, and prints what listens, or "fatal".
const startScript = `
ip link set lo up && ip addr add 10.0.0.1/32 dev lo && ip addr add 10.0.0.2/32 dev lo && ip addr add 10.0.0.9/32 dev lo
ip addr add 127.0.0.8/32 dev lo && ip addr add fd00::1/128 dev lo nodad
dovecot -F -c $1/dovecot.conf 2>$1/messages &
while kill -0 $! 2>/dev/null && ! [ -e $1/run/master.pid ]; do :; done
if [ -e $1/run/master.pid ]; then ss -Hltn; else echo fatal; fi
`

// TestBinds compares the listeners that are read with the sockets that Dovecot opens.
func TestBinds(t *testing.T) {
	gate.Namespaces(t, "unshare", "ip", "ss", "dovecot", "doveconf")
	compared, failed := 0, 0
	for run := range oracleRuns(t) {
		h := &host{Rand: rand.New(rand.NewPCG(uint64(run), 4))}
		dir := t.TempDir()
		text := h.files()
		text["dovecot.conf"] = "base_dir = " + dir + "/run\nstate_dir = " + dir + "/state\nlog_path = " + dir + "/log\nssl_cert = </etc/dovecot/private/dovecot.pem\n" +
			"ssl_key = </etc/dovecot/private/dovecot.key\nprotocols = imap pop3 lmtp sieve submission\n" + text["dovecot.conf"]
		write(t, dir, text)
		want := bound(t, dir)
		if slices.Equal(want, []string{"fatal"}) {
			failed++
			continue
		}
		tree := &source.Tree{FS: os.DirFS(dir)}
		f, err := tree.Read("dovecot.conf")
		if err != nil {
			t.Fatal(err)
		}
		if got := predicted(Main(tree, f).Listeners); !slices.Equal(got, want) {
			t.Errorf("run %d: got %q\nwant %q\n%q", run, got, want, text)
		}
		compared += len(want)
	}
	t.Logf("%d sockets compared; in %d runs Dovecot does not start", compared, failed)
}

// write writes files below a folder.
func write(t *testing.T, dir string, text map[string]string) {
	t.Helper()
	for name, data := range text {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// bound returns the addresses on which Dovecot listens with the files, or "fatal".
func bound(t *testing.T, dir string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "unshare", "-n", "-p", "-f", "--kill-child", "sh", "-c", startScript, "sh", dir).Output()
	if err != nil {
		t.Fatalf("starting Dovecot: %v: %s", err, out)
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
