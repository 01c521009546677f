package main

import (
	"bufio"
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/internal/outfile"
)

// A bench is a folder in which the steps of a pipeline run, with the command of
// this tree in the PATH.
type bench struct {
	t   *testing.T
	dir string
	env []string
}

// newBench creates an empty folder. TestMain puts the command into the PATH.
func newBench(t *testing.T) *bench {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the steps are for a POSIX shell")
	}
	return &bench{t: t, dir: t.TempDir(), env: append(os.Environ(), "GITHUB_ACTIONS=", "CI=true")}
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	abs, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func (b *bench) set(key, value string) { b.env = append(b.env, key+"="+value) }

// run runs a command, checks the exit code and returns both outputs.
func (b *bench) run(want int, name string, args ...string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*time.Minute)
	defer cancel()
	path := name
	if name == "bash" || name == "sh" || name == "git" || name == "go" {
		found, err := exec.LookPath(name)
		if err != nil {
			b.t.Skipf("%s is not installed", name)
		}
		path = found
	}
	c := exec.CommandContext(ctx, path, args...)
	c.Dir, c.Env = b.dir, b.env
	out, err := c.CombinedOutput()
	if c.ProcessState == nil || c.ProcessState.ExitCode() != want {
		b.t.Fatalf("%s %q: %v, want exit code %d:\n%s", name, args, err, want, out)
	}
	return string(out)
}

func (b *bench) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// read reads a file of the folder; a missing one fails the test.
func (b *bench) read(name string) string {
	b.t.Helper()
	return readDocument(b.t, filepath.Join(b.dir, name))
}

// newBuildBench is for steps that build the command, which takes long without a
// cache.
func newBuildBench(t *testing.T) *bench {
	t.Helper()
	if os.Getenv("CI") == "" {
		t.Skip("these steps build the command: run with CI=true, as make test does")
	}
	return newBench(t)
}

// exposed starts a port that fails a gate and writes a policy with it in scope;
// findings of the given baseline do not fail.
func (b *bench) exposed() {
	b.t.Helper()
	h, err := mailtest.Daemon("postfix-reinjection")
	if err != nil {
		b.t.Fatal(err)
	}
	server, err := mailtest.Listen("", h)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { server.Close() })
	b.write("mxsweep.yaml", fmt.Sprintf("version: 1\nscope:\n  targets: [127.0.0.1]\nports: \"%d\"\ngate:\n  fail_on: new:low\n", server.Addr().Port()))
}

// baseline scans and saves the findings as baseline.jsonl.
func (b *bench) baseline() {
	b.run(0, "sh", "-c", "mxsweep scan --vantage internet --fail-on none -o json=first.json && mxsweep baseline write first.json -o baseline.jsonl")
}

// source returns a repository with the files of this tree, as a pipeline clones
// it.
func (b *bench) source() string {
	b.t.Helper()
	git := b.t.TempDir()
	tree := absolute(b.t, root)
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main", git},
		{"--git-dir", git + "/.git", "--work-tree", tree, "-C", tree, "add", "--all"},
		{"--git-dir", git + "/.git", "--work-tree", tree, "-C", tree,
			"-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message", "test"},
	} {
		b.run(0, "git", args...)
	}
	return "file://" + git
}

// TestGuide follows docs/ci.md from nothing to a failing and a passing gate.
func TestGuide(t *testing.T) {
	t.Parallel() // it mostly waits
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has all of 127.0.0.0/8")
	}
	b := newBench(t)
	address := fmt.Sprintf("127.31.%d.%d", os.Getpid()>>8&0xff, 1+os.Getpid()&0x7f) // of this process alone
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	shown, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		program(ctx, []string{"demo", "--listen", address}, nil, w, w, func(string) string { return "" })
		w.Close()
	}()
	for lines := bufio.NewScanner(shown); lines.Scan() && !strings.Contains(lines.Text(), "until you stop it"); {
	}

	text := readDocument(t, filepath.Join(root, "docs", "ci.md"))
	_, text, _ = strings.Cut(text, "\n## Five minutes\n")
	text, _, _ = strings.Cut(text, "\n## ")
	later := time.Now().UTC().AddDate(0, 1, 0)
	text = strings.NewReplacer("127.0.0.1", address,
		"2027-01-31", later.Format(time.DateOnly), "2027-02-01", later.AddDate(0, 0, 1).Format(time.DateOnly)).Replace(text)
	commands, policy := 0, ""
	for _, block := range regexp.MustCompile("(?s)```(yaml|sh)\n(.*?)```").FindAllStringSubmatch(text, -1) {
		if block[1] == "yaml" {
			policy += block[2]
			b.write("mxsweep.yaml", policy)
			continue
		}
		for line := range strings.Lines(block[2]) {
			var want int
			command, code, ok := strings.Cut(line, " # exit code ")
			if _, err := fmt.Sscan(code, &want); !ok || err != nil {
				t.Fatalf("%q does not say its exit code", line)
			}
			b.run(want, "sh", "-c", command)
			commands++
		}
	}
	if commands < 7 {
		t.Errorf("only %d commands found", commands)
	}
}

