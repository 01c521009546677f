package daemons

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
)

// oracles are daemons, with a command line that starts them with a file, and text of a file
// with the place for its endpoints.
var oracles = []struct{ file, program, command, text string }{
	{"clamsmtpd.conf", "clamsmtpd", "clamsmtpd -d 1 -f DIR/clamsmtpd.conf", "OutAddress: 10025\nClamAddress: /run/none\nTempDirectory: DIR\n# Listen: 1\nlisten: %s\n"},
	{"sqlgrey.conf", "sqlgrey", "sqlgrey -f DIR/sqlgrey.conf", "user = nobody\ngroup = nogroup\nconfdir = /etc/sqlgrey\ndb_type = SQLite\ndb_name = DIR/x.db\npidfile = DIR/pid\ninet =  %s # x\n"},
}

// TestSettingsListen compares what is read of generated files with what the daemons listen on.
func TestSettingsListen(t *testing.T) {
	programs := []string{"sh"}
	for _, o := range oracles {
		programs = append(programs, o.program)
	}
	for run := range sockettest.Runs(t, 2, programs...) {
		r := rand.New(rand.NewPCG(uint64(run), 5))
		dir, err := os.MkdirTemp("", "settings")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		script, texts := "", ""
		var want []string
		for i, o := range oracles {
			at := filepath.Join(dir, fmt.Sprint(i))
			endpoint := []string{"", "127.0.0.1:", "10.0.0.5:", "0.0.0.0:"}[r.IntN(4)] + fmt.Sprint(2000+r.IntN(20)+100*i)
			text := fmt.Sprintf(o.text, endpoint)
			for _, err := range []error{os.Mkdir(at, 0o777), os.Chmod(dir, 0o777), os.Chmod(at, 0o777)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			text = replaceDir(text, at)
			if err := os.WriteFile(filepath.Join(at, o.file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			script += "( " + replaceDir(o.command, at) + " ) &\n"
			texts += text
			want = append(want, sockettest.Predicted(readKind(o.file, text))...)
		}
		slices.Sort(want)
		got, messages := sockettest.Counting(t, len(want), script+"wait")
		if !slices.Equal(got, want) {
			t.Fatalf("run %d:\nlistens on %q\npredicted  %q\n%s\n%s", run, got, want, texts, messages)
		}
	}
}

// replaceDir replaces DIR by a folder.
func replaceDir(text, dir string) string { return strings.ReplaceAll(text, "DIR", dir) }
