//go:build linux

package e2e

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/signatures"
)

// scanEnv, if it is set, makes this program one run of package run: a namespace is a
// matter of threads, and the goroutines of a run are on any of them, so that only a
// process of its own has all of a run in it.
const scanEnv = "MXSWEEP_E2E_SCAN"

// An answer is what a run in a namespace came to.
type answer struct {
	Code    gate.ExitCode // of its outcome and its error
	Summary result.Summary
	Report  []byte   // as JSON
	Log     []string // what it had to say, its error last
	Probes  signatures.LabCounts
}

// scanInside is the life of that process: it reads run.Options from its standard
// input and writes an answer to its standard output.
func scanInside() int {
	var opts run.Options
	if err := gob.NewDecoder(os.Stdin).Decode(&opts); err != nil {
		fmt.Fprintln(os.Stderr, "reading the options:", err)
		return 2
	}
	var a answer
	var report bytes.Buffer
	opts.Outputs = []output.Spec{{Format: "json", Writer: &report, Title: "the report"}}
	opts.Log = func(text string) { a.Log = append(a.Log, text) }
	outcome, err := run.Scan(context.Background(), opts)
	a.Code, a.Report = run.CodeOf(err), report.Bytes()
	if outcome != nil {
		a.Code, a.Summary = gate.Worse(outcome.Decision.Code, a.Code), outcome.Summary
		a.Probes = countProbes(outcome.Open)
	}
	if err != nil {
		a.Log = append(a.Log, err.Error())
	}
	if err := gob.NewEncoder(os.Stdout).Encode(a); err != nil {
		fmt.Fprintln(os.Stderr, "writing the answer:", err)
		return 2
	}
	return 0
}

// scan runs package run in a namespace.
func scan(t *testing.T, namespace string, opts run.Options) answer {
	t.Helper()
	opts.NoPolicy = true
	var in, stdout, stderr bytes.Buffer
	if err := gob.NewEncoder(&in).Encode(opts); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ip", "netns", "exec", namespace, self)
	cmd.Env = append(os.Environ(), scanEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &stdout, &stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("running a scan in %s: %v\n%s", namespace, errors.Join(err, ctx.Err()), stderr.Bytes())
	}
	var a answer
	if err := gob.NewDecoder(&stdout).Decode(&a); err != nil {
		t.Fatalf("reading the answer of a scan: %v", err)
	}
	t.Logf("scan of %v: code %d, %.1f s", opts.Targets, a.Code, time.Since(began).Seconds())
	for _, text := range a.Log {
		t.Log(text)
	}
	return a
}

// sweep runs package run in the scanner's namespace and returns the report, after
// checking it against the schema, and the exit code that the outcome asks for.
func sweep(t *testing.T, opts run.Options) (*document, int) {
	t.Helper()
	base(t)
	a := scan(t, scanner, opts)
	doc := read(t, a.Report, int(a.Code))
	if doc.Summary.ExitCode != a.Summary.ExitCode || doc.Summary.Gate != string(a.Summary.Gate) || doc.Summary.Complete != a.Summary.Complete {
		t.Errorf("the report ends with %+v, the outcome with %+v", doc.Summary, a.Summary)
	}
	return doc, int(a.Code)
}

// mailPorts are options for all ports of mail systems of targets.
func mailPorts(targets ...string) run.Options {
	return run.Options{Ports: []string{"internal", "public"}, Targets: targets}
}

// read reads a report that follows the schema and names the exit code.
func read(t *testing.T, report []byte, code int) *document {
	t.Helper()
	if err := validate(t, report); err != nil {
		t.Errorf("the report does not follow the schema: %v", err)
	}
	doc := &document{}
	if err := json.Unmarshal(report, doc); err != nil {
		t.Fatalf("reading the report (exit code %d): %v\n%s", code, err, report)
	}
	if doc.Summary.ExitCode != code {
		t.Errorf("the report says exit code %d, want %d", doc.Summary.ExitCode, code)
	}
	return doc
}
