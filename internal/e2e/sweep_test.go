//go:build linux

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// sweepLimit is how long one run of mxsweep may take before it is ended.
const sweepLimit = 5 * time.Minute

// A document is what these tests read of the JSON report. It is written down
// here a second time on purpose: the report is a contract.
type document struct {
	Ports    []portRecord    `json:"ports"`
	Findings []findingRecord `json:"findings"`
	Notices  []struct {
		Code, Message, Target string
	} `json:"notices"`
	Summary struct {
		Complete bool   `json:"complete"`
		ExitCode int    `json:"exit_code"`
		Gate     string `json:"gate"`
	} `json:"summary"`
}

type portRecord struct {
	IP       string `json:"ip"`
	Port     int    `json:"port"`
	State    string `json:"state"`
	Attempts int    `json:"attempts"`
	Service  struct {
		Name         string   `json:"name"`
		Product      string   `json:"product"`
		Alternatives []string `json:"alternatives"`
		Version      string   `json:"version"`
		Role         string   `json:"role"`
		Confidence   int      `json:"confidence"`
		Behind       struct {
			Product string `json:"product"`
		} `json:"behind"`
		ProxyParser string `json:"proxy_parser"`
	} `json:"service"`
	TLS        json.RawMessage `json:"tls"`        // nil without a handshake
	Transcript json.RawMessage `json:"transcript"` // for messages
}

type findingRecord struct {
	Rule        string   `json:"rule"`
	Severity    string   `json:"severity"`
	IP          string   `json:"ip"`
	Port        int      `json:"port"`
	Evidence    []string `json:"evidence"`
	Remediation string   `json:"remediation"`
	Fixes       []string `json:"fixes"`
}

// port returns the record of an address and port, nil if there is none.
func (d *document) port(ip string, port int) *portRecord {
	for i := range d.Ports {
		if p := &d.Ports[i]; p.IP == ip && p.Port == port {
			return p
		}
	}
	return nil
}

// findings returns what was found on an address and port.
func (d *document) findings(ip string, port int) []findingRecord {
	var list []findingRecord
	for _, f := range d.Findings {
		if f.IP == ip && f.Port == port {
			list = append(list, f)
		}
	}
	return list
}

// sweepByCommand is sweep with "mxsweep scan" as users have it.
func sweepByCommand(t *testing.T, args ...string) (*document, int) {
	t.Helper()
	base(t)
	out, code := mxsweep(t, scanner, append([]string{"scan", "-o", "json", "--progress", "never"}, args...)...)
	return read(t, out, code), code
}

// mxsweep runs the command in a namespace and returns its standard output and
// exit code; what it says on standard error goes to the test's log.
func mxsweep(t *testing.T, namespace string, args ...string) ([]byte, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), sweepLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", namespace, command(t)}, args...)...)
	cmd.Dir = t.TempDir() // no policy file there
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	t.Logf("mxsweep %s: %.1f s", strings.Join(args, " "), time.Since(began).Seconds())
	if stderr.Len() > 0 {
		t.Logf("standard error:\n%s", stderr.Bytes())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("running mxsweep: %v", errors.Join(err, ctx.Err()))
	}
	return stdout.Bytes(), cmd.ProcessState.ExitCode()
}

// schema is what "mxsweep schema" prints, compiled.
var schema struct {
	once     sync.Once
	compiled *jsonschema.Schema
	err      error
}

func validate(t *testing.T, document []byte) error {
	t.Helper()
	bin := command(t)
	schema.once.Do(func() {
		out, err := exec.Command(bin, "schema").Output()
		if err != nil {
			schema.err = err
			return
		}
		text, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			schema.err = err
			return
		}
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		if schema.err = compiler.AddResource("mxsweep.json", text); schema.err == nil {
			schema.compiled, schema.err = compiler.Compile("mxsweep.json")
		}
	})
	if schema.err != nil {
		return schema.err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	return schema.compiled.Validate(value)
}
