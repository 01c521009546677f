package gate

import "testing"

// A recorder keeps how a test ended instead of ending it. It stands for one
// that goes on, which tells what came first.
type recorder struct {
	testing.TB
	ends []string
}

func (r *recorder) Helper()              {}
func (r *recorder) Skip(...any)          { r.ends = append(r.ends, "skip") }
func (r *recorder) Skipf(string, ...any) { r.ends = append(r.ends, "skip") }
func (r *recorder) Fatal(...any)         { r.ends = append(r.ends, "fail") }

func TestModes(t *testing.T) {
	for _, c := range []struct {
		mode, lack, ask string
	}{
		{"", "skip", "skip"}, {"0", "skip", "skip"}, {"1", "skip", ""}, {"require", "fail", ""},
	} {
		t.Setenv(Variable, c.mode)
		for want, call := range map[*string]func(testing.TB){
			&c.ask:  func(t testing.TB) { Ask(t, "nothing is done") },
			&c.lack: func(t testing.TB) { Lack(t, "something") },
		} {
			r := &recorder{TB: t}
			call(r)
			if got := append(r.ends, "")[0]; got != *want {
				t.Errorf("with %q: %q, want %q", c.mode, got, *want)
			}
		}
	}
}

// TestMissingProgram: a program that is not there fails the test where all is
// required, also for root.
func TestMissingProgram(t *testing.T) {
	t.Setenv(Variable, "require")
	r := &recorder{TB: t}
	Namespaces(r, "mxsweep-no-such-program")
	if r.ends[0] != "fail" {
		t.Errorf("ended by %q", r.ends)
	}
}
