package systemd

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// TestBounded reads units that would take long, or give much, without bounds.
func TestBounded(t *testing.T) {
	for name, text := range map[string]string{
		"x.socket":  "[Socket]\n" + strings.Repeat("ListenStream=1\n", 100_000),
		"y.socket":  "[Socket]\n" + strings.Repeat("ListenStream=x\n", 100_000),
		"a.service": "[Service]\n" + strings.Repeat("ExecStart=postgrey --inet=1\n", 100_000),
		"b.service": "[Service]\nExecStart=postgrey " + strings.Repeat("--inet=1 ", 100_000),
		"c.service": "[Service]\n" + strings.Repeat("Environment=A=$A$A\n", 50_000) + "ExecStart=postgrey $A\n",
		"d.service": "[Service]\n" + strings.Repeat("ExecStart=postgrey \\\n", 100_000),
		"e.service": "[Service]\n" + strings.Repeat("EnvironmentFile=/none\n", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			tree := &source.Tree{FS: fstest.MapFS{name: {Data: []byte(text)}, name + ".d/x.conf": {Data: []byte(text)}}}
			f, err := tree.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			reader := Service
			if strings.HasSuffix(name, ".socket") {
				reader = Socket
			}
			c := reader(tree, f)
			check(t, c)
			if len(c.Listeners) > listeners.MaxListeners || len(c.Doubts) > listeners.MaxDoubts+3 {
				t.Errorf("%d listeners, %d doubts", len(c.Listeners), len(c.Doubts))
			}
		})
	}
}
