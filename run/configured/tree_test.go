package configured_test

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/result"
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

// full returns the name that reports show of a file outside of a checkout.
func full(dir, name string) string {
	return strings.TrimPrefix(filepath.ToSlash(filepath.Join(dir, filepath.FromSlash(name))), "/")
}

// Outside of a checkout the name of a file, and the id of a finding in it, is the same whichever
// other paths are given, and a baseline of one set of paths holds for another.
func TestNamesOfPaths(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, name := range []string{"x/one", "x/two", "x/three"} {
		write(t, in(name+"/clamd.conf"), "TCPSocket 3310\n")
	}
	ids := map[string]string{}
	var first *drift.Baseline
	for _, paths := range [][]string{{in("x/one")}, {in("x/one"), in("x/two")}, {in("x/three"), in("x/one")}, {dir}, {in("x/one/clamd.conf")}, {in("x")}} {
		a, err := readPaths(t, paths...)
		if err != nil {
			t.Fatal(err)
		}
		a.Baseline = first
		c := a.Conclude()
		for i := range c.Findings {
			f := &c.Findings[i]
			if known, ok := ids[f.Host]; ok && known != f.ID {
				t.Errorf("%q: %s has another id", paths, f.Host)
			}
			if ids[f.Host] = f.ID; f.Listener.Edit == nil {
				t.Errorf("%q: %s has no edit", paths, f.Host)
			}
			if one := f.Host == full(dir, "x/one/clamd.conf"); first != nil && one != (f.Drift == result.DriftUnchanged) {
				t.Errorf("%q: %s is %s", paths, f.Host, f.Drift)
			}
		}
		if first == nil {
			first = drift.NewBaseline(drift.Header{Created: time.Now(), Vantage: "config"}, nil, c.Findings)
		}
	}
	if want := []string{full(dir, "x/one/clamd.conf"), full(dir, "x/three/clamd.conf"), full(dir, "x/two/clamd.conf")}; !slices.Equal(slices.Sorted(maps.Keys(ids)), want) {
		t.Errorf("findings in %q, want %q", ids, want)
	}
	if _, err := readPaths(t, in("none")); err == nil {
		t.Error("no error for a path that does not exist")
	}
}

