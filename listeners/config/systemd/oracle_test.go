package systemd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// TestSocketsListen compares what is read of ListenStream= with what systemd's own program
// listens on for the same values.
func TestSocketsListen(t *testing.T) {
	const program = "systemd-socket-activate"
	compared := 0
	for run := range sockettest.Runs(t, 4, program) {
		r := rand.New(rand.NewPCG(uint64(run), 4))
		text, script, want := "[Socket]\n", program, 0
		for i := range 60 {
			hosts := []string{"", "127.0.0.1:", "0.0.0.0:", "[::]:", "[::1]:", "10.0.0.5:", "[fd00::5]:", "127.0.0.9:", "[0:0::1]:"}
			value := fmt.Sprintf("%s%d", hosts[r.IntN(len(hosts))], 2000+i)
			text += []string{"ListenStream=", "ListenStream = ", " ListenStream=\t"}[r.IntN(3)] + value + []string{"\n", " \n", "\n# x\n"}[r.IntN(3)]
			script += " -l '" + value + "'"
			want++
		}
		c := Socket(nil, source.NewFile("x.socket", "x.socket", text))
		check(t, c)
		predicted := sockettest.Predicted(c)
		got, messages := sockettest.Counting(t, want, script+" true")
		if !slices.Equal(got, predicted) || len(c.Doubts) > 0 {
			t.Fatalf("run %d:\nlistens on %q\npredicted  %q\n%v\n%s\n%s", run, got, predicted, c.Doubts, text, messages)
		}
		compared += len(got)
	}
	t.Logf("%d listeners compared", compared)
}
