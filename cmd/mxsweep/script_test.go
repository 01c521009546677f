package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden files in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mxsweep": main, workerName: work})
}

// TestScripts runs the command as a user does and compares exit code, output and
// files: lines with exits in the process of a worker, all others in a process per
// line.
func TestScripts(t *testing.T) {
	t.Parallel() // they mostly wait
	var pool workers
	t.Cleanup(pool.end)
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Condition: func(cond string) (bool, error) {
			if cond != "ipv6" { // loopback has an IPv6 address
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			l, err := net.Listen("tcp", "[::1]:0")
			if err == nil {
				err = l.Close()
			}
			return err == nil, nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ESCAPE", "\x1b[31mred")
			env.Values[serversKey{}] = servers{}
			env.Values[dnsKey{}] = map[string]*dnsServer{}
			w, err := newScriptWorker(&pool, env, scriptFile(env.WorkDir))
			env.Values[workerKey{}] = w
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":        exits,
			"closedstdout": closedStdout,
			"signals":      signals,
			"killed":       killed,
			"normalize":    normalize,
			"samerun":      sameRun,
			"mailserver":   mailServer,
			"mailserver6":  mailServer6,
			"freeport":     freePort,
			"stopserver":   stopServer,
			"connections":  connections,
			"dnsserver":    dnsServerCommand,
			"zoneserver":   zoneServerCommand,
			"asked":        asked,
			"valid":        valid,
			"write":        write,
			"big":          big,
			"within":       withinTime,
			"mode":         fileMode,
			"onway":        onWay,
			"torn":         torn,
			"hashed":       hashed,
			"applyfixes":   applyFixes,
		},
	})
}

// exits N CMD... runs a command and checks that its exit code is N. The standard
// input is empty.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, cmd := expected(ts, "exits", neg, args)
	if w := ts.Value(workerKey{}).(*scriptWorker); w.fits(cmd) {
		if got := w.do(ts, cmd[1:]); got != want {
			ts.Fatalf("exit code %d, want %d", got, want)
		}
		return
	}
	err := ts.Exec(cmd[0], cmd[1:]...)
	wantCode(ts, want, err)
}

// expected parses the expected exit code.
func expected(ts *testscript.TestScript, name string, neg bool, args []string) (int, []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: %s N CMD...", name)
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	return want, args[1:]
}

func wantCode(ts *testscript.TestScript, want int, err error) {
	if got := exitCode(ts, err); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// exitCode returns the exit code in the error of running a command.
func exitCode(ts *testscript.TestScript, err error) int {
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		ts.Fatalf("running: %v", err)
	}
	if err == nil {
		return 0
	}
	return ended.ExitCode()
}

// closedStdout N CMD... runs a command whose standard output is a pipe without a
// reader. Its standard error goes to the file stderr.txt.
func closedStdout(ts *testscript.TestScript, neg bool, args []string) {
	want, cmd := expected(ts, "closedstdout", neg, args)
	r, w, err := os.Pipe()
	ts.Check(err)
	ts.Check(r.Close())
	defer w.Close()
	c := command(ts, context.Background(), cmd)
	c.Stdout = w
	wantCode(ts, want, c.Run())
}

// signalLimit is how long a command may take to reach the point where it is
// stopped or killed, and then to end.
const signalLimit = 3 * time.Minute

// signals SIG AFTER N CMD... starts a command, sends it the signal (HUP, INT,
// QUIT or TERM) as soon as the file AFTER exists or, with FILE=TEXT for AFTER,
// contains TEXT, and checks that its exit code is N. Its outputs go to the files
// stdout.txt and stderr.txt.
func signals(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: signals SIG AFTER N CMD...")
	}
	sig := map[string]os.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT, "TERM": syscall.SIGTERM}[args[0]]
	if sig == nil {
		ts.Fatalf("unknown signal %q", args[0])
	}
	want, cmd := expected(ts, "signals", neg, args[2:])
	after, text, _ := strings.Cut(args[1], "=")
	ctx, cancel := context.WithTimeout(context.Background(), signalLimit)
	defer cancel()
	c := command(ts, ctx, cmd)
	out, err := os.Create(ts.MkAbs("stdout.txt"))
	ts.Check(err)
	defer out.Close()
	c.Stdout = out
	if signal.Ignored(sig) {
		// If the tests run under nohup, the command would inherit that it is
		// ignored.
		signal.Notify(make(chan os.Signal, 1), sig)
	}
	ts.Check(c.Start())
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		if data, err := os.ReadFile(ts.MkAbs(after)); err == nil && strings.Contains(string(data), text) {
			break
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("%s was not written", args[1])
		case <-tick.C:
		}
	}
	ts.Check(c.Process.Signal(sig))
	wantCode(ts, want, c.Wait())
}