// A checkout of /etc, as etckeeper makes it, is read like /etc itself: its files include others
// by their full path there, and have names below it.
func TestCheckoutOfEtc(t *testing.T) {
	t.Parallel()
	etc := filepath.Join(t.TempDir(), "mx1", "etc")
	for name, text := range map[string]string{
		".git/HEAD":                  "",
		"hosts":                      "192.0.2.7 inside\n",
		"postfix/main.cf":            "inet_interfaces = inside\n",
		"postfix/master.cf":          "10025 inet n - y - - smtpd\n  -o content_filter=\n",
		"dovecot/dovecot.conf":       "protocols = lmtp\n!include /etc/dovecot/conf.d/*.conf\n",
		"dovecot/conf.d/master.conf": "service lmtp {\n  inet_listener lmtp {\n    port = 24\n  }\n}\n",
	} {
		write(t, filepath.Join(etc, filepath.FromSlash(name)), text)
	}
	want := []string{"dovecot/conf.d/master.conf 0.0.0.0:24", "postfix/master.cf 192.0.2.7:10025"}
	for _, paths := range [][]string{{etc}, {filepath.Join(etc, "postfix"), filepath.Join(etc, "dovecot")}} {
		a, err := readPaths(t, paths...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		c := a.Conclude()
		for _, f := range c.Findings {
			got = append(got, f.Host+" "+f.Target.String())
		}
		slices.Sort(got)
		if !slices.Equal(got, want) || len(c.Decision.Notices) > 0 {
			t.Errorf("%q: %q, notices %v", paths, got, c.Decision.Notices)
		}
	}
}

// A command finds the same wherever it is started and however a path is written: the kinds
// of the files, their names and the ids of the findings. What is outside is not read from /
// either, and a checkout is one because of its .git, not because it is the working folder.
func TestWorkingFolderDoesNotMatter(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	proxy := filepath.Join(dir, "x", "haproxy")
	write(t, filepath.Join(proxy, "haproxy.cfg"), "defaults\n mode tcp\n")
	write(t, filepath.Join(proxy, "mail.cfg"), "listen a\n mode tcp\n bind :10143\n server a 192.0.2.1:143\n")
	write(t, filepath.Join(proxy, "dovecot.conf"), "!include "+filepath.Join(dir, "out.conf")+"\n")
	write(t, filepath.Join(dir, "out.conf"), "service a {\n  inet_listener {\n    port = 12345\n  }\n}\n")
	deploy := filepath.Join(dir, "repo", "deploy")
	write(t, filepath.Join(dir, "repo", ".git", "HEAD"), "")
	write(t, filepath.Join(deploy, "clamd.conf"), "TCPSocket 3310\n")
	paths := map[string]string{proxy: full(proxy, "mail.cfg"), deploy: "deploy/clamd.conf", filepath.Join(deploy, "clamd.conf"): "deploy/clamd.conf"}
	if runtime.GOOS != "windows" {
		if err := os.Symlink(proxy, filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range paths {
		ids := map[string]bool{}
		for _, cwd := range []string{dir, proxy, filepath.Dir(proxy), deploy, filepath.Dir(deploy), filepath.VolumeName(dir) + string(filepath.Separator)} {
			t.Chdir(cwd)
			rel, err := filepath.Rel(cwd, path)
			if err != nil {
				t.Fatal(err)
			}
			written := []string{path, rel, path + string(filepath.Separator) + "."}
			if info, err := os.Stat(path); err != nil || !info.IsDir() {
				written = written[:2]
			}
			if path == proxy && runtime.GOOS != "windows" {
				written = append(written, filepath.Join(dir, "link"))
			}
			for _, p := range written {
				a, err := readPaths(t, p)
				if err != nil {
					t.Fatal(err)
				}
				c := a.Conclude()
				if len(c.Findings) != 1 || c.Findings[0].Host != want {
					t.Fatalf("%s in %s: findings %v", p, cwd, shown(c))
				}
				if ids[c.Findings[0].ID] = true; len(ids) > 1 {
					t.Errorf("%s in %s: another id", p, cwd)
				}
				for _, f := range a.Files() {
					if strings.HasSuffix(f, "out.conf") {
						t.Errorf("%s in %s: %s was read", p, cwd, f)
					}
				}
			}
		}
	}
}

// The command that verifies an edit can be pasted: it names each file by a path that exists, in a
// checkout from its folder.
func TestVerifyNamesPaths(t *testing.T) {
	t.Parallel()
	for _, checkout := range []bool{false, true} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "mx1", "postfix", "main.cf"), "compatibility_level = 3.6\nmynetworks = 0.0.0.0/0\n")
		write(t, filepath.Join(dir, "mx1", "postfix", "master.cf"), "smtp inet n - y - - smtpd\n10025 inet n - y - - smtpd\n  -o content_filter=\n")
		write(t, filepath.Join(dir, "mx1", "clamav", "clamd.conf"), "TCPSocket 3310\n")
		from := ""
		if checkout {
			write(t, filepath.Join(dir, ".git", "HEAD"), "")
			from = dir
		}
		a, err := readPaths(t, filepath.Join(dir, "mx1"))
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		for _, f := range a.Conclude().Findings {
			_, command, ok := strings.Cut(f.Remediation, "\nVerify: mxsweep config ")
			if !ok {
				t.Errorf("%s has no command: %s", f.Rule.ID, f.Remediation)
			}
			command, _, _ = strings.Cut(command, "\n")
			for _, name := range strings.Fields(command) {
				if from == "" && !filepath.IsAbs(name) {
					t.Errorf("%s: %q depends on the working folder", f.Rule.ID, name)
				}
				if _, err := os.Stat(filepath.Join(from, name)); err != nil {
					t.Errorf("%s: %v", f.Rule.ID, err)
				}
				named[filepath.Base(name)] = true
			}
		}
		if want := []string{"clamd.conf", "main.cf", "master.cf"}; !slices.Equal(slices.Sorted(maps.Keys(named)), want) {
			t.Errorf("the commands name %q, want %q", slices.Sorted(maps.Keys(named)), want)
		}
	}
}