// TestAction runs the shell steps of action.yml.
func TestAction(t *testing.T) {
	b := newBuildBench(t)
	b.exposed()
	var action struct {
		Inputs map[string]struct{ Default string }
		Runs   struct {
			Steps []struct {
				Name, Run, Shell, If string
				Env, With            map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(readDocument(t, filepath.Join(root, "action.yml"))), &action); err != nil {
		t.Fatal(err)
	}
	step := func(want int, name string, with map[string]string) string {
		t.Helper()
		for _, s := range action.Runs.Steps {
			if s.Name != name {
				continue
			}
			if s.Shell != "bash" || strings.Contains(s.Run, "${{") {
				t.Fatalf("step %q: an expression stands in the text of its script", name)
			}
			for key, value := range s.Env {
				input := regexp.MustCompile(`^\$\{\{ inputs\.([\w-]+) \}\}$`).FindStringSubmatch(value)
				if input == nil {
					t.Fatalf("step %q: %s is no input: %q", name, key, value)
				}
				in, known := action.Inputs[input[1]]
				if !known {
					t.Fatalf("step %q: no input %q", name, input[1])
				}
				if v, ok := with[input[1]]; ok {
					in.Default = v
				}
				b.set(key, in.Default)
			}
			// As the runner calls it.
			return b.run(want, "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", s.Run)
		}
		t.Fatalf("no step %q", name)
		return ""
	}
	for key, value := range map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_ACTION_PATH": absolute(t, root), "RUNNER_TEMP": b.dir,
		"GITHUB_PATH": b.dir + "/path", "GITHUB_OUTPUT": b.dir + "/output", "GITHUB_STEP_SUMMARY": b.dir + "/summary",
	} {
		b.set(key, value)
	}
	step(0, "build mxsweep", nil)
	if bin := strings.TrimSpace(b.read("path")); len(bin) == 0 {
		t.Error("the binary is not in the PATH of later steps")
	} else {
		b.set("PATH", bin+":"+os.Getenv("PATH"))
	}
	out := step(1, "scan", map[string]string{"fail-on": "any:low"})
	for file, want := range map[string]string{
		"output": "gate=fail\n", "summary": "❌ Fail", "mxsweep-report/run.json": `"MXS1009"`,
		"mxsweep-report/mxsweep.sarif": `"MXS1009"`, "mxsweep-report/report.html": "MXS1009",
	} {
		if !strings.Contains(b.read(file), want) {
			t.Errorf("%s lacks %q", file, want)
		}
	}
	if !strings.Contains(out, "\n::") && !strings.HasPrefix(out, "::") {
		t.Errorf("no annotation in\n%s", out)
	}
	outputs := func() map[string]string {
		list := make(map[string]string)
		for line := range strings.Lines(b.read("output")) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			list[key] = value
		}
		return list
	}
	// uploads evaluates the condition of the step with bash, which has the same
	// result.
	uploads := func(of map[string]string) bool {
		t.Helper()
		s := action.Runs.Steps[len(action.Runs.Steps)-1]
		condition := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s.If), "${{"), "}}")
		condition = strings.NewReplacer("!cancelled()", "-n x", "inputs.upload", "true").Replace(condition)
		condition = regexp.MustCompile(`steps\.scan\.outputs\.(\w+)`).ReplaceAllStringFunc(condition, func(name string) string {
			return "'" + of[strings.TrimPrefix(name, "steps.scan.outputs.")] + "'"
		})
		return strings.TrimSpace(b.run(0, "bash", "-c", "if [[ "+condition+" ]]; then echo yes; else echo no; fi")) == "yes"
	}
	told := outputs()
	if files, err := os.ReadDir(told["no_source"]); err != nil || len(files) > 0 {
		t.Errorf("the folder without sources: %v, %v", files, err)
	}
	if !uploads(told) {
		t.Errorf("a run that fails is not uploaded: %v", told)
	}
	for gate, want := range map[string]bool{"pass": true, "fail": true, "incomplete": false, "error": false, "": false} {
		if got := uploads(map[string]string{"gate": gate, "incomplete": "false"}); got != want {
			t.Errorf("gate %q: uploads is %v", gate, got)
		}
	}
	if uploads(map[string]string{"gate": "fail", "incomplete": "true"}) {
		t.Error("a run that fails and saw too little is uploaded")
	}
	b.baseline()
	policy := b.read("mxsweep.yaml")
	b.write("mxsweep.yaml", policy+silentCanary)
	step(4, "scan", map[string]string{"baseline": "baseline.jsonl"})
	b.write("mxsweep.yaml", policy)
	if told := outputs(); told["gate"] != "incomplete" || told["incomplete"] != "true" || uploads(told) {
		t.Errorf("a run that saw too little is uploaded: %v", told)
	}
	b.set("GITHUB_ACTIONS", "")
	step(0, "scan", map[string]string{"baseline": "baseline.jsonl", "args": "--all-ports\n--color\nnever\n"})
	step(5, "scan", map[string]string{"targets": "192.0.2.1\n192.0.2.2\n"})
	step(2, "scan", map[string]string{"targets": "$(touch injected)", "fail-on": "; touch injected"})
	if outfile.Exists(filepath.Join(b.dir, "injected")) {
		t.Error("an input was run as a command")
	}
}

