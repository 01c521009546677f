package configured_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/run/configured"
	"github.com/mxsweep/mxsweep/signatures"
)

// readPaths audits paths of this machine.
func readPaths(t *testing.T, paths ...string) (*configured.Audit, error) {
	t.Helper()
	known, err := signatures.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := exposure.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	criteria, err := gate.Demands{}.Criteria(nil, rules)
	if err != nil {
		t.Fatal(err)
	}
	a := &configured.Audit{Rules: rules, Ports: known, Gate: criteria, Now: time.Now(), MinDecided: 1}
	return a, a.Read(paths)
}

// write writes a file and the folders above it.
func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What is outside of the tree is not read, whatever leads there: its text could end up in
// the log of a pipeline.
func TestOutsideIsNotRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret", "dovecot.conf")
	write(t, secret, "service secret {\n  inet_listener {\n    port = 12345\n  }\n}\n")
	mail := filepath.Join(dir, "a", "mail")
	write(t, filepath.Join(mail, "dovecot.conf"), "protocols = none\n!include "+secret+"\n!include ../../secret/dovecot.conf\n!include_try link.conf\n")
	if runtime.GOOS != "windows" {
		if err := os.Symlink(secret, filepath.Join(mail, "link.conf")); err != nil {
			t.Fatal(err)
		}
	}
	a, err := readPaths(t, mail)
	if err != nil {
		t.Fatal(err)
	}
	c := a.Conclude()
	for _, f := range a.Files() {
		if strings.Contains(f, "secret") {
			t.Errorf("%q was read", f)
		}
	}
	if len(c.Open) > 0 || c.Decision.Code != gate.ExitIncomplete {
		t.Errorf("open %+v, code %d", c.Open, c.Decision.Code)
	}
}

// Several paths share the deepest folder that has them all, and their names show which is
// which.
func TestNamesOfPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x", "one", "clamd.conf"), "TCPSocket 3310\n")
	write(t, filepath.Join(dir, "x", "two", "clamd.conf"), "TCPSocket 3310\n")
	write(t, filepath.Join(dir, "x", "three", "clamd.conf"), "TCPSocket 3310\n")
	a, err := readPaths(t, filepath.Join(dir, "x", "one"), filepath.Join(dir, "x", "two"))
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	for _, f := range a.Conclude().Findings {
		hosts = append(hosts, f.Host)
	}
	if !slices.Equal(hosts, []string{"one/clamd.conf", "two/clamd.conf"}) {
		t.Errorf("findings in %q", hosts)
	}
	if _, err := readPaths(t, filepath.Join(dir, "none")); err == nil {
		t.Error("no error for a path that does not exist")
	}
}
