package query

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestFromFile: the servers, the port and the limits of resolv.conf.
func TestFromFile(t *testing.T) {
	for text, want := range map[string]struct {
		servers string
		trusted bool
	}{
		"nameserver 192.0.2.53\nnameserver 2001:db8::53\noptions timeout:2 attempts:3 trust-ad\n": {"192.0.2.53:53 [2001:db8::53]:53 ", false},
		"nameserver 127.0.0.11\n": {"127.0.0.11:53 ", false},
		"nameserver ::1\nnameserver 127.0.0.53\noptions edns0 trust-ad\n": {"[::1]:53 127.0.0.53:53 ", true},
		"search example.org\noptions trust-ad\n":                          {"127.0.0.1:53 ", true},
		"nameserver fe80::1%eth0\n":                                       {"[fe80::1%eth0]:53 ", false},
		"nameserver ns.example.org\n":                                     {"", false},
	} {
		file := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := fromFile(file)
		if (err == nil) != (want.servers != "") {
			t.Fatalf("%q: %v", text, err)
		}
		if err != nil {
			continue
		}
		got := ""
		for _, s := range c.Servers {
			got += s.String() + " "
		}
		if got != want.servers || c.Trusted != want.trusted {
			t.Errorf("%q: %s, trusted %t", text, got, c.Trusted)
		}
	}
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver 192.0.2.53\noptions timeout:2 attempts:3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := fromFile(file); err != nil || c.Timeout != 2*time.Second || c.Tries != 3 || c.Servers[0] != netip.MustParseAddrPort("192.0.2.53:53") {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := fromFile(file + ".none"); err == nil {
		t.Error("no error for a file that does not exist")
	}
}
