package configured_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/result"
)

// A setting that was repaired is fixed, if all files were read on which the finding depends.
func TestSettingFixed(t *testing.T) {
	t.Parallel()
	host := func(main string) map[string]string {
		return map[string]string{"postfix/master.cf": smtp, "postfix/main.cf": level + main}
	}
	other := map[string]string{"other/compose.yml": "services:\n  web:\n    image: example/web\n    ports: ['80:80']\n"}
	trusted := mx("mynetworks = 172.16.0.0/12\n", published)
	for _, tt := range []struct {
		name          string
		before, after map[string]string
		paths         []string
		want          result.Drift
		why           string
	}{
		{"of a host", host("mynetworks = 0.0.0.0/0\n"), host("mynetworks = 127.0.0.0/8\n"), nil, result.DriftFixed, "the setting no longer breaks the rule"},
		{"of a daemon with one file", controller("secure_ip = \"0.0.0.0/0\";\n"), map[string]string{"local.d/worker-controller.inc": "secure_ip = \"127.0.0.1\";\n"}, nil,
			result.DriftFixed, "the setting no longer breaks the rule"},
		{"of a container", trusted, mx("mynetworks = 127.0.0.0/8\n", published), nil, result.DriftFixed, "the setting no longer breaks the rule"},
		{"of a container, without the file that publishes the port", trusted, nil, []string{"postfix"}, result.DriftUnverified, "this run did not read compose.yml, which the finding depends on"},
		{"of a container, with a file that publishes another port", trusted, other, []string{"postfix", "other"}, result.DriftUnverified, "this run did not read compose.yml, which the finding depends on"},
		{"of a container, published by a broken file", trusted, map[string]string{"compose.yml": "services: [\n"}, nil, result.DriftUnverified, "the files do not decide all of compose.yml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(tt.before)
			files[".git/HEAD"] = "ref: refs/heads/main\n"
			dir, c := t.TempDir(), (*drift.Baseline)(nil)
			for _, round := range []map[string]string{files, tt.after} {
				for name, text := range round {
					write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
				}
				paths := []string{dir}
				if c != nil && tt.paths != nil {
					paths = nil
					for _, p := range tt.paths {
						paths = append(paths, filepath.Join(dir, p))
					}
				}
				a, err := readPaths(t, paths...)
				if err != nil {
					t.Fatal(err)
				}
				a.Baseline = c
				findings := a.Conclude().Findings
				if c == nil {
					c = drift.NewBaseline(drift.Header{Created: time.Now(), Vantage: "config"}, nil, findings)
					continue
				}
				settings := 0
				for i := range findings {
					if f := &findings[i]; f.Rule.OfSetting() {
						settings++
						if f.Drift != tt.want || f.Evidence[0] != tt.why {
							t.Errorf("%s %s: %s, %q", f.Rule.ID, f.Place(), f.Drift, f.Evidence)
						}
					}
				}
				if settings != 1 {
					t.Errorf("%d findings about settings, want 1", settings)
				}
			}
		})
	}
}

// What is known of a listener that no finding is about any longer: it is fixed if its file was read
// and is decided, or is gone, and unverified otherwise.
func TestListenerFixed(t *testing.T) {
	t.Parallel()
	const two = "10025 inet n - y - - smtpd\n  -o content_filter=\n"
	for _, tt := range []struct {
		name  string
		after map[string]string // "" deletes a file
		paths []string
		want  result.Drift
		why   string
	}{
		{"bound to loopback", map[string]string{"a/clamd.conf": "TCPSocket 3310\nTCPAddr 127.0.0.1\n"}, nil, result.DriftFixed, "the file no longer has the listener"},
		{"bound to loopback, under its name", map[string]string{"b/main.cf": "inet_interfaces = 127.0.0.1, ::1\n"}, nil, result.DriftFixed, "the listener no longer breaks the rule"},
		{"not in the file", map[string]string{"a/clamd.conf": "LocalSocket /run/x\n"}, nil, result.DriftFixed, "the file no longer has the listener"},
		{"no file", map[string]string{"a/clamd.conf": ""}, nil, result.DriftFixed, "the file is no longer there"},
		{"no file, in a folder that no path has", map[string]string{"a/clamd.conf": ""}, []string{"b"}, result.DriftUnverified, "this run did not read the file"},
		{"another folder", nil, []string{"b"}, result.DriftUnverified, "this run did not read the file"},
		{"undecided", map[string]string{"b/master.cf": "$x inet n - y - - smtpd\n"}, nil, result.DriftUnverified, "the files do not decide all of b/master.cf"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range map[string]string{".git/HEAD": "", "a/clamd.conf": "TCPSocket 3310\n", "b/main.cf": "inet_interfaces = all\n", "b/master.cf": two} {
				write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
			}
			a, err := readPaths(t, dir)
			if err != nil {
				t.Fatal(err)
			}
			b := drift.NewBaseline(drift.Header{Created: time.Now(), Vantage: "config"}, nil, a.Conclude().Findings)
			if len(b.Entries) != 2 {
				t.Fatalf("%d entries", len(b.Entries))
			}
			for name, text := range tt.after {
				if file := filepath.Join(dir, filepath.FromSlash(name)); text != "" {
					write(t, file, text)
				} else if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
			paths := []string{dir}
			for i, p := range tt.paths {
				paths = append(paths[:i], filepath.Join(dir, p))
			}
			if a, err = readPaths(t, paths...); err != nil {
				t.Fatal(err)
			}
			a.Baseline = b
			changed := 0
			for _, f := range a.Conclude().Findings {
				if f.Drift != result.DriftUnchanged {
					changed++
					if f.Drift != tt.want || f.Evidence[0] != tt.why {
						t.Errorf("%s %s: %s, %q", f.Rule.ID, f.Place(), f.Drift, f.Evidence)
					}
				}
			}
			if changed != 1 {
				t.Errorf("%d findings changed, want 1", changed)
			}
		})
	}
}
