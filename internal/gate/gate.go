// Package gate says which tests run. Those that make network namespaces, or
// start daemons and browsers, take minutes and mostly root, so that they wait
// to be asked for by MXSWEEP_E2E:
//
//	unset, 0   they are skipped, and nothing is started
//	1          they run; what lacks a prerequisite is skipped, with the reason
//	require    what lacks a prerequisite (root, a program) fails
package gate

import (
	"os"
	"os/exec"
	"testing"
)

// Variable is the environment variable that asks for the tests.
const Variable = "MXSWEEP_E2E"

// Ask skips a test that is not asked for; left says what is not done then.
func Ask(t testing.TB, left string) {
	t.Helper()
	if mode := os.Getenv(Variable); mode == "" || mode == "0" {
		t.Skipf("%s is not set: %s", Variable, left)
	}
}

// Lack ends a test that lacks a prerequisite: it fails under "require", and is
// skipped else.
func Lack(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(Variable) == "require" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// Namespaces is Ask for a test that makes network namespaces by programs, for
// which it needs root.
func Namespaces(t testing.TB, programs ...string) {
	t.Helper()
	Ask(t, "no network namespace is made")
	if os.Geteuid() != 0 {
		Lack(t, "needs root to make network namespaces")
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			Lack(t, "needs "+program)
		}
	}
}

// RealTime is Ask for a test that waits for real time. The race detector makes
// it slower, and sees the same in the tests beside it: there it is skipped.
func RealTime(t testing.TB) {
	t.Helper()
	Ask(t, "nothing waits for real time")
	if Race {
		t.Skipf("waits for real time: runs by %s without the race detector", Variable)
	}
}
