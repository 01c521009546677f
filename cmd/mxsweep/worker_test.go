package main

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// workerName is the name of the test binary as a worker.
const workerName = "mxsweep-worker"

// A worker is a process that runs the command for all lines of a script, one
// after the other, each in the script's directory and environment and with pipes
// of its own as descriptors 0 to 2, because starting a process takes longer than
// most lines of a script.
type worker struct {
	variables []string // environment of the script
	cmd       *exec.Cmd
	requests  *gob.Encoder
	replies   *gob.Decoder
	died      strings.Builder // output of a worker that crashed
}

// A request is one line of a script. The worker sends one reply.
type request struct {
	Dir       string
	Env, Args []string
}

type reply struct {
	Code     int
	Out, Err string
}

type workerKey struct{}

// setVariable matches the variables that a script sets.
var setVariable = regexp.MustCompile(`(?m)^env (\w+)=`)

// newWorker returns the worker of a script, which starts with the first line.
func newWorker(env *testscript.Env, script string) (*worker, error) {
	text, err := os.ReadFile(script)
	if err != nil {
		return nil, err
	}
	w := &worker{}
	for _, v := range env.Vars {
		name, _, _ := strings.Cut(v, "=")
		w.variables = append(w.variables, name)
	}
	for _, set := range setVariable.FindAllSubmatch(text, -1) {
		w.variables = append(w.variables, string(set[1]))
	}
	return w, nil
}

// fits reports whether a worker may run a command line: one that reads its
// standard input needs a process of its own, and so does one that may drop
// privileges, which a process can do only once.
func (w *worker) fits(cmd []string) bool {
	own := func(arg string) bool { return arg == "-" || arg == "syn" || arg == "auto" }
	return canRedirect && cmd[0] == "mxsweep" && !slices.ContainsFunc(cmd, own)
}

// do runs a command line and returns its exit code; the outputs are those of the
// script's command.
func (w *worker) do(ts *testscript.TestScript, args []string) int {
	if w.cmd == nil {
		ts.Check(w.start())
		ts.Defer(func() { _ = w.cmd.Wait() })
		ts.Defer(func() { _ = w.cmd.Process.Kill() })
	}
	q := request{Dir: ts.MkAbs("."), Args: args}
	for _, name := range w.variables {
		q.Env = append(q.Env, name+"="+ts.Getenv(name))
	}
	var r reply
	if err := errors.Join(w.requests.Encode(q), w.replies.Decode(&r)); err != nil {
		_ = w.cmd.Wait()
		ts.Fatalf("mxsweep %q: %v\n%s", args, err, w.died.String())
	}
	fmt.Fprint(ts.Stdout(), r.Out)
	fmt.Fprint(ts.Stderr(), r.Err)
	return r.Code
}

func (w *worker) start() error {
	path, err := exec.LookPath(workerName)
	if err != nil {
		return err
	}
	theirIn, requests, err := os.Pipe()
	if err != nil {
		return err
	}
	replies, theirOut, err := os.Pipe()
	if err != nil {
		return err
	}
	w.requests, w.replies = gob.NewEncoder(requests), gob.NewDecoder(replies)
	w.cmd = exec.Command(path)
	w.cmd.ExtraFiles = []*os.File{theirIn, theirOut} // descriptors 3 and 4
	w.cmd.Stderr = &w.died
	err = w.cmd.Start()
	return errors.Join(err, theirIn.Close(), theirOut.Close())
}

// work is the main function of the worker's process.
func work() {
	requests, replies := gob.NewDecoder(os.NewFile(3, "requests")), gob.NewEncoder(os.NewFile(4, "replies"))
	// A crash would only be in the pipe of a line, and lost with it.
	if err := debug.SetCrashOutput(os.Stderr, debug.CrashOptions{}); err != nil {
		panic(err)
	}
	debug.SetGCPercent(400)
	for {
		var q request
		switch err := requests.Decode(&q); {
		case err == io.EOF:
			return
		case err != nil:
			panic(err)
		}
		r, err := q.run()
		if err != nil {
			panic(err)
		}
		if err := replies.Encode(r); err != nil {
			panic(err)
		}
	}
}

// run does what main does, with pipes as descriptors.
func (q request) run() (reply, error) {
	os.Clearenv()
	for _, v := range q.Env {
		name, value, _ := strings.Cut(v, "=")
		if err := os.Setenv(name, value); err != nil {
			return reply{}, err
		}
	}
	if err := os.Chdir(q.Dir); err != nil {
		return reply{}, err
	}
	in, end, err := os.Pipe()
	if err == nil {
		err = errors.Join(end.Close(), redirect(in, os.Stdin), in.Close())
	}
	if err != nil {
		return reply{}, err
	}
	stdout, err := pipeFrom(os.Stdout)
	if err != nil {
		return reply{}, err
	}
	stderr, err := pipeFrom(os.Stderr)
	if err != nil {
		return reply{}, err
	}
	ctx, stop := untilSignal(context.Background())
	code := program(ctx, q.Args, os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	stop()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return reply{}, err
	}
	// The pipes end, as they do with a process.
	err = errors.Join(redirect(null, os.Stdout), redirect(null, os.Stderr), null.Close())
	return reply{Code: code, Out: <-stdout, Err: <-stderr}, err
}

// pipeFrom makes f a pipe. Its content is delivered when f is replaced.
func pipeFrom(f *os.File) (<-chan string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(redirect(w, f), w.Close()); err != nil {
		return nil, err
	}
	text := make(chan string, 1)
	go func() {
		data, _ := io.ReadAll(r)
		r.Close()
		text <- string(data)
	}()
	return text, nil
}

// scriptFile returns the file of a script, by its working directory.
func scriptFile(workDir string) string {
	name := strings.TrimPrefix(filepath.Base(workDir), "script-")
	return filepath.Join("testdata", "script", name+".txtar")
}
