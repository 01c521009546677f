package configured_test

import (
	"maps"
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