// killed FILE TEXT CMD... starts a command and kills it with SIGKILL as soon as
// FILE contains TEXT.
func killed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: killed FILE TEXT CMD...")
	}
	ctx, cancel := context.WithTimeout(context.Background(), signalLimit)
	defer cancel()
	c := command(ts, ctx, args[2:])
	ts.Check(c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		if data, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(data), args[1]) {
			break
		}
		select {
		case err := <-ended:
			ts.Fatalf("ended before %s held %q: %v", args[0], args[1], err)
		case <-tick.C:
		}
	}
	ts.Check(c.Process.Kill())
	<-ended
}

// command returns a command in the script's directory and environment.
func command(ts *testscript.TestScript, ctx context.Context, args []string) *exec.Cmd {
	// The script's PATH has the command under test.
	path := args[0]
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if full := filepath.Join(dir, args[0]); filepath.IsAbs(full) {
			if info, err := os.Stat(full); err == nil && !info.IsDir() {
				path = full
				break
			}
		}
	}
	c := exec.CommandContext(ctx, path, args[1:]...)
	c.Dir = ts.MkAbs(".")
	for _, key := range []string{"PATH", "HOME", "TMPDIR"} {
		c.Env = append(c.Env, key+"="+ts.Getenv(key))
	}
	errFile, err := os.Create(ts.MkAbs("stderr.txt"))
	ts.Check(err)
	ts.Defer(func() { errFile.Close() })
	c.Stderr = errFile
	return c
}

// volatile matches what differs from run to run, with its replacement.
var volatile = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "2026-01-02T03:04:05Z"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?`), "2026-01-02 03:04:05 UTC"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "00000000-0000-0000-0000-000000000000"},
	{regexp.MustCompile(`"rtt_ms":\s*[0-9.e-]+`), `"rtt_ms":1`},
	{regexp.MustCompile(`\b[0-9.]+(µs|ms|s)\b`), "1s"},
	{regexp.MustCompile(`[0-9a-f]{64}`), fmt.Sprintf("%064d", 0)},
}

// normalize FILE... replaces times, durations and ids, so that files can be
// compared, and the ports of servers by their declared ones.
func normalize(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: normalize FILE...")
	}
	for _, name := range args {
		data := shownPorts(ts, ts.ReadFile(name))
		for _, v := range volatile {
			data = v.pattern.ReplaceAllString(data, v.by)
		}
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(data), 0o644))
	}
}

// write FILE LINE... writes lines to a file; they can contain variables.
func write(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: write FILE LINE...")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(args[1:], "\n")+"\n"), 0o644))
}

// within N DUR CMD... runs a command with a time limit. In its words, "DUR" is
// replaced by the limit and "END" by the time at which it is reached; so they are
// in the script's files named *.tmpl, which are written without that extension.
// It checks that the exit code is N. If the machine is too busy to get there in
// time, the command is run again with four times the limit, and so on.
func withinTime(ts *testscript.TestScript, neg bool, args []string) {
	want, words := expected(ts, "within", neg, args)
	first, err := time.ParseDuration(words[0])
	ts.Check(err)
	templates, err := filepath.Glob(ts.MkAbs("*.tmpl"))
	ts.Check(err)
	for d := first; ; d *= 4 {
		for _, name := range templates {
			text := strings.ReplaceAll(ts.ReadFile(name), "END", time.Now().Add(d).UTC().Format(time.RFC3339Nano))
			ts.Check(os.WriteFile(strings.TrimSuffix(name, ".tmpl"), []byte(text), 0o644))
		}
		cmd := slices.Clone(words[1:])
		for i := range cmd {
			cmd[i] = strings.ReplaceAll(cmd[i], "DUR", d.String())
		}
		err := ts.Exec(cmd[0], cmd[1:]...)
		if exitCode(ts, err) == want || d > first*16 {
			wantCode(ts, want, err)
			return
		}
	}
}

// mode PERM FILE... checks the permissions of files.
func fileMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode PERM FILE...")
	}
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", name, got, args[0])
		}
	}
}

// torn FILE COPY N copies a file without its last N bytes.
func torn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: torn FILE COPY N")
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	data := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(data[:len(data)-n]), 0o600))
}

// hashed FILE LOG checks that LOG has the SHA-256 of FILE.
func hashed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hashed FILE LOG")
	}
	sum := sha256.Sum256([]byte(ts.ReadFile(args[0])))
	if want := fmt.Sprintf("=%s\":\"%x\"", args[0], sum); !strings.Contains(ts.ReadFile(args[1]), want) {
		ts.Fatalf("%s does not hold %s", args[1], want)
	}
}

// onway N FILE checks that there are N temporary files for FILE.
func onWay(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: onway N FILE")
	}
	found, err := filepath.Glob(filepath.Join(ts.MkAbs("."), "."+args[1]+".mxsweep-*"))
	ts.Check(err)
	if fmt.Sprint(len(found)) != args[0] {
		ts.Fatalf("%d files on their way to %s, want %s: %v", len(found), args[1], args[0], found)
	}
}

// big FILE N writes a file of N bytes.
func big(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: big FILE N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Repeat([]byte("x"), n), 0o644))
}
