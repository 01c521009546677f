package main

import (
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure/gate"
)

// refusals are command lines that end before a run begins, each for another
// reason. "@" is replaced by a listening port; each is run in a directory of its
// own in which every file of the line exists and is not empty.
var refusals = []string{
	// A mistake in flags, targets or lists.
	"scan @ --vantage moon",
	"scan @ --timeout 0s",
	"scan @ --no-such-flag",
	"scan @ --fail-on any:dreadful",
	"scan @ -p 0",
	"scan 192.0.2.300",
	"scan @ -o nothing=other",
	"scan @ --policy no-such.yaml",
	"scan @ --policy bad.yaml",
	"scan @ --baseline bad.yaml",
	"scan @ --signatures no-such-dir",
	"scan -i no-such-file",
	"scan @ -s empty.txt",
	"scan @ --exclude-file no-such-file",
	"scan @ --shard 3/2",
	// Without authorization.
	"scan @ -s scope.txt",
	"scan 2001:db8::/64",
	"scan @ --policy expired.yaml",
	// A file that cannot be opened, or has the wrong content.
	"scan @ -o json=no-such-dir/run.json",
	"scan @ -o jsonl=.",
	"scan @ --audit-log no-such-dir/audit",
	"scan @ --audit-log foreign.txt",
	"scan @ --audit-log torn.txt",
	"scan @ --audit-log .",
	"scan @ --resume foreign.txt",
	"scan @ --resume no-such-dir/progress",
	"scan @ --resume .",
	"scan @ --mode syn --pcap no-such-dir/x.pcap",
	"scan @ --mode syn --pcap capture.pcap", // loopback is not captured
	// A file with two purposes.
	"scan -i targets.txt -o jsonl=targets.txt",
	"scan -i targets.txt -o jsonl=link.txt",
	"scan -i targets.txt -o jsonl=hard.txt",
	"scan -i targets.txt -o json=dir/../targets.txt",
	"scan -s including.txt -o jsonl=targets.txt",
	"scan -s including.txt -o jsonl=including.txt",
	"scan @ --exclude-file exclude.txt -o jsonl=exclude.txt",
	"scan @ --exclude-file exclude.txt --resume exclude.txt",
	"scan @ --exclude-file exclude.txt --audit-log exclude.txt",
	"scan @ --exclude-file exclude.txt --mode syn --pcap exclude.txt",
	"scan @ --policy policy.yaml -o json=policy.yaml",
	"scan --policy scoped.yaml -o json=targets.txt",
	"scan @ --baseline baseline.jsonl -o jsonl=baseline.jsonl",
	"scan @ --signatures dir -o json=dir/own.yaml",
	"scan @ -o json=link.txt -o jsonl=targets.txt",
	"scan @ -o json=hard.txt -o jsonl=targets.txt",
	"scan @ -o jsonl=foreign.txt --audit-log foreign.txt",
	"scan @ -s scope.txt --audit-log scope.txt",
	"scan @ -o json=new.json -o jsonl=./new.json",
	"scan @ -o json=dangling.json -o jsonl=nowhere.json",
	"convert run.json -o json=run.json",
	"convert run.json -o jsonl=run.json",
	"convert foreign.txt -o jsonl=old.jsonl",
	"convert no-such-file -o jsonl=old.jsonl",
	// Nothing is sent, so nothing is written.
	"scan @ --dry-run",
}

// outputsOfAll are appended to each line of refusals that scans.
var outputsOfAll = []string{"-o", "jsonl=old.jsonl", "-o", "html=old.html", "-q"}

// fill writes the files of the refusals.
func fill(t *testing.T, dir string) {
	t.Helper()
	for name, text := range map[string]string{
		"old.jsonl": "{\"earlier\":1}\n", "old.html": "<p>earlier",
		"targets.txt": "127.0.0.1\n", "scope.txt": "192.0.2.0/24\n", "including.txt": "@include targets.txt\n",
		"exclude.txt": "192.0.2.9\n", "empty.txt": "# nothing\n", "foreign.txt": "dear diary\n", "torn.txt": "dear diary",
		"policy.yaml": "version: 1\n", "bad.yaml": "version: [\n", "scoped.yaml": "version: 1\nscope:\n  files: [targets.txt]\n",
		"expired.yaml":   "version: 1\nauthorization: {ticket: x, not_after: 2020-01-01}\n",
		"baseline.jsonl": "{}\n", "capture.pcap": "captured", "run.json": "{\"hello\": \"world\"}",
		"dir/own.yaml": "signatures: []\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "targets.txt"), filepath.Join(dir, "hard.txt")); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link.txt": "targets.txt", "dangling.json": "nowhere.json"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links: ", err)
		}
	}
}

// contents returns the files below a directory, and the targets of links.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range filesIn(t, dir) {
		if to, err := os.Readlink(name); err == nil {
			all[name] = "link to " + to
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(data)
	}
	return all
}

// TestRefusalsChangeNothing checks that a run that does not begin changes no file
// on its command line, byte for byte, and creates none.
func TestRefusalsChangeNothing(t *testing.T) {
	l := listen(t)
	for _, line := range refusals {
		for _, more := range [][]string{nil, outputsOfAll} {
			if more != nil && !strings.HasPrefix(line, "scan") {
				continue
			}
			if !strings.Contains(line, "--audit-log") && more != nil {
				more = append(slices.Clone(more), "--audit-log", "audit.jsonl")
			}
			if !strings.Contains(line, "--resume") && more != nil {
				more = append(slices.Clone(more), "--resume", "fresh")
			}
			args := append(strings.Fields(strings.ReplaceAll(line, "@", l)), more...)
			dir := t.TempDir()
			fill(t, dir)
			t.Chdir(dir)
			before := contents(t, dir)
			var out, errs strings.Builder
			code := program(t.Context(), args, strings.NewReader(""), &out, &errs, func(string) string { return "" })
			after := contents(t, dir)
			if log := filepath.Join(dir, "audit.jsonl"); code == int(gate.ExitRefused) {
				delete(after, log) // refusals are logged there
			}
			if want := strings.Contains(line, "--dry-run"); want != (code == 0) {
				t.Errorf("%s: exit code %d\n%s", args, code, &errs)
			}
			if !maps.Equal(before, after) {
				for name, text := range after {
					if before[name] != text {
						t.Errorf("%s (exit code %d): %s held %.40q and holds %.40q", args, code, filepath.Base(name), before[name], text)
					}
				}
				if len(after) < len(before) {
					t.Errorf("%s: %d files are left of %d", args, len(after), len(before))
				}
			}
		}
	}
}

// listen returns an address of loopback on which connections are closed.
func listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return l.Addr().String()
}

// filesIn lists the files of a directory and those below.
func filesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return files
}
