package policy

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/userfile"
)

// TestPolicySize checks that policies that take too much memory are rejected,
// with a hint.
func TestPolicySize(t *testing.T) {
	long := strings.Repeat("b", 200)
	for name, tt := range map[string]struct{ text, want string }{
		"bytes":         {"version: 1\n" + strings.Repeat("#", MaxSize), "p.yaml: larger than 64 MiB"},
		"values":        {"version: 1\nscope: {targets: [" + strings.Repeat("192.0.2.1, ", 400_000) + "192.0.2.2]}\n", "p.yaml:2:1: more than 524288 values"},
		"no list":       {"version: 1\nports: \"25" + strings.Repeat(" ", 17<<20) + "\"\n", "p.yaml:1:1: larger than 16 MiB, and not written as lists"},
		"in a long one": {"version: 1\nexpect:\n" + strings.Repeat("- target: 192.0.2.1\n  ports: 25\n", 600_000) + "- *x\n", "p.yaml:1200003:3: the alias *x refers to nothing"},
		"names":         {"version: 1\nscope:\n  targets:\n" + lines(maxOtherLines+1, func(i int) string { return fmt.Sprintf("  - h%d\n", i) }), "p.yaml:300004:5: more than 300000 lines of the scope"},
		"entries": {"version: 1\nmust_be_closed:\n" + lines(260_000, func(i int) string {
			return fmt.Sprintf("- target: h%06d.%s.%s.example.org\n  ports: 25\n", i, long[:60], long[:60])
		}), "the entries up to this one take more than 104 MiB"},
	} {
		_, err := Load("p.yaml", []byte(tt.text), Context{})
		var user *userfile.Error
		if !errors.As(err, &user) || !strings.Contains(err.Error(), tt.want) || user.ErrorHint() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lines returns n entries.
func lines(n int, entry func(int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(entry(i))
	}
	return b.String()
}

// TestPolicyMemory checks that little is kept per byte of a long policy, however
// it is written: 64 MiB take less than 256 MiB.
func TestPolicyMemory(t *testing.T) {
	const size = 4 << 20
	for name, entry := range map[string]string{
		"accept":         "accept:\n- id: A%[1]d\n  rule: MXS1002\n  target: 10.0.%[2]d.%[3]d\n  port: 25\n  reason: lab machines\n  owner: ops\n  expires: 2027-01-31\n",
		"in braces":      "accept:\n- {id: A%[1]d, rule: MXS1002, target: 10.0.%[2]d.%[3]d, port: 25, reason: \"lab: old ones\", owner: ops, expires: 2027-01-31}\n",
		"odd":            "accept:\n- id: &a A%[1]d\n  rule: MXS1002\n  target: 10.0.%[2]d.%[3]d\n  port: 25\n  reason: lab machines\n  owner: ops\n  expires: 2027-01-31\n",
		"expect":         "expect:\n- target: 10.0.%[2]d.%[3]d\n  ports: 25 # %[1]d\n",
		"must_be_closed": "must_be_closed:\n- target: 10.1.%[2]d.%[3]d\n  ports: 25 # %[1]d\n",
		"targets":        "scope:\n  targets:\n  - 10.1.%[2]d.%[3]d # %[1]d\n",
	} {
		at := strings.Index(entry, "-")
		head, item := entry[:at], entry[at:]
		if name == "targets" {
			head, item = "scope:\n  targets:\n", "  - 10.1.%[2]d.%[3]d # %[1]d\n"
		}
		var b strings.Builder
		b.WriteString("version: 1\n" + head)
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, item, i, i>>8&255, i&255)
		}
		data := []byte(b.String())
		b.Reset()
		before := inUse()
		p, err := Load("p.yaml", data, Context{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if kept := inUse() - before; kept > 2*size {
			t.Errorf("%s: %d KiB are kept of %d KiB", name, kept>>10, len(data)>>10)
		}
		runtime.KeepAlive(p)
		runtime.KeepAlive(data)
	}
}

// inUse returns how much memory is in use.
func inUse() int64 {
	runtime.GC()
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}