// TestGitLab runs the job of docs/ci/gitlab-ci.yml.
func TestGitLab(t *testing.T) {
	b := newBuildBench(t)
	b.exposed()
	var file struct {
		Variables map[string]string
		Job       struct {
			Variables map[string]string
			Cache     struct{ Paths []string }
			Before    []string `yaml:"before_script"`
			Script    []string
			Artifacts struct {
				Paths   []string
				Reports map[string]string
			}
		} `yaml:"mail-exposure"`
	}
	if err := yaml.Unmarshal([]byte(readDocument(t, filepath.Join(root, "docs", "ci", "gitlab-ci.yml"))), &file); err != nil {
		t.Fatal(err)
	}
	for key, value := range file.Variables {
		b.set(key, value)
	}
	for _, name := range []string{"GOMODCACHE", "GOCACHE"} {
		path := strings.TrimPrefix(file.Job.Variables[name], "$CI_PROJECT_DIR/")
		if !slices.Contains(file.Job.Cache.Paths, path) {
			t.Errorf("%s is %q, which is not kept: %v", name, path, file.Job.Cache.Paths)
		}
	}
	b.set("MXSWEEP_SOURCE", b.source())
	b.write("baseline.jsonl", noFindings(b))
	job := strings.Join(append([]string{"set -e"}, append(file.Job.Before, file.Job.Script...)...), "\n")
	b.run(1, "sh", "-c", job)
	for _, name := range file.Job.Artifacts.Paths {
		b.read(name)
	}
	for kind, name := range file.Job.Artifacts.Reports {
		if !strings.Contains(b.read(name), "MXS1009") {
			t.Errorf("the %s report does not tell what was found", kind)
		}
	}
	b.baseline()
	script := strings.Join(append([]string{"set -e"}, file.Job.Script...), "\n")
	b.run(0, "sh", "-c", script)
	b.write("mxsweep.yaml", b.read("mxsweep.yaml")+silentCanary)
	b.run(4, "sh", "-c", script)
	if outfile.Exists(filepath.Join(b.dir, file.Job.Artifacts.Reports["codequality"])) {
		t.Error("a run that saw too little has a code quality report")
	}
}

// TestActionVersions checks that an action has the same version everywhere.
func TestActionVersions(t *testing.T) {
	versions := make(map[string]string)
	for _, name := range []string{"action.yml", ".github/workflows/checks.yml", "docs/ci/github.yml"} {
		uses := regexp.MustCompile(`uses: ((?:actions|github)/[\w/-]+)@(\S+)`).FindAllStringSubmatch(readDocument(t, filepath.Join(root, name)), -1)
		if len(uses) == 0 {
			t.Errorf("%s uses no action", name)
		}
		for _, u := range uses {
			if v := versions[u[1]]; v != "" && v != u[2] {
				t.Errorf("%s uses %s@%s, another file @%s", name, u[1], u[2], v)
			}
			versions[u[1]] = u[2]
		}
	}
}

