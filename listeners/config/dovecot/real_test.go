package dovecot

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// TestShipped reads the files of Debian's package.
func TestShipped(t *testing.T) {
	const dir = "usr/share/dovecot"
	if _, err := os.Stat("/" + dir + "/conf.d/10-master.conf"); err != nil {
		t.Skip("Debian's files of Dovecot are not here")
	}
	tree := &source.Tree{FS: os.DirFS("/"), Dir: "/"}
	f, err := tree.Read(dir + "/dovecot.conf")
	if err != nil {
		t.Fatal(err)
	}
	c := Main(tree, f)
	enabled := map[string]bool{}
	for _, name := range tree.Files() {
		if rest, ok := strings.CutPrefix(name, dir+"/protocols.d/"); ok {
			enabled[strings.TrimSuffix(rest, ".protocol")] = true
		}
	}
	want := []string{}
	for _, p := range []struct {
		file  string
		ports []string
	}{{"imapd", []string{"imap", "imaps"}}, {"pop3d", []string{"pop3", "pop3s"}}, {"submissiond", []string{"submission"}}, {"managesieved", []string{"sieve"}}} {
		if enabled[p.file] {
			want = append(want, p.ports...)
		}
	}
	got := []string{}
	for _, l := range c.Listeners {
		words := strings.Fields(l.Service)
		got = append(got, words[len(words)-1])
		if !l.All() || l.Address.IsValid() || l.Doubt != "" || len(l.Causes) != 2 {
			t.Errorf("%+v", l)
		}
	}
	compare(t, got, want)
	if len(c.Doubts) > 0 {
		t.Errorf("doubts: %v", c.Doubts)
	}
}

// TestHosts reads the files of hosts that the end-to-end tests scan.
func TestHosts(t *testing.T) {
	const dir = "../../../internal/e2e/testdata/hosts/"
	for name, want := range map[string][]string{
		"proxies": {"service imap-login imap: all 20143 Dovecot imap", "service imap-login imaps: all 20993 Dovecot imap ssl", "service imap-login imap_proxy: all 20144 Dovecot imap-backend"},
		"store": {
			"service imap-login imap: all 10143 Dovecot imap", "service imap-login imaps: all 993 Dovecot imap ssl", "service imap-login imap_proxy: all 10144 Dovecot imap-backend",
			"service lmtp lmtp: all 24 Dovecot lmtp", "service auth 12345: all 12345 Dovecot auth auth",
		},
		"swapped": {"service imap-login imap: 0.0.0.0 10025 Dovecot imap", "service lmtp lmtp: 0.0.0.0 10143 Dovecot lmtp"},
	} {
		data, err := os.ReadFile(dir + name + "/etc/dovecot/dovecot.conf")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range shownConfig(read(t, map[string]string{"dovecot.conf": string(data)})) {
			line, _, _ = strings.Cut(line, ";") // without causes
			_, line, _ = strings.Cut(line, " ") // without places
			if !slices.Contains(want, line) && name == "proxies" {
				continue // tests add to it
			}
			got = append(got, line)
		}
		compare(t, got, want)
	}
}

// TestHere compares what is read of this machine with what doveconf(1) reads.
func TestHere(t *testing.T) {
	const name = "etc/dovecot/dovecot.conf"
	if _, err := os.Stat("/" + name); err != nil {
		t.Skip("there is no dovecot.conf here")
	}
	if _, err := exec.LookPath("doveconf"); err != nil {
		t.Skip("doveconf is not installed")
	}
	tree := &source.Tree{FS: os.DirFS("/"), Dir: "/"}
	f, err := tree.Read(name)
	if err != nil {
		t.Skip(err)
	}
	out, problem := doveconf(t, "/"+name)
	if problem != "" {
		t.Skip(problem)
	}
	compare(t, asDoveconf(Main(tree, f).Listeners), parseDoveconf(out).listeners())
}
