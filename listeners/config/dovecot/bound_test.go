package dovecot

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// startCommand starts Dovecot with the files of a folder, and ends when it listens or has ended.
const startCommand = "dovecot -F -c %[1]s/dovecot.conf & while kill -0 $! 2>/dev/null && ! [ -e %[1]s/run/master.pid ]; do sleep 0.002; done; [ -e %[1]s/run/master.pid ]"

// TestBinds compares the listeners that are read with the sockets that Dovecot opens. A run is one
// configuration, with about ten listeners, with which Dovecot is started.
func TestBinds(t *testing.T) {
	n := sockettest.Runs(t, 6, "dovecot", "doveconf")
	var files, compared, failed atomic.Int64
	sockettest.Share(t, n, func(t *testing.T, runs iter.Seq[int]) {
		room := sockettest.NewRoom(t, "10.0.0.1/32", "10.0.0.2/32", "10.0.0.9/32", "127.0.0.8/32", "fd00::1/128")
		for run := range runs {
			h := &host{Rand: rand.New(rand.NewPCG(uint64(run), 4))}
			dir := t.TempDir()
			text := h.files()
			text["dovecot.conf"] = "base_dir = " + dir + "/run\nstate_dir = " + dir + "/state\nlog_path = " + dir + "/log\nssl_cert = </etc/dovecot/private/dovecot.pem\n" +
				"ssl_key = </etc/dovecot/private/dovecot.key\nprotocols = imap pop3 lmtp sieve submission\n" + text["dovecot.conf"]
			write(t, dir, text)
			want, starts := bound(t, room, dir)
			if !starts {
				failed.Add(1)
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
			files.Add(1)
			compared.Add(int64(len(want)))
		}
	})
	t.Logf("%d files with %d sockets compared; with %d more Dovecot does not start", files.Load(), compared.Load(), failed.Load())
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

// bound returns the addresses on which Dovecot listens with the files, and whether it starts.
func bound(t *testing.T, room *sockettest.Room, dir string) (list []string, starts bool) {
	t.Helper()
	sockets, starts, _ := room.Start(t, fmt.Sprintf(startCommand, dir))
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