// silentCanary in a policy makes a run incomplete.
const silentCanary = "canaries: [{target: 127.0.0.1, port: 1}]\n"

// noFindings is a baseline of a run that found nothing.
func noFindings(b *bench) string {
	b.t.Helper()
	b.run(0, "sh", "-c", "mxsweep scan --vantage internet --fail-on none -o json=none.json && mxsweep baseline write none.json -o none.jsonl")
	head, _, _ := strings.Cut(b.read("none.jsonl"), "\n")
	return head + "\n"
}

// TestJenkins runs the shell steps of docs/ci/Jenkinsfile.
func TestJenkins(t *testing.T) {
	b := newBuildBench(t)
	b.exposed()
	text := readDocument(t, filepath.Join(root, "docs", "ci", "Jenkinsfile"))
	for _, v := range regexp.MustCompile(`(MXSWEEP_\w+) = '([^']*)'`).FindAllStringSubmatch(text, -1) {
		b.set(v[1], v[2])
	}
	b.set("MXSWEEP_SOURCE", b.source())
	b.write("baseline.jsonl", noFindings(b))
	steps := regexp.MustCompile(`(?s)sh '''\n(.*?)'''`).FindAllStringSubmatch(text, -1)
	if len(steps) != 2 || strings.Count(text, "{") != strings.Count(text, "}") {
		t.Fatalf("%d shell steps, or braces that do not match", len(steps))
	}
	for i, want := range []int{0, 1} {
		b.run(want, "sh", "-xec", steps[i][1]) // as Jenkins calls it
	}
	for _, name := range []string{"mxsweep.junit.xml", "mxsweep.sarif", "mxsweep.html"} {
		if !strings.Contains(b.read(name), "MXS1009") {
			t.Errorf("%s does not tell what was found", name)
		}
	}
	b.baseline()
	b.run(0, "sh", "-xec", steps[1][1])
}

// TestContainer builds the binary as the Dockerfile does and runs it as a
// container would: with nothing else in its file system, no user, and no
// privileges.
func TestContainer(t *testing.T) {
	b := newBuildBench(t)
	text := readDocument(t, filepath.Join(root, "Dockerfile"))
	for _, want := range []string{"\nFROM scratch\n", "\nUSER 65534:65534\n", "\nENTRYPOINT [\"/usr/bin/mxsweep\"]\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the Dockerfile lacks %q", want)
		}
	}
	build := regexp.MustCompile(`\nRUN (CGO_ENABLED=0 go build .*) -o /mxsweep (\S+)\n`).FindStringSubmatch(text)
	if build == nil {
		t.Fatal("the Dockerfile builds nothing")
	}
	image := filepath.Join(b.dir, "image")
	b.run(0, "sh", "-c", fmt.Sprintf("mkdir -m 755 %[1]s && mkdir -m 777 %[1]s/work && cd %[2]q && %[3]s -o %[1]s/mxsweep %[4]s && chmod 755 %[1]s/mxsweep && chmod 755 %[5]q",
		image, absolute(t, root), build[1], build[2], b.dir))
	if runtime.GOOS != "linux" {
		return
	}
	binary, err := elf.Open(filepath.Join(image, "mxsweep"))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if binary.Section(".interp") != nil {
		t.Error("the binary needs a dynamic loader")
	}
	contained(t, image)
}

// scannedInside are commands for the container, with their results.
func scannedInside(t *testing.T, c *exec.Cmd) {
	t.Helper()
	h, err := mailtest.Daemon("postfix-reinjection")
	if err != nil {
		t.Fatal(err)
	}
	server, err := mailtest.Listen(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0).String(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c.Args = append(c.Args, "scan", server.Addr().String(), "--vantage", "internet", "--fail-on", "any:low", "-o", "text", "-o", "json=run.json")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err = c.Run()
	if c.ProcessState == nil || c.ProcessState.ExitCode() != 1 || !strings.Contains(out.String(), "MXS1009") {
		t.Errorf("the contained command: %v\n%s", err, out.String())
	}
}
