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
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// workerName is the name of the test binary as a worker.
const workerName = "mxsweep-worker"

// A worker is a process that runs the command for lines of scripts, one after the
// other, each in the script's directory and environment and with pipes of its own
// as descriptors 0 to 2, because starting a process takes longer than most lines
// of a script.
type worker struct {
	cmd      *exec.Cmd
	requests *gob.Encoder
	replies  *gob.Decoder
	died     strings.Builder // output of a worker that crashed
}

// workers are the processes that no script uses now.
type workers struct {
	mu   sync.Mutex
	idle []*worker
}

// A scriptWorker runs the lines of one script in one worker.
type scriptWorker struct {
	variables []string // environment of the script
	pool      *workers
	worker    *worker // nil before the first line
	busy      bool    // a line began and did not end
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

// newScriptWorker returns the worker of a script, which has a process from its first
// line on.
func newScriptWorker(pool *workers, env *testscript.Env, script string) (*scriptWorker, error) {
	text, err := os.ReadFile(script)
	if err != nil {
		return nil, err
	}
	w := &scriptWorker{pool: pool}
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
func (w *scriptWorker) fits(cmd []string) bool {
	own := func(arg string) bool { return arg == "-" || arg == "syn" || arg == "auto" }
	return canRedirect && cmd[0] == "mxsweep" && !slices.ContainsFunc(cmd, own)
}

// do runs a command line and returns its exit code; the outputs are those of the
// script's command.
func (w *scriptWorker) do(ts *testscript.TestScript, args []string) int {
	if w.worker == nil {
		var err error
		w.worker, err = w.pool.take()
		ts.Check(err)
		ts.Defer(func() { w.pool.put(w.worker, w.busy) })
	}
	q := request{Dir: ts.MkAbs("."), Args: args}
	for _, name := range w.variables {
		q.Env = append(q.Env, name+"="+ts.Getenv(name))
	}
	w.busy = true
	var r reply
	if err := errors.Join(w.worker.requests.Encode(q), w.worker.replies.Decode(&r)); err != nil {
		_ = w.worker.cmd.Wait()
		ts.Fatalf("mxsweep %q: %v\n%s", args, err, w.worker.died.String())
	}
	w.busy = false
	fmt.Fprint(ts.Stdout(), r.Out)
	fmt.Fprint(ts.Stderr(), r.Err)
	return r.Code
}

// take returns an idle worker, or a new one.
func (p *workers) take() (*worker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return w, nil
	}
	return startWorker()
}

// put makes a worker idle; one that is still busy is ended.
func (p *workers) put(w *worker, busy bool) {
	if busy {
		w.end()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, w)
}

// end ends the idle workers.
func (p *workers) end() {
	for _, w := range p.idle {
		w.end()
	}
}

func (w *worker) end() {
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
}

func startWorker() (*worker, error) {
	path, err := exec.LookPath(workerName)
	if err != nil {
		return nil, err
	}
	theirIn, requests, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	replies, theirOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.Command(path), requests: gob.NewEncoder(requests), replies: gob.NewDecoder(replies)}
	w.cmd.ExtraFiles = []*os.File{theirIn, theirOut} // descriptors 3 and 4
	w.cmd.Stderr = &w.died
	err = w.cmd.Start()
	return w, errors.Join(err, theirIn.Close(), theirOut.Close())
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
